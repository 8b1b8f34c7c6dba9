//! Errors that end a shell.

use strongroom_ports::bus::BusError;
use strongroom_ports::db::DbError;

use crate::faults::CrashPoint;
use crate::stage::StageError;

/// Reason for which a shell ended. Shell and stage must not be used again; see
/// [`ShellError::may_restart`].
#[derive(Debug, thiserror::Error)]
pub enum ShellError {
    /// Another instance of the stage took over. Its work continues there.
    #[error("another instance of stage {0} took over")]
    Fenced(&'static str),
    /// A commit failed with unknown outcome: rebuild from the database.
    #[error("a commit of stage {stage} failed with unknown outcome")]
    CommitUnknown {
        /// Name of the stage.
        stage: &'static str,
        /// Error of the database.
        #[source]
        source: DbError,
    },
    /// The database refused permanently.
    #[error("the database of stage {stage} failed")]
    Db {
        /// Name of the stage.
        stage: &'static str,
        /// Error of the database.
        #[source]
        source: DbError,
    },
    /// The bus refused permanently; [`BusError::PositionGone`] needs an operator.
    #[error("the bus refused stage {stage}")]
    Bus {
        /// Name of the stage.
        stage: &'static str,
        /// Error of the bus.
        #[source]
        source: BusError,
    },
    /// The stage must not continue.
    #[error("stage {stage} stopped")]
    Fatal {
        /// Name of the stage.
        stage: &'static str,
        /// Error of the stage.
        #[source]
        source: StageError,
    },
    /// The simulator stopped the shell at this point.
    #[error("crashed at {0:?}")]
    Crashed(CrashPoint),
    /// The shell was used after an error or after [`crate::Shell::close`].
    #[error("the shell has ended")]
    Ended,
}

impl ShellError {
    /// Whether a new stage and a new shell on the same database may continue without an operator.
    #[must_use]
    pub fn may_restart(&self) -> bool {
        match self {
            // The tables say whether the commit happened, and a new shell reads nothing else.
            Self::CommitUnknown { .. } | Self::Crashed(_) => true,
            Self::Db { source, .. } => source.is_transient(),
            Self::Bus { source, .. } => source.is_transient(),
            // A fenced stage that restarted would take over from its successor, and the successor
            // would do the same in turn. A stage with a fatal error would meet the same state
            // again.
            Self::Fenced(_) | Self::Fatal { .. } | Self::Ended => false,
        }
    }
}

impl ShellError {
    pub(super) fn fatal(stage: &'static str, source: StageError) -> Self {
        Self::Fatal { stage, source }
    }

    pub(super) fn bus(stage: &'static str, source: BusError) -> Self {
        Self::Bus { stage, source }
    }
}
