//! Bounds and times that a shell is given, and the progress that it reports.

/// Bounds and times of a shell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// Largest number of records that one commit handles.
    pub batch_records_max: usize,
    /// Longest wait for records before the loop checks its stop flag, milliseconds.
    pub wait_ms: u64,
    /// First and longest pause before a transient failure is tried again, milliseconds.
    pub retry_ms: (u64, u64),
    /// Time for which a message id is remembered, milliseconds: longer than topics keep records and
    /// dead letters are replayed.
    pub inbox_keep_ms: u64,
    /// Time between two removals of old message ids, milliseconds.
    pub prune_every_ms: u64,
    /// Time after which sent outbox rows are deleted if no other commit has deleted them,
    /// milliseconds.
    pub tidy_after_ms: u64,
    /// Number of batches after which a stateless stage saves its positions.
    pub save_every_batches: u32,
    /// Time from the first unsaved batch after which a stateless stage saves its positions,
    /// milliseconds, however few the batches.
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
    /// Number of records by which the positions moved, duplicates and dead letters included.
    pub records: usize,
    /// Number of these that became dead letters.
    pub dead: usize,
    /// Whether the stage's tick ran.
    pub ticked: bool,
    /// Cause of a transient failure that holds the stage back, for logs. Step again later.
    pub blocked: Option<String>,
}

impl Progress {
    /// Whether no record was there and no failure holds the stage back.
    #[must_use]
    pub fn idle(&self) -> bool {
        self.records == 0 && self.blocked.is_none()
    }
}
