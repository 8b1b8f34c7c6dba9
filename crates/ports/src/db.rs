//! A service's own database, behind one SQL text for SQLite and PostgreSQL.
//!
//! Contract (each sentence is a case of `testkit/conformance`):
//!
//! - Placeholders are `$1`, `$2`, …; an adapter rewrites them if its engine needs that.
//! - A transaction is a *write* transaction from its start (SQLite: one at a time). There is no
//!   nesting: a second `begin` on the same thread is an error.
//! - Others see a transaction's changes only after its commit.
//! - Dropping a [`Tx`] without [`Tx::commit`] undoes all of its changes.
//! - [`Tx::commit`] returns only when the change is durable.
//! - After a failed statement the transaction is poisoned: every later statement and the commit are
//!   refused with [`DbErrorKind::Poisoned`] (PostgreSQL does that by itself, SQLite would go on).
//! - SQL is `&'static str` only, so text built from data does not compile.
//! - Values are i64, bool, text (no NUL) and blob, each nullable. Wider integers and amounts are
//!   text or blobs.
//! - Decisions on a limit must be one conditional `UPDATE`; read-decide-write loses updates on
//!   PostgreSQL.
//! - An aggregate must be cast (`CAST(SUM(x) AS BIGINT)`): PostgreSQL's `SUM` of a `BIGINT` is
//!   `NUMERIC`.
//! - Rows of several statements are locked in key order; a deadlock is transient and the *whole*
//!   transaction is run again ([`transact`]).

use std::error::Error;
use std::fmt;
use std::sync::Arc;

mod migration;
mod row;

pub use migration::{Migration, SCHEMA_VERSION, TypeWords, applied, pending, refuse_foreign};
pub use row::{Row, Value};

/// A database of one service. Cheap to share behind an `Arc`.
pub trait Db: Send + Sync {
    /// Starts a write transaction. Blocks while another transaction holds the database (SQLite).
    ///
    /// # Errors
    /// [`DbErrorKind::Busy`] when the database stays locked, [`DbErrorKind::Io`] when it cannot be
    /// reached.
    fn begin(&self) -> Result<Box<dyn Tx + '_>, DbError>;

    /// Brings the schema up to date in one transaction; runs nothing twice. Callers with different
    /// [`Migration::component`]s may share one database and call this separately.
    ///
    /// # Errors
    /// [`DbErrorKind::Schema`] when the database is newer than `migrations`, when an applied
    /// migration's text changed, or when versions do not count 1, 2, 3, … within a component.
    fn migrate(&self, migrations: &[Migration]) -> Result<(), DbError>;

    /// Number of committed transactions with changes since this object was made; each costs about
    /// one fsync.
    fn commits(&self) -> u64;
}

/// One write transaction. Dropping it rolls back.
pub trait Tx {
    /// Runs one statement; returns the number of rows it changed.
    fn execute(&mut self, sql: &'static str, args: &[Arg<'_>]) -> Result<u64, DbError>;

    /// Runs one statement and returns its rows (`SELECT` or `… RETURNING`).
    fn query(&mut self, sql: &'static str, args: &[Arg<'_>]) -> Result<Vec<Row>, DbError>;

    /// As [`Self::query`] for at most one row; a second row is an error.
    fn query_opt(&mut self, sql: &'static str, args: &[Arg<'_>]) -> Result<Option<Row>, DbError> {
        let mut rows = self.query(sql, args)?;
        match rows.len() {
            0 | 1 => Ok(rows.pop()),
            // More than one row is an error: taking either would hide that the query's condition is
            // not a key.
            n => Err(DbError::new(
                DbErrorKind::Other,
                format!("expected at most one row, found {n}"),
            )),
        }
    }

    /// Inserts many rows with few statements; `args` holds the rows one after the other
    /// ([`Bulk::columns`] values each). Returns the rows of the suffix's `RETURNING`, in no
    /// particular order. When the suffix is an upsert, a key must not occur twice in one call
    /// (PostgreSQL error 21000); the caller merges such rows first.
    fn bulk(&mut self, bulk: &Bulk, args: &[Arg<'_>]) -> Result<Vec<Row>, DbError>;

    /// Makes the transaction durable.
    ///
    /// # Errors
    /// [`DbErrorKind::Poisoned`] after a failed statement. After *any* error here the caller must
    /// treat the outcome as unknown and rebuild its memory from the database.
    fn commit(self: Box<Self>) -> Result<(), DbError>;
}

/// A multi-row insert: `prefix ($1, $2), ($3, $4), … suffix`, sent in chunks of [`Bulk::CHUNKS`]
/// rows so that few distinct statements exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Bulk {
    /// Everything before the first row: `INSERT INTO t (a, b) VALUES`.
    pub prefix: &'static str,
    /// Number of values in each row.
    pub columns: usize,
    /// Everything after the last row: `ON CONFLICT DO NOTHING RETURNING a`, or empty.
    pub suffix: &'static str,
}

