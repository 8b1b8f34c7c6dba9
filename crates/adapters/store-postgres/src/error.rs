//! SQLSTATE codes as port errors (PostgreSQL 15, appendix A).

use sqlx::Error;
use strongroom_ports::db::{DbError, DbErrorKind};

/// Port error for an sqlx error. PostgreSQL's primary message names tables and columns; the detail,
/// which quotes values, is left out.
pub(crate) fn map(error: &Error) -> DbError {
    let kind = match error {
        Error::Database(database) => {
            let code = database.code().unwrap_or_default();
            let detail = format!("{} (SQLSTATE {code})", database.message());
            return DbError::new(kind(&code), detail);
        }
        Error::Io(_)
        | Error::Tls(_)
        | Error::PoolTimedOut
        | Error::PoolClosed
        | Error::WorkerCrashed => DbErrorKind::Io,
        Error::ColumnDecode { .. } | Error::Decode(_) | Error::ColumnIndexOutOfBounds { .. } => {
            DbErrorKind::Type
        }
        _ => DbErrorKind::Other,
    };
    DbError::new(kind, error.to_string())
}

fn kind(code: &str) -> DbErrorKind {
    match code {
        // Serialization failure, deadlock, lock not available and too many connections are
        // temporary.
        "40001" | "40P01" | "55P03" | "53300" => DbErrorKind::Busy,
        "53100" => DbErrorKind::Full,
        "25P02" => DbErrorKind::Poisoned,
        // PostgreSQL answers a text with a NUL byte with "character not in repertoire".
        "22021" => DbErrorKind::BadValue,
        "XX001" | "XX002" => DbErrorKind::Corrupt,
        // After shutdown, crash, start-up, I/O error or on a read-only server the connection cannot
        // be used.
        "57P01" | "57P02" | "57P03" | "58030" | "25006" => DbErrorKind::Io,
        // Class 23 is an integrity constraint violation, class 08 a connection exception.
        _ if code.starts_with("23") => DbErrorKind::Constraint,
        _ if code.starts_with("08") => DbErrorKind::Io,
        _ => DbErrorKind::Other,
    }
}
