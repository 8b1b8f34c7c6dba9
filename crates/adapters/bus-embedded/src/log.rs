//! The log on disk, with one row per record and one per topic.

use std::path::Path;
use std::sync::Arc;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OptionalExtension, params};
use strongroom_ports::bus::{BusError, Headers, Record, Topic};

/// Version of the file's layout.
const LAYOUT: i64 = 1;

const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS meta (layout INTEGER NOT NULL, incarnation BLOB NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS topics (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, oldest INTEGER NOT NULL, next INTEGER NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS records (
    topic INTEGER NOT NULL REFERENCES topics, at INTEGER NOT NULL, key BLOB NOT NULL, headers BLOB NOT NULL,
    payload BLOB NOT NULL, UNIQUE (topic, at)) STRICT;";

/// Row of a topic.
pub(crate) struct StoredTopic {
    pub(crate) topic: Topic,
    pub(crate) id: i64,
    pub(crate) oldest: u64,
    pub(crate) next: u64,
}

/// New records of one topic, in order.
pub(crate) struct Append {
    pub(crate) topic: Topic,
    pub(crate) id: i64,
    /// Whether the topic has no row yet and gets one with this append.
    pub(crate) created: bool,
    pub(crate) oldest: u64,
    pub(crate) next: u64,
    pub(crate) records: Vec<Arc<Record>>,
    /// Oldest offset to keep after this append.
    pub(crate) keep_from: u64,
}

/// Records of one topic to read.
#[derive(Clone, Copy)]
pub(crate) struct Span<'a> {
    pub(crate) topic: &'a Topic,
    /// Offset of the first record to read.
    pub(crate) from: u64,
    /// Largest number of records.
    pub(crate) max: usize,
}

/// One connection to the file.
pub(crate) struct Log {
    connection: Connection,
}

impl Log {
    pub(crate) fn open(path: &Path) -> Result<Self, BusError> {
        let connection = Connection::open(path).map_err(map)?;
        let mode: String = connection
            .query_row("PRAGMA journal_mode=WAL", [], |row| row.get(0))
            .map_err(map)?;

        // WAL is required, because in any other mode a reader would block the writer.
        if mode != "wal" {
            return Err(BusError::Io(format!("journal mode is {mode}, not wal")));
        }

        Self::prepare(connection)
    }

    pub(crate) fn open_in_memory() -> Result<Self, BusError> {
        Self::prepare(Connection::open_in_memory().map_err(map)?)
    }

    fn prepare(connection: Connection) -> Result<Self, BusError> {
        connection
            .busy_timeout(std::time::Duration::from_secs(5))
            .map_err(map)?;

        // Without this setting SQLite would prepare a fetch again each time, because its `LIMIT` is
        // a parameter.
        connection
            .set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)
            .map_err(map)?;

        // `synchronous` is FULL, because a publish must return only when its records are durable:
        // in WAL mode any lower setting can lose the last commits in a power failure.
        connection.set_prepared_statement_cache_capacity(32);
        connection
            .execute_batch(
                "PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; PRAGMA trusted_schema=OFF;",
            )
            .map_err(map)?;
        Ok(Self { connection })
    }

    /// Makes the tables if they are missing. Returns the log's incarnation and topics.
    pub(crate) fn load(
        &self,
        new_incarnation: [u8; 16],
    ) -> Result<([u8; 16], Vec<StoredTopic>), BusError> {
        // The whole file is checked: a damaged page would otherwise be found later, as a gap in the
        // middle of a stream.
        let check: String = self
            .connection
            .query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))
            .map_err(map)?;
        if check != "ok" {
            return Err(BusError::Corrupt(check));
        }

        // The transaction is IMMEDIATE, so that two processes that create the same file get one
        // incarnation.
        self.connection
            .execute_batch(&format!("BEGIN IMMEDIATE; {SCHEMA}"))
            .map_err(map)?;
        let meta = self
            .connection
            .query_row("SELECT layout, incarnation FROM meta", [], |row| {
                Ok((row.get::<_, i64>(0)?, row.get::<_, [u8; 16]>(1)?))
            });

        let incarnation = match meta.optional().map_err(map)? {
            Some((LAYOUT, incarnation)) => incarnation,
            Some((other, _)) => {
                return Err(BusError::Corrupt(format!("layout {other} is unknown")));
            }
            None => {
                let sql = "INSERT INTO meta (layout, incarnation) VALUES (?1, ?2)";
                self.connection
                    .execute(sql, params![LAYOUT, new_incarnation])
                    .map_err(map)?;
                new_incarnation
            }
        };

        self.connection.execute_batch("COMMIT").map_err(map)?;
        let mut statement = self
            .connection
            .prepare("SELECT name, id, oldest, next FROM topics")
            .map_err(map)?;

        let rows = statement
            .query_map([], |row| {
                Ok((
                    row.get::<_, String>(0)?,
                    row.get(1)?,
                    row.get::<_, i64>(2)?,
                    row.get::<_, i64>(3)?,
                ))
            })
            .map_err(map)?;

        let mut topics = Vec::new();
        for row in rows {
            let (name, id, oldest, next) = row.map_err(map)?;
            let topic = Topic::new(&name).map_err(|e| BusError::Corrupt(e.to_string()))?;
            topics.push(StoredTopic {
                topic,
                id,
                oldest: unsigned(oldest)?,
                next: unsigned(next)?,
            });
        }

        Ok((incarnation, topics))
    }

    /// Writes everything in one durable commit, or nothing.
    pub(crate) fn append(&mut self, appends: &[Append]) -> Result<(), AppendError> {
        let tx = self
            .connection
            .transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)
            .map_err(AppendError::nothing)?;

        for append in appends {
            write(&tx, append)?;
        }

        tx.commit().map_err(AppendError::unknown)
    }

    /// Records of one topic from `from` on, in order and without a gap.
    pub(crate) fn read(&self, id: i64, span: Span<'_>) -> Result<Vec<Record>, BusError> {
        let Span { topic, from, max } = span;
        let sql = "SELECT at, key, headers, payload FROM records WHERE topic = ?1 AND at >= ?2 ORDER BY at LIMIT ?3";
        let mut statement = self.connection.prepare_cached(sql).map_err(map)?;
        let limit = i64::try_from(max).unwrap_or(i64::MAX);
        let mut rows = statement
            .query(params![id, signed(from)?, limit])
            .map_err(map)?;

        let mut out = Vec::new();
        while let Some(row) = rows.next().map_err(map)? {
            let at = unsigned(row.get(0).map_err(map)?)?;

            // A gap means that retention ran between the look-up and this read. The next fetch
            // reports the lost position.
            if at != from + out.len() as u64 {
                break;
            }

            let headers: Vec<u8> = row.get(2).map_err(map)?;
            let headers: Headers = borsh::from_slice(&headers)
                .map_err(|e| BusError::Corrupt(format!("headers of {topic} {at}: {e}")))?;
            let (key, payload) = (row.get(1).map_err(map)?, row.get(3).map_err(map)?);

            out.push(Record {
                topic: topic.clone(),
                key,
                headers,
                payload,
            });
        }

        Ok(out)
    }
}