impl Bulk {
    /// Numbers of rows per statement, largest first. The last is 1, so that any count is a sum of
    /// them.
    pub const CHUNKS: [usize; 4] = [64, 16, 4, 1];

    /// The statement's text for `rows` rows.
    #[must_use]
    pub fn text(&self, rows: usize) -> String {
        use fmt::Write as _;
        let mut sql =
            String::with_capacity(self.prefix.len() + self.suffix.len() + rows * self.columns * 6);
        sql.push_str(self.prefix);
        let mut n = 0;

        // Placeholders are numbered over all rows, because one statement binds the values of all
        // rows in order.
        for row in 0..rows {
            sql.push_str(if row == 0 { " (" } else { ", (" });
            for column in 0..self.columns {
                n += 1;
                let comma = if column == 0 { "" } else { ", " };
                // Writing into a `String` cannot fail.
                let _ = write!(sql, "{comma}${n}");
            }
            sql.push(')');
        }

        sql.push(' ');
        sql.push_str(self.suffix);
        sql
    }

    /// Cuts `args` into `(rows, values)` chunks, largest first.
    ///
    /// # Errors
    /// [`DbErrorKind::Other`] when `args` is not a whole number of rows.
    pub fn chunks<'a, 'b>(
        &self,
        args: &'a [Arg<'b>],
    ) -> Result<Vec<(usize, &'a [Arg<'b>])>, DbError> {
        // An incomplete row is refused: it would shift each value after it into another column,
        // where the types may still fit.
        if self.columns == 0 || !args.len().is_multiple_of(self.columns) {
            let what = format!(
                "{} values do not fill whole rows of {} columns",
                args.len(),
                self.columns
            );
            return Err(DbError::new(DbErrorKind::Other, what));
        }

        let mut rest = args;
        let mut out = Vec::new();
        for rows in Self::CHUNKS {
            // The largest chunks come first, so that a full batch of a stage (64 records) is one
            // statement.
            while let Some((head, tail)) = rest.split_at_checked(rows * self.columns) {
                out.push((rows, head));
                rest = tail;
                if rest.is_empty() {
                    return Ok(out);
                }
            }
        }
        Ok(out)
    }
}

/// One value of a statement. `None` is a typed NULL (PostgreSQL has no untyped one).
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Arg<'a> {
    /// 64-bit signed integer.
    I64(Option<i64>),
    /// Boolean.
    Bool(Option<bool>),
    /// Text; a NUL in it is refused.
    Text(Option<&'a str>),
    /// Byte string.
    Blob(Option<&'a [u8]>),
}

impl Arg<'_> {
    /// An unsigned value that must fit i64, such as a time in milliseconds or an offset.
    ///
    /// # Errors
    /// [`DbErrorKind::Other`] above `i64::MAX`.
    pub fn u64(value: u64) -> Result<Arg<'static>, DbError> {
        match i64::try_from(value) {
            Ok(v) => Ok(Arg::I64(Some(v))),
            // A larger value is refused: if it wrapped around, another time or offset would be read
            // back without notice.
            Err(_) => Err(DbError::new(
                DbErrorKind::BadValue,
                format!("{value} does not fit a 64-bit column"),
            )),
        }
    }

    /// Refuses text that PostgreSQL cannot hold; adapters call it for every value.
    ///
    /// # Errors
    /// [`DbErrorKind::BadValue`] for text with a NUL.
    pub fn check(&self) -> Result<(), DbError> {
        match self {
            // NUL is refused on every engine, although only PostgreSQL cannot hold it: text that
            // works in development must work in production.
            Arg::Text(Some(text)) if text.contains('\0') => {
                Err(DbError::new(DbErrorKind::BadValue, "text holds a NUL"))
            }
            Arg::I64(_) | Arg::Bool(_) | Arg::Text(_) | Arg::Blob(_) => Ok(()),
        }
    }
}

/// Prints the type only, because values may be customer data or wrapped secrets.
impl fmt::Debug for Arg<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Arg::I64(_) => "I64(..)",
            Arg::Bool(_) => "Bool(..)",
            Arg::Text(_) => "Text(..)",
            Arg::Blob(_) => "Blob(..)",
        })
    }
}

macro_rules! arg_from {
    ($($type:ty => $variant:ident, $value:ident => $convert:expr;)*) => {$(
        impl<'a> From<$type> for Arg<'a> {
            fn from($value: $type) -> Self { Arg::$variant(Some($convert)) }
        }
        impl<'a> From<Option<$type>> for Arg<'a> {
            fn from(value: Option<$type>) -> Self { Arg::$variant(value.map(|$value| $convert)) }
        }
    )*};
}
arg_from! {
    i64 => I64, v => v;
    i32 => I64, v => i64::from(v);
    u32 => I64, v => i64::from(v);
    bool => Bool, v => v;
    &'a str => Text, v => v;
    &'a String => Text, v => v.as_str();
    &'a [u8] => Blob, v => v;
    &'a Vec<u8> => Blob, v => v.as_slice();
}
impl<'a, const N: usize> From<&'a [u8; N]> for Arg<'a> {
    fn from(value: &'a [u8; N]) -> Self {
        Arg::Blob(Some(value.as_slice()))
    }
}

