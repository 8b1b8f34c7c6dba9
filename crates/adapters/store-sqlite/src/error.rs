//! SQLite's result codes as port errors.

use rusqlite::{Error, ErrorCode};
use strongroom_ports::db::{DbError, DbErrorKind};

/// Port error for an SQLite error, with SQLite's extended result code as source: its message alone
/// does not say which file operation failed. Messages name tables and columns, never values.
pub(crate) fn map(error: &Error) -> DbError {
    match error {
        Error::SqliteFailure(code, message) => {
            let detail = message.as_deref().unwrap_or("SQLite");
            DbError::new(kind(code.code), detail).because(*code)
        }
        // The text that it quotes is the statement's, in which values are parameters.
        Error::SqlInputError { error: code, .. } => {
            DbError::new(kind(code.code), error.to_string()).because(*code)
        }
        // The library's own text would quote the number, which is a value of the data.
        Error::IntegralValueOutOfRange(column, _) => {
            let detail = format!("the integer of column {column} is out of range");
            DbError::new(DbErrorKind::Other, detail)
        }
        _ => DbError::new(DbErrorKind::Other, error.to_string()),
    }
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use rusqlite::Connection;
    use std::error::Error as _;

    #[test]
    fn the_extended_result_code_is_the_source_and_no_value_is_in_any_of_it() {
        let db = Connection::open_in_memory().unwrap();
        db.execute_batch(
            "CREATE TABLE t (a TEXT PRIMARY KEY) STRICT; INSERT INTO t VALUES ('Alice')",
        )
        .unwrap();
        let error = map(&db
            .execute("INSERT INTO t VALUES ($1)", ["Alice"])
            .unwrap_err());

        assert_eq!(error.kind(), DbErrorKind::Constraint);
        assert_eq!(
            error.to_string(),
            "constraint: UNIQUE constraint failed: t.a"
        );
        let source = error.source().unwrap().to_string();
        assert!(source.contains("1555"), "{source}");
        assert!(!format!("{error:?}").contains("Alice"));
    }

    #[test]
    fn a_number_that_does_not_fit_is_not_quoted() {
        let error = map(&Error::IntegralValueOutOfRange(2, 4242));
        assert!(!format!("{error} {error:?}").contains("4242"));
    }
}
