use strongroom_ports::bus::BusError;
use strongroom_ports::db::DbError;
use strongroom_types::Refusal;

/// Reason for which a replica could not continue.
#[derive(Debug, thiserror::Error)]
pub enum ReplicaError {
    /// The database failed. The transaction is rolled back; memory must be
    /// [reloaded](crate::Replica::reload).
    #[error("the replica's database failed")]
    Db(#[from] DbError),
    /// The journal, the witness or the stored data refuse.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// Memory and tables are at different positions of the journal, because a transaction was not
    /// committed or another process writes to this database. Nothing was written; reload and try
    /// again.
    #[error("the replica's memory is not what its tables hold")]
    Stale,
    /// The boot marker could not be read or written.
    #[error("the boot marker failed")]
    Marker(#[source] std::io::Error),
    /// The bus failed.
    #[error("the bus failed")]
    Bus(#[from] BusError),
}

impl ReplicaError {
    /// Whether the same call may succeed later (after a reload).
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Db(error) => error.is_transient(),
            Self::Bus(error) => error.is_transient(),
            Self::Stale => true,
            Self::Refused(_) | Self::Marker(_) => false,
        }
    }
}