/// Kind of a failure, as far as a caller can act on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DbErrorKind {
    /// A uniqueness, foreign-key, not-null or check constraint refused the change.
    #[error("constraint")]
    Constraint,
    /// A lock, a serialization failure or a deadlock; the caller runs the whole transaction again.
    #[error("busy")]
    Busy,
    /// The disk is full.
    #[error("disk full")]
    Full,
    /// The database file is damaged.
    #[error("corrupt")]
    Corrupt,
    /// The disk or the connection failed.
    #[error("input/output")]
    Io,
    /// An earlier statement of this transaction failed.
    #[error("poisoned transaction")]
    Poisoned,
    /// A value that no column holds: a text with a NUL, a number beyond 64 signed bits. It came from
    /// outside: code and tables agree.
    #[error("bad value")]
    BadValue,
    /// A column is missing or of another type than the code expects.
    #[error("type")]
    Type,
    /// The schema is not the one that this program needs.
    #[error("schema")]
    Schema,
    /// Anything else (bad SQL, wrong number of values).
    #[error("database")]
    Other,
}

/// A database error, private to logs. The detail is the adapter's or the engine's text; the source is
/// the engine's own error below it, where there is one: a result code, the operating system's answer.
/// Neither holds a value of the data, also not in `Debug`: of an engine's error that may hold one, the
/// adapter keeps the code alone.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{kind}: {detail}")]
pub struct DbError {
    kind: DbErrorKind,
    detail: String,
    #[source]
    source: Option<Arc<dyn Error + Send + Sync>>,
}

impl DbError {
    /// An error of this kind.
    pub fn new(kind: DbErrorKind, detail: impl Into<String>) -> Self {
        Self {
            kind,
            detail: detail.into(),
            source: None,
        }
    }

    /// The same error with the engine's own error as source.
    #[must_use]
    pub fn because(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.source = Some(Arc::from(source.into()));
        self
    }

    /// Kind of the failure, from which the caller decides what to do.
    #[must_use]
    pub fn kind(&self) -> DbErrorKind {
        self.kind
    }

    /// Whether running the whole transaction again, later, may succeed.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        // A full disk is transient, because an operator can free it without a restart of this
        // program.
        matches!(
            self.kind,
            DbErrorKind::Busy | DbErrorKind::Io | DbErrorKind::Full
        )
    }
}

/// Whether a statement that returned or changed `rows` rows has written. Adapters count commits
/// with it.
#[must_use]
pub fn writes(sql: &str, rows: u64) -> bool {
    // The statement's first word decides, not the method: an insert with `RETURNING` returns rows
    // as well.
    let select = sql
        .trim_start()
        .get(..6)
        .is_some_and(|word| word.eq_ignore_ascii_case("select"));
    rows > 0 && !select
}

/// Runs `work` in a transaction and commits; runs all of it again, up to `attempts_max` times in
/// all, while the database answers [`DbErrorKind::Busy`] (deadlock, serialization failure). `work`
/// must keep no state of a failed attempt.
///
/// # Errors
/// The last attempt's error.
pub fn transact<T>(
    db: &dyn Db,
    attempts_max: u32,
    mut work: impl FnMut(&mut dyn Tx) -> Result<T, DbError>,
) -> Result<T, DbError> {
    let mut attempt = 1;
    loop {
        let result = db.begin().and_then(|mut tx| {
            let value = work(tx.as_mut())?;
            tx.commit()?;
            Ok(value)
        });

        // Only `Busy` is tried again, because it surely changed nothing. After any other failed
        // commit the outcome is unknown, and another run might do the work twice.
        match result {
            Err(error) if error.kind() == DbErrorKind::Busy && attempt < attempts_max => {
                attempt += 1
            }
            done => return done,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic
    )]
    use super::*;

    #[test]
    fn bulk_text_numbers_every_value_once() {
        let bulk = Bulk {
            prefix: "INSERT INTO t (a, b) VALUES",
            columns: 2,
            suffix: "ON CONFLICT DO NOTHING",
        };
        assert_eq!(
            bulk.text(2),
            "INSERT INTO t (a, b) VALUES ($1, $2), ($3, $4) ON CONFLICT DO NOTHING"
        );
    }

    #[test]
    fn bulk_chunks_are_64_16_4_1_and_cover_everything() {
        let bulk = Bulk {
            prefix: "",
            columns: 2,
            suffix: "",
        };
        let args = vec![Arg::from(1i64); 2 * (64 + 64 + 16 + 4 + 1 + 1)];
        let rows: Vec<usize> = bulk.chunks(&args).unwrap().iter().map(|c| c.0).collect();
        assert_eq!(rows, [64, 64, 16, 4, 1, 1]);
        assert!(bulk.chunks(args.get(..3).unwrap()).is_err());
        assert!(bulk.chunks(&[]).unwrap().is_empty());
    }
}
