//! A node's database with a life of its own: full for a while, put back to an earlier day, or the
//! place where the process dies.

use crate::kinds::{NodeName, WritePoint};
use crate::rig::Rig;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use strongroom_ports::db::{Arg, Bulk, Db, DbError, DbErrorKind, Migration, Row, Tx};
use strongroom_store_sqlite::SqliteDb;

#[derive(Default)]
struct State {
    /// True time until which commits fail.
    full_until: u64,
    /// The kept copy; taken out when it is put back.
    snapshot: Option<Vec<u8>>,
    /// Whether the process that holds this disk died in a commit.
    dead: bool,
}

struct Disk {
    db: SqliteDb,
    state: Mutex<State>,
}

/// Where a process dies around a commit.
#[derive(Clone, Copy)]
struct Deaths {
    before: WritePoint,
    after: WritePoint,
}

/// A process's handle to its disk.
pub(crate) struct SimDisk {
    node: NodeName,
    rig: Rig,
    disk: Arc<Disk>,
    /// None for the shell of a service, which has points of its own.
    deaths: Option<Deaths>,
}

impl SimDisk {
    pub(crate) fn new(node: NodeName, rig: Rig) -> Arc<Self> {
        let deaths = Deaths {
            before: WritePoint::SignerBeforeCommit,
            after: WritePoint::SignerAfterCommit,
        };

        // SQLite itself and no model of it: what a transaction does is what ships.
        let disk = Disk {
            db: SqliteDb::open_in_memory().unwrap(),
            state: Mutex::default(),
        };
        Arc::new(Self {
            node,
            rig,
            disk: Arc::new(disk),
            deaths: (node.seat() > 0).then_some(deaths),
        })
    }

    /// The same disk as the API's requests use it.
    pub(crate) fn for_requests(&self) -> Arc<Self> {
        Arc::new(Self {
            node: self.node,
            rig: self.rig.clone(),
            disk: Arc::clone(&self.disk),
            deaths: Some(Deaths {
                before: WritePoint::RequestBeforeCommit,
                after: WritePoint::RequestAfterCommit,
            }),
        })
    }

    /// Whether the process died in a commit.
    pub(crate) fn is_dead(&self) -> bool {
        self.state().dead
    }

    /// The content, whatever state the process is in.
    pub(crate) fn content(&self) -> &SqliteDb {
        &self.disk.db
    }

    fn state(&self) -> MutexGuard<'_, State> {
        let state = &self.disk.state;
        state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Commits fail until then.
    pub(crate) fn fill(&self, until: u64) {
        self.state().full_until = until;
    }

    /// Whether commits fail now.
    pub(crate) fn is_full(&self) -> bool {
        self.rig.now() < self.state().full_until
    }

    /// Keeps a copy; a later one takes the place of an earlier one.
    pub(crate) fn take_snapshot(&self) {
        self.state().snapshot = Some(self.copy());
    }

    /// Puts the copy back; `false` when there is none. The process must not run.
    pub(crate) fn restore(&self) -> bool {
        let snapshot = self.state().snapshot.take();
        let Some(bytes) = snapshot else { return false };
        self.put(&bytes);
        true
    }

    /// A copy of the content.
    pub(crate) fn copy(&self) -> Vec<u8> {
        self.disk.db.snapshot().unwrap()
    }

    /// Replaces the content.
    pub(crate) fn put(&self, bytes: &[u8]) {
        self.disk.db.restore_from(bytes).unwrap();
    }

    /// Nothing is left of the content.
    pub(crate) fn wipe(&self) {
        let empty = SqliteDb::open_in_memory().unwrap();
        self.put(&empty.snapshot().unwrap());
    }

    /// A new process holds it.
    pub(crate) fn revive(&self) {
        self.state().dead = false;
    }

    fn check(&self) -> Result<(), DbError> {
        if self.state().dead {
            return Err(DbError::new(DbErrorKind::Io, "the process is dead"));
        }
        if self.is_full() {
            return Err(DbError::new(DbErrorKind::Full, "no space left on device"));
        }
        Ok(())
    }

    fn dies(&self, point: Option<WritePoint>) -> Result<(), DbError> {
        // The process cannot be stopped inside of a call of the port: from here on its disk fails,
        // and the host ends it when the call returns.
        if point.is_some_and(|point| self.rig.dice.dies(self.node, point)) {
            self.state().dead = true;
            return Err(DbError::new(DbErrorKind::Io, "the process is dead"));
        }
        Ok(())
    }
}

impl Db for SimDisk {
    fn begin(&self) -> Result<Box<dyn Tx + '_>, DbError> {
        Ok(Box::new(SimTx {
            disk: self,
            inner: self.disk.db.begin()?,
            wrote: false,
        }))
    }

    fn migrate(&self, migrations: &[Migration]) -> Result<(), DbError> {
        self.check()?;
        self.disk.db.migrate(migrations)
    }

    fn commits(&self) -> u64 {
        self.disk.db.commits()
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

        // A transaction that only read touches no disk: it meets no fault, and its process does not die here.
        if !wrote {
            return inner.commit();
        }

        disk.check()?;
        disk.dies(disk.deaths.map(|deaths| deaths.before))?;
        inner.commit()?;
        disk.dies(disk.deaths.map(|deaths| deaths.after))
    }
}
