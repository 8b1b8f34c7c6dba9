//! Transactions that a stage gets: [`Watch`] for ticks, [`NoTx`] for stateless stages.

use strongroom_ports::db::{Arg, Bulk, DbError, DbErrorKind, Row, Tx, writes};

/// A transaction that notices whether a tick wrote anything.
pub(super) struct Watch<'a> {
    pub(super) tx: &'a mut dyn Tx,
    /// Whether a statement has written.
    pub(super) wrote: bool,
}

impl Tx for Watch<'_> {
    fn execute(&mut self, sql: &'static str, args: &[Arg<'_>]) -> Result<u64, DbError> {
        let changed = self.tx.execute(sql, args)?;
        self.wrote |= writes(sql, changed);
        Ok(changed)
    }
    fn query(&mut self, sql: &'static str, args: &[Arg<'_>]) -> Result<Vec<Row>, DbError> {
        let rows = self.tx.query(sql, args)?;
        self.wrote |= writes(sql, rows.len() as u64);
        Ok(rows)
    }
    fn bulk(&mut self, bulk: &Bulk, args: &[Arg<'_>]) -> Result<Vec<Row>, DbError> {
        self.wrote |= !args.is_empty();
        self.tx.bulk(bulk, args)
    }
    fn commit(self: Box<Self>) -> Result<(), DbError> {
        // The stage must not commit: its writes would become durable without the records that it
        // returns.
        Err(DbError::new(DbErrorKind::Other, "the shell commits"))
    }
}

/// The transaction of a stateless stage. It refuses every statement.
pub(super) struct NoTx;

impl NoTx {
    fn refused<T>() -> Result<T, DbError> {
        Err(DbError::new(
            DbErrorKind::Other,
            "a stateless stage has no database",
        ))
    }
}

impl Tx for NoTx {
    fn execute(&mut self, _: &'static str, _: &[Arg<'_>]) -> Result<u64, DbError> {
        Self::refused()
    }
    fn query(&mut self, _: &'static str, _: &[Arg<'_>]) -> Result<Vec<Row>, DbError> {
        Self::refused()
    }
    fn bulk(&mut self, _: &Bulk, _: &[Arg<'_>]) -> Result<Vec<Row>, DbError> {
        Self::refused()
    }
    fn commit(self: Box<Self>) -> Result<(), DbError> {
        Self::refused()
    }
}
