//! One transaction on one connection.

use std::sync::atomic::Ordering;

use sqlx::postgres::{PgArguments, PgRow};
use sqlx::query::Query;
use sqlx::{
    AssertSqlSafe, Column as _, Executor as _, PgConnection, Postgres, Row as _, TypeInfo as _,
};
use strongroom_ports::db::{Arg, Bulk, DbError, DbErrorKind, Row, Tx, Value, writes};

use crate::db::PostgresDb;
use crate::error::map;

/// A transaction, which holds its connection until it ends.
pub(crate) struct PostgresTx<'a> {
    db: &'a PostgresDb,
    /// `None` after the commit.
    connection: Option<PgConnection>,
    poisoned: bool,
    wrote: bool,
}

impl<'a> PostgresTx<'a> {
    pub(crate) fn begin(db: &'a PostgresDb) -> Result<Self, DbError> {
        db.claim()?;
        let connection = open(db).inspect_err(|_| db.release())?;
        Ok(Self {
            db,
            connection: Some(connection),
            poisoned: false,
            wrote: false,
        })
    }

    /// Takes the lock by which only one process at a time changes the schema.
    pub(crate) fn lock_schema(&mut self) -> Result<(), DbError> {
        // The lock's number is "strongro" as bytes; it is released at the end of the transaction.
        self.execute("SELECT pg_advisory_xact_lock(8319395793566789231)", &[])
            .map(|_| ())
    }

    /// Runs the text of a migration, which may be several statements.
    pub(crate) fn batch(&mut self, sql: String) -> Result<(), DbError> {
        self.wrote = true;
        self.guard(|db, connection| {
            let work = connection.execute(sqlx::raw_sql(AssertSqlSafe(sql)));
            db.connections
                .runtime
                .block_on(work)
                .map(|_| ())
                .map_err(map)
        })
    }

    /// Runs one piece of work. After a failure PostgreSQL refuses every statement except `COMMIT`,
    /// which it turns into a rollback and reports as a success; this refuses `COMMIT` too.
    fn guard<T>(
        &mut self,
        work: impl FnOnce(&PostgresDb, &mut PgConnection) -> Result<T, DbError>,
    ) -> Result<T, DbError> {
        let connection = self.connection.as_mut().filter(|_| !self.poisoned);
        let Some(connection) = connection else {
            return Err(DbError::new(
                DbErrorKind::Poisoned,
                "an earlier statement failed",
            ));
        };

        let result = work(self.db, connection);
        self.poisoned = result.is_err();
        result
    }
}

/// A connection on which a transaction has begun. If an idle connection turns out to be dead, a new
/// one is tried.
fn open(db: &PostgresDb) -> Result<PgConnection, DbError> {
    loop {
        let (mut connection, is_new) = db.connections.take()?;
        match db.connections.runtime.block_on(connection.execute("BEGIN")) {
            Ok(_) => return Ok(connection),
            Err(error) => {
                discard(db, connection);
                let error = map(error);

                // An error on a new connection is the server's state and is returned; an idle
                // connection may only have died.
                if is_new || error.kind() != DbErrorKind::Io {
                    return Err(error);
                }

                // The server went away, so the other idle connections are dead too and are dropped.
                db.connections.forget_idle();
            }
        }
    }
}

/// Closes a connection within its runtime and frees its place in the pool.
fn discard(db: &PostgresDb, connection: PgConnection) {
    let _context = db.connections.runtime.enter();
    drop(connection);
    db.connections.lost();
}

