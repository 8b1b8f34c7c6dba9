//! Points at which the simulator may stop a shell.

/// A place in a step between two things that must not be torn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CrashPoint {
    /// Everything is written, nothing committed.
    BeforeCommit,
    /// Committed, nothing published.
    AfterCommit,
    /// Published (or tried), the outbox still holds the rows (stateless: the position is not
    /// saved).
    AfterPublish,
}

/// Decides at each point whether the process dies there. The shell then returns
/// [`crate::ShellError::Crashed`] and must be dropped and rebuilt, as a process would be.
pub trait Faults: Send {
    /// `true` = die here.
    fn at(&self, point: CrashPoint) -> bool;
}

/// Never dies: production.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoFaults;

impl Faults for NoFaults {
    fn at(&self, _point: CrashPoint) -> bool {
        false
    }
}
