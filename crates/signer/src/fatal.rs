//! Errors that end the process: nothing was released, and the next start rebuilds from the disk.

use strongroom_ports::db::{DbError, DbErrorKind};
use strongroom_types::{Code, Refusal};

/// The node cannot go on. Whatever it was doing has not left the process.
#[derive(Debug, thiserror::Error)]
pub enum Fatal {
    /// The database failed. After a failed commit the outcome is unknown: memory is rebuilt from
    /// the disk by a new process, never patched.
    #[error("the store failed")]
    Store(#[from] DbError),
    /// The node was set up wrongly, or what it stored does not fit together.
    #[error(transparent)]
    Refused(#[from] Refusal),
}

impl Fatal {
    /// The stable code: `disk_full`, `store_corrupt`, `store_newer`, `genesis_mismatch`, …
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::Refused(refusal) => refusal.code,
            Self::Store(error) => code_of(error.kind()),
        }
    }

    /// Whether a restart may help without any repair.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            // A refusal is of the set-up or of what is stored: the next process finds the same.
            Self::Refused(_) => false,
            Self::Store(error) => may_pass(error.kind()),
        }
    }
}

/// Reason for which something offered to this signer was not taken.
#[derive(Debug)]
pub(crate) enum NotTaken {
    /// Refused: nothing changed by it, and the process goes on.
    Refused(Refusal),
    /// The process ends.
    Fatal(Fatal),
}

impl From<Fatal> for NotTaken {
    fn from(fatal: Fatal) -> Self {
        Self::Fatal(fatal)
    }
}

impl From<DbError> for NotTaken {
    fn from(error: DbError) -> Self {
        Self::Fatal(error.into())
    }
}

/// Whether the next process may find the store well again.
const fn may_pass(kind: DbErrorKind) -> bool {
    match kind {
        // Another process holds the file, or the disk did not answer: neither is in the data.
        DbErrorKind::Busy | DbErrorKind::Io => true,
        // A person has to free the disk, put a database back, or start the right program.
        DbErrorKind::Constraint
        | DbErrorKind::Full
        | DbErrorKind::Corrupt
        | DbErrorKind::Poisoned
        | DbErrorKind::BadValue
        | DbErrorKind::Type
        | DbErrorKind::Schema
        | DbErrorKind::Other => false,
    }
}

const fn code_of(kind: DbErrorKind) -> Code {
    match kind {
        DbErrorKind::Full => Code::DiskFull,
        // A value of another form than this program writes was not written by it.
        DbErrorKind::Corrupt | DbErrorKind::Type | DbErrorKind::Constraint => Code::StoreCorrupt,
        DbErrorKind::Schema => Code::StoreNewer,
        DbErrorKind::Busy
        | DbErrorKind::Io
        | DbErrorKind::Poisoned
        | DbErrorKind::BadValue
        | DbErrorKind::Other => Code::Internal,
    }
}
