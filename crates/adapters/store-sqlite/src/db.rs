//! The database: opening, snapshots, migrations and the commit counter.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread::ThreadId;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, MAIN_DB};
use strongroom_ports::db::{
    Db, DbError, DbErrorKind, Migration, SCHEMA_VERSION, Tx, applied, pending, refuse_foreign,
};

use crate::error::map;
use crate::sql::WORDS;
use crate::tx::SqliteTx;

/// Longest wait for another process that holds the file. Threads of this process wait at the mutex.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// Number of prepared statements that are kept; one service has fewer distinct ones.
const STATEMENTS_MAX: usize = 256;

/// One SQLite database, with one connection behind a mutex: a service is a single-threaded state
/// machine, and SQLite allows one writer at a time.
pub struct SqliteDb {
    pub(crate) inner: Mutex<Inner>,
    pub(crate) commits: AtomicU64,
    /// The thread that holds a transaction, so that a nested `begin` is an error instead of a
    /// deadlock.
    pub(crate) owner: Mutex<Option<ThreadId>>,
}

/// The connection and its statements.
pub(crate) struct Inner {
    pub(crate) connection: Connection,
    /// Statements rewritten for SQLite, by address and length of the original text.
    pub(crate) texts: BTreeMap<(usize, usize), String>,
}

impl SqliteDb {
    /// Opens or creates the file and checks all of it.
    ///
    /// # Errors
    /// [`DbErrorKind::Corrupt`] with SQLite's first finding when the file is damaged,
    /// [`DbErrorKind::Schema`] when it belongs to another program (nothing in it is changed then),
    /// [`DbErrorKind::Io`] when it cannot be opened.
    pub fn open(path: &Path) -> Result<Self, DbError> {
        let connection = Connection::open(path).map_err(|e| map(&e))?;

        // The check is before the first write: setting the journal mode already changes the file's
        // header.
        check_ours(&connection)?;

        let mode: String = connection
            .query_row("PRAGMA journal_mode=WAL", [], |row| row.get(0))
            .map_err(|e| map(&e))?;

        // SQLite answers with the mode that it could set: some file systems have no shared memory
        // for WAL.
        if mode != "wal" {
            return Err(DbError::new(
                DbErrorKind::Io,
                format!("journal mode is {mode}, not wal"),
            ));
        }

        Self::from_connection(connection)
    }

    /// An empty database in memory, for simulation.
    ///
    /// # Errors
    /// An error when memory is exhausted.
    pub fn open_in_memory() -> Result<Self, DbError> {
        Self::from_connection(Connection::open_in_memory().map_err(|e| map(&e))?)
    }

    /// A database in memory with the content of a [`Self::snapshot`], like a disk at that moment.
    ///
    /// # Errors
    /// [`DbErrorKind::Corrupt`] when the bytes are not a sound database.
    pub fn from_snapshot(bytes: &[u8]) -> Result<Self, DbError> {
        let mut connection = Connection::open_in_memory().map_err(|e| map(&e))?;
        load(&mut connection, bytes)?;
        Self::from_connection(connection)
    }

    /// Everything that was committed so far, as the bytes of one database file.
    ///
    /// # Errors
    /// The error of a nested transaction, when this thread holds a transaction.
    pub fn snapshot(&self) -> Result<Vec<u8>, DbError> {
        self.refuse_nesting()?;
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);

        let data = inner.connection.serialize(MAIN_DB).map_err(|e| map(&e))?;
        Ok(data.to_vec())
    }

    /// Replaces the content with a [`Self::snapshot`], as when an operator restores a backup. It
    /// works for databases in memory only; services on this database must be rebuilt.
    ///
    /// # Errors
    /// As [`Self::from_snapshot`].
    pub fn restore_from(&self, bytes: &[u8]) -> Result<(), DbError> {
        self.refuse_nesting()?;

        // The snapshot is checked before it replaces the content, so that a damaged one changes
        // nothing.
        let restored = Self::from_snapshot(bytes)?;

        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        // A file may have other connections, which would continue with the old content.
        if inner.connection.path().is_some_and(|path| !path.is_empty()) {
            return Err(DbError::new(
                DbErrorKind::Other,
                "only a database in memory is restored in place",
            ));
        }

        *inner = restored
            .inner
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        Ok(())
    }

    fn from_connection(connection: Connection) -> Result<Self, DbError> {
        connection.busy_timeout(BUSY_TIMEOUT).map_err(|e| map(&e))?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
        connection
            .execute_batch(
                "PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; PRAGMA trusted_schema=OFF;
                 PRAGMA cell_size_check=ON;",
            )
            .map_err(|e| map(&e))?;

        // The setting makes a query plan depend on its statement alone. Without it, SQLite prepares
        // a statement again whenever a parameter is bound that its plan could use, such as each
        // `LIMIT $n`.
        connection
            .set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)
            .map_err(|e| map(&e))?;

        // A statement's undo data stays in memory instead of a temporary file. Pages that change
        // with every commit are copied from the log to the file once in 16 MiB instead of 4, and
        // are read from memory.
        connection
            .execute_batch(
                "PRAGMA temp_store=MEMORY; PRAGMA wal_autocheckpoint=4096; PRAGMA cache_size=-16384;",
            )
            .map_err(|e| map(&e))?;

        // The whole file is checked at each start, so that a damaged page is not first noticed by a
        // payment that needs it.
        let finding: String = connection
            .query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))
            .map_err(|e| map(&e))?;
        if finding != "ok" {
            return Err(DbError::new(
                DbErrorKind::Corrupt,
                format!("integrity check: {finding}"),
            ));
        }

        Ok(Self {
            inner: Mutex::new(Inner {
                connection,
                texts: BTreeMap::new(),
            }),
            commits: AtomicU64::new(0),
            owner: Mutex::new(None),
        })
    }

    fn refuse_nesting(&self) -> Result<(), DbError> {
        let owner = *self.owner.lock().unwrap_or_else(PoisonError::into_inner);

        // The mutex is not reentrant: the thread would wait for itself without end.
        if owner == Some(std::thread::current().id()) {
            return Err(DbError::new(
                DbErrorKind::Other,
                "this thread already holds a transaction",
            ));
        }
        Ok(())
    }
}