/// Writes one topic's row and records.
fn write(tx: &rusqlite::Transaction<'_>, append: &Append) -> Result<(), AppendError> {
    let after = append.next + append.records.len() as u64;
    let sql = if append.created {
        "INSERT INTO topics (oldest, next, id, name) SELECT ?1, ?2, ?3, ?4 WHERE ?5 = 0"
    } else {
        // The condition on `next` stops a second process that has the same file open.
        "UPDATE topics SET oldest = ?1, next = ?2 WHERE id = ?3 AND name = ?4 AND next = ?5"
    };

    let changed = tx
        .prepare_cached(sql)
        .and_then(|mut s| {
            s.execute(params![
                i64::try_from(append.keep_from).unwrap_or(i64::MAX),
                i64::try_from(after).unwrap_or(i64::MAX),
                append.id,
                append.topic.as_str(),
                i64::try_from(append.next).unwrap_or(i64::MAX),
            ])
        })
        .map_err(AppendError::nothing)?;

    if changed != 1 {
        return Err(AppendError {
            error: BusError::Io("another process writes this log".into()),
            lost: true,
        });
    }

    let mut insert = tx
        .prepare_cached(
            "INSERT INTO records (topic, at, key, headers, payload) VALUES (?1, ?2, ?3, ?4, ?5)",
        )
        .map_err(AppendError::nothing)?;

    for (at, record) in (append.next..).zip(&append.records) {
        let headers = borsh::to_vec(&record.headers).map_err(|e| AppendError {
            error: BusError::Io(e.to_string()),
            lost: false,
        })?;
        let at = i64::try_from(at).unwrap_or(i64::MAX);
        insert
            .execute(params![append.id, at, record.key, headers, record.payload])
            .map_err(AppendError::nothing)?;
    }

    if append.keep_from > append.oldest {
        tx.prepare_cached("DELETE FROM records WHERE topic = ?1 AND at < ?2")
            .and_then(|mut s| {
                s.execute(params![
                    append.id,
                    i64::try_from(append.keep_from).unwrap_or(0)
                ])
            })
            .map_err(AppendError::nothing)?;
    }
    Ok(())
}

/// A failed append.
pub(crate) struct AppendError {
    pub(crate) error: BusError,
    /// Whether memory and file may now disagree, so that the log must be opened again.
    pub(crate) lost: bool,
}

impl AppendError {
    /// The error of a statement, after which the transaction rolls back. A full disk or a lock
    /// changes nothing; after any other failure the rollback is not certain.
    fn nothing(error: rusqlite::Error) -> Self {
        let full =
            matches!(&error, rusqlite::Error::SqliteFailure(f, _) if f.code == ErrorCode::DiskFull);
        let busy = matches!(&error, rusqlite::Error::SqliteFailure(f, _) if f.code == ErrorCode::DatabaseBusy);

        Self {
            error: map(error),
            lost: !full && !busy,
        }
    }

    /// The error of a commit. Except on a full disk the commit may have reached the file all the
    /// same.
    fn unknown(error: rusqlite::Error) -> Self {
        let full =
            matches!(&error, rusqlite::Error::SqliteFailure(f, _) if f.code == ErrorCode::DiskFull);

        Self {
            error: map(error),
            lost: !full,
        }
    }
}

#[expect(clippy::needless_pass_by_value, reason = "used as map_err(map)")]
fn map(error: rusqlite::Error) -> BusError {
    match &error {
        rusqlite::Error::SqliteFailure(failure, _)
            if matches!(
                failure.code,
                ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase
            ) =>
        {
            BusError::Corrupt(error.to_string())
        }
        _ => BusError::Io(error.to_string()),
    }
}

fn signed(value: u64) -> Result<i64, BusError> {
    i64::try_from(value).map_err(|_| BusError::Io(format!("offset {value} is beyond any log")))
}

fn unsigned(value: i64) -> Result<u64, BusError> {
    u64::try_from(value).map_err(|_| BusError::Corrupt(format!("negative offset {value}")))
}
