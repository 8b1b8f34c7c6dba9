//! Errors for which a writer could not start.

use strongroom_ports::bus::BusError;
use strongroom_ports::db::DbError;
use strongroom_replica::ReplicaError;
use strongroom_stage::StageError;
use strongroom_types::Refusal;

/// Reason for which nothing may be appended, or nothing could be found out yet.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The bus failed.
    #[error("the bus failed")]
    Bus(#[from] BusError),
    /// The database failed.
    #[error("the writer's database failed")]
    Db(#[from] DbError),
    /// The stored journal cannot be read.
    #[error("the stored journal cannot be read")]
    Replica(#[from] ReplicaError),
    /// A record could not be made.
    #[error("a record could not be made")]
    Record(#[from] StageError),
    /// Genesis or the log key cannot be used.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The bus gives no records of the entries topic, though it has some: how far it reaches is not
    /// known.
    #[error("the end of the entries topic cannot be read")]
    TopicUnread,
    /// The process is asked to stop; nothing is known about the database.
    #[error("stopped before the entries topic was read")]
    Stopped,
    /// The topic holds entries that the database does not: it was put back. To order on would fork
    /// the journal; the tip must come from the witnesses.
    #[error("the entries topic reaches {published} entries, the writer's database only {stored}")]
    DatabaseBehind {
        /// Entries on the topic.
        published: u64,
        /// Entries in the database.
        stored: u64,
    },
    /// The topic holds another history of this length than the database: that was put back and
    /// ordered on.
    #[error("the entries topic holds another history of {size} entries")]
    OtherHistory {
        /// Entries of the other history.
        size: u64,
    },
    /// More witnesses than may be hostile vouch for entries that the database does not hold: it was
    /// put back. The cause of a running writer's end, too, that hears of them later.
    #[error("{witnesses} witnesses vouch for entries that the writer's database does not hold")]
    WitnessesAhead {
        /// Number of witnesses.
        witnesses: usize,
    },
}

impl StartError {
    /// Whether the same start may succeed later.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Bus(error) => error.is_transient(),
            Self::Db(error) => error.is_transient(),
            Self::Replica(error) => error.is_transient(),
            Self::TopicUnread | Self::Stopped => true,
            // A repetition cannot cure these, and would hide that the database was put back.
            Self::Record(_)
            | Self::Refused(_)
            | Self::DatabaseBehind { .. }
            | Self::OtherHistory { .. }
            | Self::WitnessesAhead { .. } => false,
        }
    }

    /// Whether it proves that the database was put back.
    #[must_use]
    pub const fn proves_restore(&self) -> bool {
        match self {
            Self::DatabaseBehind { .. }
            | Self::OtherHistory { .. }
            | Self::WitnessesAhead { .. } => true,
            // These prove nothing: a bus that is down must not send the operator to a restore.
            Self::Bus(_)
            | Self::Db(_)
            | Self::Replica(_)
            | Self::Record(_)
            | Self::Refused(_)
            | Self::TopicUnread
            | Self::Stopped => false,
        }
    }
}