impl Db for SqliteDb {
    fn begin(&self) -> Result<Box<dyn Tx + '_>, DbError> {
        self.refuse_nesting()?;
        Ok(Box::new(SqliteTx::begin(self)?))
    }

    fn migrate(&self, migrations: &[Migration]) -> Result<(), DbError> {
        self.refuse_nesting()?;
        // All migrations are one transaction, so that a failed migration leaves the schema as it
        // was.
        let mut tx = SqliteTx::begin(self)?;
        tx.batch(&SCHEMA_VERSION.render(&WORDS)?)?;

        // The applied texts are compared, so that a migration that was edited after its release
        // stops the start.
        for migration in pending(migrations, &applied(&mut tx)?)? {
            tx.batch(&migration.render(&WORDS)?)?;
            tx.execute(
                "INSERT INTO schema_version (component, version, sql) VALUES ($1, $2, $3)",
                &[
                    migration.component.into(),
                    migration.version.into(),
                    migration.sql.into(),
                ],
            )?;
        }

        Box::new(tx).commit()
    }

    fn commits(&self) -> u64 {
        self.commits.load(Ordering::Relaxed)
    }
}

/// Numbers of relations and of columns for [`refuse_foreign`].
const CONTENT: &str = "SELECT (SELECT COUNT(*) FROM sqlite_master),
    (SELECT COUNT(*) FROM pragma_table_info('schema_version')
     WHERE name IN ('component', 'version', 'sql'))";

/// Refuses the file of another program, which must not get this program's tables.
fn check_ours(connection: &Connection) -> Result<(), DbError> {
    let content = connection.query_row(CONTENT, [], |row| Ok((row.get(0)?, row.get(1)?)));
    let (relations, columns) = content.map_err(|e| map(&e))?;
    refuse_foreign(relations, columns)
}

