//! SQLite's result codes as port errors.

use rusqlite::{Error, ErrorCode};
use strongroom_ports::db::{DbError, DbErrorKind};

/// Port error for an SQLite error. `Display` of SQLite's errors names tables and columns,
/// never values.
pub(crate) fn map(error: &Error) -> DbError {
    let kind = match error {
        Error::SqliteFailure(failure, _) | Error::SqlInputError { error: failure, .. } => {
            kind(failure.code)
        }
        _ => DbErrorKind::Other,
    };
    DbError::new(kind, error.to_string())
}

fn kind(code: ErrorCode) -> DbErrorKind {
    match code {
        ErrorCode::ConstraintViolation | ErrorCode::TypeMismatch => DbErrorKind::Constraint,
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => DbErrorKind::Busy,
        ErrorCode::DiskFull => DbErrorKind::Full,
        ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => DbErrorKind::Corrupt,
        ErrorCode::SystemIoFailure
        | ErrorCode::CannotOpen
        | ErrorCode::ReadOnly
        | ErrorCode::PermissionDenied
        | ErrorCode::FileLockingProtocolFailed => DbErrorKind::Io,
        _ => DbErrorKind::Other,
    }
}
