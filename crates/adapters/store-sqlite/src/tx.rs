//! One `BEGIN IMMEDIATE` transaction.

use std::sync::atomic::Ordering;
use std::sync::{MutexGuard, PoisonError};

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, params_from_iter};
use strongroom_ports::db::{Arg, Bulk, DbError, DbErrorKind, Row, Tx, Value, writes};

use crate::db::{Inner, SqliteDb};
use crate::error::map;
use crate::sql::numbered_parameters;

/// A transaction, which holds the connection until it ends.
pub(crate) struct SqliteTx<'a> {
    db: &'a SqliteDb,
    inner: MutexGuard<'a, Inner>,
    poisoned: bool,
    wrote: bool,
}

impl<'a> SqliteTx<'a> {
    pub(crate) fn begin(db: &'a SqliteDb) -> Result<Self, DbError> {
        let inner = db.inner.lock().unwrap_or_else(PoisonError::into_inner);

        // IMMEDIATE takes the write lock now, because a deferred transaction that reads first can
        // fail when it writes.
        inner
            .connection
            .execute_batch("BEGIN IMMEDIATE")
            .map_err(|e| map(&e))?;

        *db.owner.lock().unwrap_or_else(PoisonError::into_inner) =
            Some(std::thread::current().id());

        Ok(Self {
            db,
            inner,
            poisoned: false,
            wrote: false,
        })
    }

    /// Runs a migration's text.
    pub(crate) fn batch(&mut self, sql: &str) -> Result<(), DbError> {
        self.wrote = true;
        self.guard(|inner| inner.connection.execute_batch(sql).map_err(|e| map(&e)))
    }

    /// Runs one piece of work. After any failure it refuses all further work, as PostgreSQL does.
    fn guard<T>(
        &mut self,
        work: impl FnOnce(&mut Inner) -> Result<T, DbError>,
    ) -> Result<T, DbError> {
        if self.poisoned {
            return Err(DbError::new(
                DbErrorKind::Poisoned,
                "an earlier statement failed",
            ));
        }

        let result = work(&mut self.inner);
        self.poisoned = result.is_err();
        result
    }
}

impl Tx for SqliteTx<'_> {
    fn execute(&mut self, sql: &'static str, args: &[Arg<'_>]) -> Result<u64, DbError> {
        let changed = self.guard(|inner| {
            let (connection, text) = inner.text(sql);
            check(args)?;

            let mut statement = connection.prepare_cached(text).map_err(|e| map(&e))?;
            let changed = statement
                .execute(params_from_iter(args.iter().map(value)))
                .map_err(|e| map(&e))?;
            Ok(changed as u64)
        })?;

        self.wrote |= writes(sql, changed);
        Ok(changed)
    }

    fn query(&mut self, sql: &'static str, args: &[Arg<'_>]) -> Result<Vec<Row>, DbError> {
        let rows = self.guard(|inner| {
            let (connection, text) = inner.text(sql);
            rows(connection, text, args)
        })?;
        self.wrote |= writes(sql, rows.len() as u64);
        Ok(rows)
    }

    fn bulk(&mut self, bulk: &Bulk, args: &[Arg<'_>]) -> Result<Vec<Row>, DbError> {
        let all = self.guard(|inner| {
            let mut all = Vec::new();

            // Rows are inserted one per statement. Such a statement cannot fail half-way, so SQLite
            // keeps no copy of the pages that it changes; and without a server there are no round
            // trips to save.
            let text = numbered_parameters(&bulk.text(1));
            for (_, chunk) in bulk.chunks(args)? {
                for row in chunk.chunks(bulk.columns) {
                    all.append(&mut rows(&inner.connection, &text, row)?);
                }
            }
            Ok(all)
        })?;

        self.wrote |= !args.is_empty();
        Ok(all)
    }

    fn commit(mut self: Box<Self>) -> Result<(), DbError> {
        self.guard(|inner| {
            inner
                .connection
                .execute_batch("COMMIT")
                .map_err(|e| map(&e))
        })?;

        // A transaction that only reads writes nothing to disk, so it is not counted.
        if self.wrote {
            self.db.commits.fetch_add(1, Ordering::Relaxed);
        }
        Ok(())
    }
}

impl Drop for SqliteTx<'_> {
    fn drop(&mut self) {
        if !self.inner.connection.is_autocommit() {
            // A failed rollback leaves the transaction open. The next BEGIN then fails, and says
            // only that; the reason is known here alone.
            if let Err(error) = self.inner.connection.execute_batch("ROLLBACK") {
                let error: &dyn std::error::Error = &map(&error);
                tracing::error!(error, "a rollback failed: its transaction stays open");
            }
        }
        *self.db.owner.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

impl Inner {
    /// The rewritten text, from the cache. The address identifies the original text, because it is
    /// `'static`.
    fn text(&mut self, sql: &'static str) -> (&Connection, &str) {
        let key = (sql.as_ptr().addr(), sql.len());
        let text = self
            .texts
            .entry(key)
            .or_insert_with(|| numbered_parameters(sql));
        (&self.connection, text)
    }
}

/// Runs a query and reads all its rows.
fn rows(connection: &Connection, sql: &str, args: &[Arg<'_>]) -> Result<Vec<Row>, DbError> {
    check(args)?;

    let mut statement = connection.prepare_cached(sql).map_err(|e| map(&e))?;
    let columns = statement.column_count();

    let mut rows = statement
        .query(params_from_iter(args.iter().map(value)))
        .map_err(|e| map(&e))?;

    let mut out = Vec::new();
    while let Some(row) = rows.next().map_err(|e| map(&e))? {
        let mut values = Vec::with_capacity(columns);
        for column in 0..columns {
            values.push(match row.get_ref(column).map_err(|e| map(&e))? {
                ValueRef::Null => Value::Null,
                ValueRef::Integer(v) => Value::I64(v),
                // The port has no floats, because an amount must never become one.
                ValueRef::Real(_) => {
                    return Err(DbError::new(DbErrorKind::Type, "a column holds a float"));
                }
                ValueRef::Text(bytes) => Value::Text(text(bytes)?),
                ValueRef::Blob(bytes) => Value::Blob(bytes.to_vec()),
            });
        }
        out.push(Row::new(values));
    }
    Ok(out)
}

fn text(bytes: &[u8]) -> Result<String, DbError> {
    let text = std::str::from_utf8(bytes);
    text.map(str::to_owned)
        .map_err(|e| DbError::new(DbErrorKind::Type, "a text column is not UTF-8").because(e))
}

fn check(args: &[Arg<'_>]) -> Result<(), DbError> {
    args.iter().try_for_each(Arg::check)
}

fn value<'a>(arg: &Arg<'a>) -> ToSqlOutput<'a> {
    ToSqlOutput::Borrowed(match *arg {
        Arg::I64(Some(v)) => ValueRef::Integer(v),
        Arg::Bool(Some(v)) => ValueRef::Integer(v.into()),
        Arg::Text(Some(v)) => ValueRef::Text(v.as_bytes()),
        Arg::Blob(Some(v)) => ValueRef::Blob(v),
        Arg::I64(None) | Arg::Bool(None) | Arg::Text(None) | Arg::Blob(None) => ValueRef::Null,
    })
}
