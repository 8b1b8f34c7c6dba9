//! SQLSTATE codes as port errors (PostgreSQL 15, appendix A).

use sqlx::Error;
use strongroom_ports::db::{DbError, DbErrorKind};

/// Port error for an sqlx error. A server's error is not kept as source, and neither is an error of
/// decoding: the one's fields and the other's `Debug` quote values. Their text and code are kept.
pub(crate) fn map(error: Error) -> DbError {
    match error {
        Error::Database(answer) => {
            let code = answer.code().unwrap_or_default();
            let detail = detail(&code, answer.message());
            DbError::new(kind(&code), detail)
        }
        Error::Io(cause) => DbError::new(DbErrorKind::Io, "the connection").because(cause),
        Error::Tls(cause) => DbError::new(DbErrorKind::Io, "the connection's TLS").because(cause),
        Error::Configuration(cause) => {
            DbError::new(DbErrorKind::Other, "the database's address").because(cause)
        }
        Error::PoolTimedOut | Error::PoolClosed | Error::WorkerCrashed => {
            DbError::new(DbErrorKind::Io, error.to_string())
        }
        Error::ColumnDecode { .. } | Error::Decode(_) | Error::ColumnIndexOutOfBounds { .. } => {
            DbError::new(DbErrorKind::Type, error.to_string())
        }
        _ => DbError::new(DbErrorKind::Other, error.to_string()),
    }
}

/// The server's primary message with its code. It names tables and columns, except in class 22 (data
/// exception), where it quotes the value: of that the code is left.
fn detail(code: &str, message: &str) -> String {
    if code.starts_with("22") {
        format!("a value does not fit (SQLSTATE {code})")
    } else {
        format!("{message} (SQLSTATE {code})")
    }
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::error::Error as _;
    use std::io;

    #[test]
    fn the_operating_systems_answer_is_the_source() {
        let broken = map(Error::Io(io::Error::other("connection reset")));
        assert_eq!(broken.kind(), DbErrorKind::Io);
        assert_eq!(broken.source().unwrap().to_string(), "connection reset");
        assert!(!broken.to_string().contains("connection reset"));
    }

    #[test]
    fn a_message_that_quotes_a_value_is_left_out() {
        let quoting = detail("22P02", "invalid input syntax for type bigint: \"Alice\"");
        assert_eq!(quoting, "a value does not fit (SQLSTATE 22P02)");

        let naming = detail("23505", "duplicate key value violates \"t_pkey\"");
        assert_eq!(
            naming,
            "duplicate key value violates \"t_pkey\" (SQLSTATE 23505)"
        );
    }
}