fn load(connection: &mut Connection, bytes: &[u8]) -> Result<(), DbError> {
    let mut bytes = bytes.to_vec();
    // Bytes 18 and 19 of the header say 2 for WAL, which a database in memory cannot open; 1 is
    // rollback (SQLite file format §1.3.3).
    if let Some(versions) = bytes.get_mut(18..20) {
        versions.fill(1);
    }

    let len = bytes.len();
    connection
        .deserialize_read_exact(MAIN_DB, bytes.as_slice(), len, false)
        .map_err(|e| map(&e))
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

    const TABLE: Migration = Migration {
        component: "t",
        version: 1,
        sql: "CREATE TABLE t (a {i64} PRIMARY KEY, b {blob}) {strict};",
    };

    fn insert(db: &SqliteDb, a: i64, len: usize) -> Result<(), DbError> {
        let mut tx = db.begin()?;
        tx.execute(
            "INSERT INTO t (a, b) VALUES ($1, $2)",
            &[a.into(), (&vec![7u8; len]).into()],
        )?;
        tx.commit()
    }

    fn count(db: &SqliteDb) -> i64 {
        db.begin()
            .unwrap()
            .query("SELECT COUNT(*) FROM t", &[])
            .unwrap()[0]
            .i64(0)
            .unwrap()
    }

    #[test]
    fn a_file_database_is_wal_with_full_sync_and_survives_reopening() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.db");
        let db = SqliteDb::open(&path).unwrap();
        db.migrate(&[TABLE]).unwrap();
        insert(&db, 1, 10).unwrap();
        {
            let inner = db.inner.lock().unwrap();
            let pragma = |name: &str| -> String {
                let value: rusqlite::types::Value = inner
                    .connection
                    .query_row(&format!("PRAGMA {name}"), [], |r| r.get(0))
                    .unwrap();
                format!("{value:?}")
            };
            assert_eq!(pragma("journal_mode"), "Text(\"wal\")");
            assert_eq!(pragma("synchronous"), "Integer(2)");
        }
        drop(db);
        assert_eq!(count(&SqliteDb::open(&path).unwrap()), 1);
    }

    #[test]
    fn a_damaged_file_is_corrupt_at_open() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.db");
        let db = SqliteDb::open(&path).unwrap();
        db.migrate(&[TABLE]).unwrap();
        for a in 0..50 {
            insert(&db, a, 2000).unwrap();
        }
        drop(db);
        let mut bytes = std::fs::read(&path).unwrap();
        let middle = bytes.len() / 2 / 4096 * 4096;
        bytes[middle..middle + 4096].fill(0xff);
        std::fs::write(&path, &bytes).unwrap();
        assert_eq!(
            SqliteDb::open(&path).err().unwrap().kind(),
            DbErrorKind::Corrupt
        );
        std::fs::write(
            &path,
            b"this is no database, whatever its name says, and it is long enough",
        )
        .unwrap();
        assert_eq!(
            SqliteDb::open(&path).err().unwrap().kind(),
            DbErrorKind::Corrupt
        );
    }

    #[test]
    fn a_file_of_another_program_is_refused_and_left_as_it_is() {
        for sql in [
            "CREATE TABLE notes (a INTEGER)",
            "CREATE VIEW v AS SELECT 1",
            "CREATE TABLE schema_version (version INTEGER)",
            "PRAGMA journal_mode=WAL; CREATE TABLE notes (a INTEGER)",
        ] {
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join("a.db");
            let theirs = Connection::open(&path).unwrap();
            theirs.execute_batch(sql).unwrap();
            drop(theirs);

            let before = std::fs::read(&path).unwrap();
            let error = SqliteDb::open(&path).err().unwrap();
            assert_eq!(error.kind(), DbErrorKind::Schema, "{sql}");
            assert!(error.to_string().contains("another program"), "{error}");
            assert!(std::fs::read(&path).unwrap() == before, "touched: {sql}");
            assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1, "{sql}");
        }
    }

    #[test]
    fn an_empty_file_and_one_of_ours_are_opened() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.db");
        std::fs::write(&path, []).unwrap();
        for _ in ["empty", "ours"] {
            SqliteDb::open(&path).unwrap().migrate(&[TABLE]).unwrap();
        }
    }

    #[test]
    fn a_full_disk_is_reported_and_nothing_is_half_done() {
        let db = SqliteDb::open_in_memory().unwrap();
        db.migrate(&[TABLE]).unwrap();
        db.inner
            .lock()
            .unwrap()
            .connection
            .execute_batch("PRAGMA max_page_count=20")
            .unwrap();
        let mut stored = 0;
        let error = loop {
            match insert(&db, stored, 10_000) {
                Ok(()) => stored += 1,
                Err(error) => break error,
            }
        };
        assert_eq!(error.kind(), DbErrorKind::Full);
        assert!(error.is_transient());
        assert_eq!(count(&db), stored);
    }

    #[test]
    fn a_statement_is_prepared_once_whatever_its_limit() {
        use rusqlite::StatementStatus;

        let db = SqliteDb::open_in_memory().unwrap();
        db.migrate(&[TABLE]).unwrap();
        let sql = "SELECT a FROM t WHERE a > $1 ORDER BY a LIMIT $2";
        for limit in [1_i64, 2, 3] {
            let args = [0_i64.into(), limit.into()];
            db.begin().unwrap().query(sql, &args).unwrap();
        }

        let inner = db.inner.lock().unwrap();
        let text = crate::sql::numbered_parameters(sql);
        let statement = inner.connection.prepare_cached(&text).unwrap();
        assert_eq!(statement.get_status(StatementStatus::Run), 3);
        assert_eq!(statement.get_status(StatementStatus::RePrepare), 0);
    }

    #[test]
    fn a_snapshot_restores_exactly_what_was_committed() {
        let dir = tempfile::tempdir().unwrap();
        let db = SqliteDb::open(&dir.path().join("a.db")).unwrap();
        db.migrate(&[TABLE]).unwrap();
        insert(&db, 1, 1).unwrap();
        let snapshot = db.snapshot().unwrap();
        insert(&db, 2, 1).unwrap();
        let restored = SqliteDb::from_snapshot(&snapshot).unwrap();
        assert_eq!((count(&db), count(&restored)), (2, 1));
        insert(&restored, 3, 1).unwrap();
        restored.restore_from(&snapshot).unwrap();
        assert_eq!(count(&restored), 1);
        assert!(db.restore_from(&snapshot).is_err());
        assert!(SqliteDb::from_snapshot(&snapshot[..snapshot.len() / 2]).is_err());
    }
}
