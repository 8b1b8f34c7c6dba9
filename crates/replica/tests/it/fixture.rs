//! A replica in a database, beside the small world's journal.

use strongroom_journal::Entry;
use strongroom_ports::db::{Db, Tx};
use strongroom_replica::{Replica, ReplicaError};
use strongroom_store_sqlite::SqliteDb;
use strongroom_types::Code;
use strongroom_wire::JournalBatch;

pub use strongroom_world::small::*;

/// Runs work in one transaction and commits it.
pub fn commit<T>(db: &SqliteDb, work: impl FnOnce(&mut dyn Tx) -> T) -> T {
    let mut tx = db.begin().unwrap();
    let value = work(tx.as_mut());
    tx.commit().unwrap();
    value
}

/// Runs work in one transaction that is not committed.
pub fn lose<T>(db: &SqliteDb, work: impl FnOnce(&mut dyn Tx) -> T) -> T {
    let mut tx = db.begin().unwrap();
    work(tx.as_mut())
}

/// Appends a batch and commits. Returns the new entries.
pub fn append(db: &SqliteDb, replica: &mut Replica, batch: &JournalBatch) -> Vec<Entry> {
    let appended = commit(db, |tx| replica.append(tx, batch)).unwrap();
    appended
        .iter()
        .map(|sealed| sealed.open().unwrap())
        .collect()
}

/// Code of a refusal.
pub fn code<T: std::fmt::Debug>(result: Result<T, ReplicaError>) -> Code {
    match result.unwrap_err() {
        ReplicaError::Refused(refusal) => refusal.code,
        other => panic!("{other}"),
    }
}

/// A database with this replica and these batches in it.
pub fn stored(batches: &[JournalBatch]) -> (SqliteDb, Replica) {
    let db = SqliteDb::open_in_memory().unwrap();
    let mut replica = Replica::open(&db, genesis()).unwrap();
    batches
        .iter()
        .for_each(|batch| drop(append(&db, &mut replica, batch)));
    (db, replica)
}
