//! The database: connecting, migrations and the commit counter.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::ThreadId;

use strongroom_ports::db::{
    Db, DbError, DbErrorKind, Migration, SCHEMA_VERSION, Tx, TypeWords, applied, pending,
    refuse_foreign,
};

use crate::connect::{Connections, PostgresOptions};
use crate::tx::PostgresTx;

/// Type words of a migration. Collation "C" sorts by bytes, as SQLite does.
const WORDS: TypeWords = TypeWords {
    i64: "BIGINT",
    bool: "BOOLEAN",
    text: "TEXT COLLATE \"C\"",
    blob: "BYTEA",
    identity: "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY",
    strict: "",
    strict_by_key: "",
};

/// Numbers of relations and of columns for [`refuse_foreign`], in the schema of this connection.
const CONTENT: &str = "SELECT (SELECT COUNT(*) FROM pg_class
         WHERE relnamespace = CAST(CAST(current_schema() AS TEXT) AS regnamespace)),
        (SELECT COUNT(*) FROM pg_attribute WHERE attrelid = to_regclass('schema_version')
         AND attname IN ('component', 'version', 'sql'))";

/// One service's schema in a PostgreSQL database. Share it behind an `Arc`.
pub struct PostgresDb {
    pub(crate) connections: Connections,
    pub(crate) commits: AtomicU64,
    /// Threads that hold a transaction, so that a nested `begin` is an error, as on SQLite.
    owners: Mutex<Vec<ThreadId>>,
}

impl PostgresDb {
    /// Connects, and creates the schema when it is missing.
    ///
    /// # Errors
    /// A bad URL or schema name, a remote server without verified TLS, no connection, or
    /// [`DbErrorKind::Schema`] when the schema belongs to another program (nothing in it is changed
    /// then).
    pub fn connect(options: &PostgresOptions) -> Result<Self, DbError> {
        let db = Self {
            connections: Connections::new(options)?,
            commits: AtomicU64::new(0),
            owners: Mutex::new(Vec::new()),
        };

        let mut tx = PostgresTx::begin(&db)?;
        // The lock is taken first: two services that start at once would both create the schema,
        // and one of them would fail.
        tx.lock_schema()?;
        tx.batch(format!("CREATE SCHEMA IF NOT EXISTS {}", options.schema))?;

        if let Some(row) = tx.query_opt(CONTENT, &[])? {
            refuse_foreign(row.i64(0)?, row.i64(1)?)?;
        }
        Box::new(tx).commit()?;

        Ok(db)
    }

    pub(crate) fn owners(&self) -> MutexGuard<'_, Vec<ThreadId>> {
        self.owners.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Db for PostgresDb {
    fn begin(&self) -> Result<Box<dyn Tx + '_>, DbError> {
        Ok(Box::new(PostgresTx::begin(self)?))
    }

    fn migrate(&self, migrations: &[Migration]) -> Result<(), DbError> {
        let mut tx = PostgresTx::begin(self)?;
        // The lock keeps two processes of one service from both applying a migration.
        tx.lock_schema()?;
        tx.batch(SCHEMA_VERSION.render(&WORDS)?)?;

        // The applied texts are compared, so that a migration that was edited after its release
        // stops the start.
        for migration in pending(migrations, &applied(&mut tx)?)? {
            tx.batch(migration.render(&WORDS)?)?;
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

impl PostgresDb {
    /// Notes that this thread holds a transaction.
    pub(crate) fn claim(&self) -> Result<(), DbError> {
        let me = std::thread::current().id();
        let mut owners = self.owners();

        // A nested transaction is refused: the thread would wait for its own locks until the
        // time-out.
        if owners.contains(&me) {
            return Err(DbError::new(
                DbErrorKind::Other,
                "this thread already holds a transaction",
            ));
        }

        owners.push(me);
        Ok(())
    }

    /// Notes that this thread's transaction has ended.
    pub(crate) fn release(&self) {
        let me = std::thread::current().id();
        self.owners().retain(|owner| *owner != me);
    }
}
