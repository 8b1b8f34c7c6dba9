//! A node's database with a life of its own: full for a while, put back to an earlier day, or the
//! place where the process dies.

use crate::hub::Hub;
use crate::kinds::{NodeName, WritePoint};
use std::sync::{Arc, Mutex};
use strongroom_ports::db::{Arg, Bulk, Db, DbError, DbErrorKind, Migration, Row, Tx};
use strongroom_store_sqlite::SqliteDb;

#[derive(Default)]
struct State {
    full_until: u64,
    snapshot: Option<Vec<u8>>,
    /// The process that holds this disk has died in a commit.
    dead: bool,
}

pub(crate) struct SimDisk {
    node: NodeName,
    hub: Hub,
    pub(crate) db: SqliteDb,
    /// Whether processes die at commits here (services die at the points of their shell instead).
    deadly: bool,
    state: Mutex<State>,
}

impl SimDisk {
    pub(crate) fn new(node: NodeName, hub: Hub) -> Arc<Self> {
        let db = SqliteDb::open_in_memory().unwrap();
        Arc::new(Self {
            node,
            hub,
            db,
            deadly: node.seat() > 0,
            state: Mutex::default(),
        })
    }

    /// Full until then.
    pub(crate) fn fill(&self, until: u64) {
        self.state.lock().unwrap().full_until = until;
    }

    /// Keeps a copy; a later one takes the place of an earlier one.
    pub(crate) fn take_snapshot(&self) {
        let snapshot = self.db.snapshot().unwrap();
        self.state.lock().unwrap().snapshot = Some(snapshot);
    }

    /// Puts the copy back; `false` when there is none. The process must not run.
    pub(crate) fn put_back(&self) -> bool {
        let snapshot = self.state.lock().unwrap().snapshot.take();
        let Some(bytes) = snapshot else { return false };
        self.db.restore_from(&bytes).unwrap();
        true
    }

    /// As it is now; for undoing a restore when the operator finds the right disk again.
    pub(crate) fn copy(&self) -> Vec<u8> {
        self.db.snapshot().unwrap()
    }

    pub(crate) fn put(&self, bytes: &[u8]) {
        self.db.restore_from(bytes).unwrap();
    }

    /// A new process holds it.
    pub(crate) fn revive(&self) {
        self.state.lock().unwrap().dead = false;
    }

    fn check(&self) -> Result<(), DbError> {
        let state = self.state.lock().unwrap();
        if state.dead {
            return Err(DbError::new(DbErrorKind::Io, "the process is dead"));
        }
        if self.hub.now() < state.full_until {
            return Err(DbError::new(DbErrorKind::Full, "no space left on device"));
        }
        Ok(())
    }

    fn dies(&self, point: WritePoint) -> Result<(), DbError> {
        if self.deadly && self.hub.lock().dies(self.node, point) {
            self.state.lock().unwrap().dead = true;
            return Err(DbError::new(DbErrorKind::Io, "the process is dead"));
        }
        Ok(())
    }
}

impl Db for SimDisk {
    fn begin(&self) -> Result<Box<dyn Tx + '_>, DbError> {
        Ok(Box::new(SimTx {
            disk: self,
            inner: self.db.begin()?,
            wrote: false,
        }))
    }

    fn migrate(&self, migrations: &[Migration]) -> Result<(), DbError> {
        self.check()?;
        self.db.migrate(migrations)
    }

    fn commits(&self) -> u64 {
        self.db.commits()
    }
}

struct SimTx<'a> {
    disk: &'a SimDisk,
    inner: Box<dyn Tx + 'a>,
    wrote: bool,
}

impl Tx for SimTx<'_> {
    fn execute(&mut self, sql: &'static str, args: &[Arg<'_>]) -> Result<u64, DbError> {
        let changed = self.inner.execute(sql, args)?;
        self.wrote |= strongroom_ports::db::writes(sql, changed);
        Ok(changed)
    }

    fn query(&mut self, sql: &'static str, args: &[Arg<'_>]) -> Result<Vec<Row>, DbError> {
        let rows = self.inner.query(sql, args)?;
        self.wrote |= strongroom_ports::db::writes(sql, rows.len() as u64);
        Ok(rows)
    }

    fn bulk(&mut self, bulk: &Bulk, args: &[Arg<'_>]) -> Result<Vec<Row>, DbError> {
        self.wrote |= !args.is_empty();
        self.inner.bulk(bulk, args)
    }

    fn commit(self: Box<Self>) -> Result<(), DbError> {
        let Self { disk, inner, wrote } = *self;
        if !wrote {
            return inner.commit();
        }
        disk.check()?;
        disk.dies(WritePoint::SignerBeforeCommit)?;
        inner.commit()?;
        disk.dies(WritePoint::SignerAfterCommit)
    }
}
