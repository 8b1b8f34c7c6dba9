//! Bounds and times that a shell is given, and the progress that it reports.

/// Bounds and times of a shell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// Most records handled by one commit.
    pub batch_records_max: usize,
    /// Longest wait for records before the loop looks at its stop flag, milliseconds.
    pub wait_ms: u64,
    /// First and longest pause before a transient failure is tried again, milliseconds.
    pub retry_ms: (u64, u64),
    /// Time for which a message id is remembered, milliseconds: longer than topics keep records and
    /// dead letters are replayed.
    pub inbox_keep_ms: u64,
    /// Time between two removals of old message ids, milliseconds.
    pub prune_every_ms: u64,
    /// Sent outbox rows are deleted by the next commit, or after this long without one,
    /// milliseconds.
    pub tidy_after_ms: u64,
    /// A stateless stage saves its positions after this many batches …
    pub save_every_batches: u32,
    /// … or this long after the first unsaved one, milliseconds.
    pub save_every_ms: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            batch_records_max: 64,
            wait_ms: 250,
            retry_ms: (10, 1000),
            inbox_keep_ms: 14 * 24 * 3600 * 1000,
            prune_every_ms: 10 * 60 * 1000,
            tidy_after_ms: 500,
            save_every_batches: 64,
            save_every_ms: 1000,
        }
    }
}

/// Result of one step.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Progress {
    /// Records the position moved past (duplicates and dead letters too).
    pub records: usize,
    /// Number of these that became dead letters.
    pub dead: usize,
    /// The stage's tick ran.
    pub ticked: bool,
    /// Something transient holds the stage back; the cause, for logs. Step again later.
    pub blocked: Option<String>,
}

impl Progress {
    /// Nothing to do and nothing in the way.
    #[must_use]
    pub fn idle(&self) -> bool {
        self.records == 0 && self.blocked.is_none()
    }
}