impl Tx for PostgresTx<'_> {
    fn execute(&mut self, sql: &'static str, args: &[Arg<'_>]) -> Result<u64, DbError> {
        let changed = self.guard(|db, connection| {
            let work = connection.execute(bind(sqlx::query(sql), args)?);
            Ok(db
                .connections
                .runtime
                .block_on(work)
                .map_err(map)?
                .rows_affected())
        })?;

        self.wrote |= writes(sql, changed);
        Ok(changed)
    }

    fn query(&mut self, sql: &'static str, args: &[Arg<'_>]) -> Result<Vec<Row>, DbError> {
        let rows = self.guard(|db, connection| {
            let work = connection.fetch_all(bind(sqlx::query(sql), args)?);
            let rows = db.connections.runtime.block_on(work).map_err(map)?;
            rows.iter().map(row).collect::<Result<Vec<Row>, DbError>>()
        })?;

        self.wrote |= writes(sql, rows.len() as u64);
        Ok(rows)
    }

    fn bulk(&mut self, bulk: &Bulk, args: &[Arg<'_>]) -> Result<Vec<Row>, DbError> {
        let all = self.guard(|db, connection| {
            let mut all = Vec::new();
            for (count, chunk) in bulk.chunks(args)? {
                // The text is safe: it has only the bulk's static parts and numbers.
                let query = bind(sqlx::query(AssertSqlSafe(bulk.text(count))), chunk)?;
                let rows = db.connections.runtime.block_on(connection.fetch_all(query));
                for found in &rows.map_err(map)? {
                    all.push(row(found)?);
                }
            }
            Ok(all)
        })?;

        self.wrote |= !args.is_empty();
        Ok(all)
    }

    fn commit(mut self: Box<Self>) -> Result<(), DbError> {
        self.guard(|db, connection| {
            let work = connection.execute("COMMIT");
            db.connections
                .runtime
                .block_on(work)
                .map(|_| ())
                .map_err(map)
        })?;

        if let Some(connection) = self.connection.take() {
            self.db.connections.give_back(connection);
        }

        if self.wrote {
            self.db.commits.fetch_add(1, Ordering::Relaxed);
        }
        Ok(())
    }
}

impl Drop for PostgresTx<'_> {
    fn drop(&mut self) {
        if let Some(mut connection) = self.connection.take() {
            match self
                .db
                .connections
                .runtime
                .block_on(connection.execute("ROLLBACK"))
            {
                // A connection returns to the pool only after its rollback; otherwise the next user
                // would inherit its locks.
                Ok(_) => self.db.connections.give_back(connection),
                Err(error) => {
                    let error: &dyn std::error::Error = &map(error);
                    tracing::warn!(error, "a rollback failed: its connection is closed");
                    discard(self.db, connection);
                }
            }
        }
        self.db.release();
    }
}

/// A statement with its bound arguments.
type Statement<'q> = Query<'q, Postgres, PgArguments>;

fn bind<'q>(mut query: Statement<'q>, args: &[Arg<'_>]) -> Result<Statement<'q>, DbError> {
    for arg in args {
        arg.check()?;
        query = match *arg {
            Arg::I64(v) => query.bind(v),
            Arg::Bool(v) => query.bind(v),
            Arg::Text(v) => query.bind(v.map(str::to_owned)),
            Arg::Blob(v) => query.bind(v.map(<[u8]>::to_vec)),
        };
    }
    Ok(query)
}

fn row(row: &PgRow) -> Result<Row, DbError> {
    let mut values = Vec::with_capacity(row.len());
    for (i, column) in row.columns().iter().enumerate() {
        values.push(match column.type_info().name() {
            "INT8" => value(row.try_get(i), Value::I64)?,
            "INT4" => value(row.try_get(i), |v: i32| Value::I64(v.into()))?,
            "BOOL" => value(row.try_get(i), Value::Bool)?,
            "TEXT" | "VARCHAR" | "NAME" => value(row.try_get(i), Value::Text)?,
            "BYTEA" => value(row.try_get(i), Value::Blob)?,
            // Other types are refused, because a silent conversion of `NUMERIC` or a time would
            // lose digits.
            other => {
                let what = format!(
                    "column {} is {other}: cast it to one of the four types",
                    column.name()
                );
                return Err(DbError::new(DbErrorKind::Type, what));
            }
        });
    }
    Ok(Row::new(values))
}

fn value<T>(
    found: Result<Option<T>, sqlx::Error>,
    make: impl FnOnce(T) -> Value,
) -> Result<Value, DbError> {
    Ok(found.map_err(map)?.map_or(Value::Null, make))
}
