//! Ways in which one record can be delivered.

use strongroom_stage::CrashPoint;

/// One column of the matrix.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Cell {
    /// Delivered once, without a fault. All other cells are compared with it.
    Once,
    /// Delivered again: in the same batch, later, and after its message id was forgotten.
    Twice,
    /// Sealed by each sender that may not say this, and by forgers.
    WrongSender,
    /// Delivered after a copy of it whose signature is false.
    AfterForgery,
    /// The process dies when everything is written and nothing committed.
    RestartBeforeCommit,
    /// The process dies when everything is committed and nothing published.
    RestartAfterCommit,
    /// The process dies when everything is published and still in the outbox.
    RestartAfterPublish,
}

impl Cell {
    /// Every column, in the order in which they run.
    pub const ALL: [Self; 7] = [
        Self::Once,
        Self::Twice,
        Self::WrongSender,
        Self::AfterForgery,
        Self::RestartBeforeCommit,
        Self::RestartAfterCommit,
        Self::RestartAfterPublish,
    ];

    /// Name in messages.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Once => "once",
            Self::Twice => "twice",
            Self::WrongSender => "wrong sender",
            Self::AfterForgery => "after a forgery",
            Self::RestartBeforeCommit => "restart before commit",
            Self::RestartAfterCommit => "restart after commit",
            Self::RestartAfterPublish => "restart after publish",
        }
    }
}

/// Way in which the record of a case reaches the stage.
#[derive(Clone, Debug)]
pub(crate) enum Delivery {
    /// Not at all, which shows what the history alone leads to.
    Never,
    Once,
    /// Two copies in one batch.
    TwiceTogether,
    /// The second copy when the first has settled.
    TwiceApart,
    /// The second copy when the inbox no longer knows the message id.
    TwiceForgotten,
    /// The n-th impostor's record instead of it.
    Impostor(usize),
    /// First a copy with a false signature, and the record when that has settled.
    AfterForgery,
    /// Once, and the process dies at this point.
    Crash(CrashPoint),
}
