//! Points at which the simulator may stop a shell.

/// A point in a step between two actions, at which a crash must lose nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CrashPoint {
    /// The transaction has every write and is not committed.
    BeforeCommit,
    /// The transaction is committed; nothing is published.
    AfterCommit,
    /// Publishing was tried; the outbox still holds the rows (for a stateless stage: the position
    /// is not saved).
    AfterPublish,
}

/// Decides at each point whether the process dies there. The shell then returns
/// [`crate::ShellError::Crashed`] and must be dropped and rebuilt, as a process would be.
pub trait Faults: Send {
    /// `true` = die here.
    fn at(&self, point: CrashPoint) -> bool;
}

/// No crash at any point, for production.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoFaults;

impl Faults for NoFaults {
    fn at(&self, _point: CrashPoint) -> bool {
        false
    }
}
