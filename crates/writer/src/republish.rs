//! An entries topic that lacks batches is filled from the writer's database.

use crate::writer::batch_record;
use std::time::Duration;
use strongroom_journal::genesis::{Genesis, Registered};
use strongroom_ports::bus::{Bus, BusError, Position, Topic};
use strongroom_ports::db::{Db, DbError};
use strongroom_replica::{Incoming, MIGRATIONS, Replica, ReplicaError, open_incoming};
use strongroom_stage::StageError;
use strongroom_stage::post::Post;
use strongroom_types::UnixMs;
use strongroom_wire::topics;

/// Batches published by one call.
const BATCHES_AT_ONCE: usize = 64;

/// Why nothing, or not everything, was published again.
#[derive(Debug, thiserror::Error)]
pub enum RepublishError {
    /// The bus failed.
    #[error("the bus failed")]
    Bus(#[from] BusError),
    /// The database failed.
    #[error("the writer's database failed")]
    Db(#[from] DbError),
    /// The stored journal cannot be read.
    #[error("the stored journal cannot be read")]
    Replica(#[from] ReplicaError),
    /// A record could not be made.
    #[error("a record could not be made")]
    Record(#[from] StageError),
    /// The topic holds entries that the database does not: it was put back. To order on would fork
    /// the journal; the tip must come from the witnesses.
    #[error("the entries topic reaches {published} entries, the writer's database only {stored}")]
    DatabaseBehind {
        /// Entries on the topic.
        published: u64,
        /// Entries in the database.
        stored: u64,
    },
}

/// To be called once before the writer's shell starts: publishes the stored batches that follow the
/// last one on the topic, exactly as they were (a topic of a new, empty bus gets all of them).
/// Gives their number.
///
/// # Errors
/// See [`RepublishError`].
pub fn republish(
    db: &dyn Db,
    bus: &dyn Bus,
    genesis: &Genesis,
    post: &mut Post,
    now: UnixMs,
) -> Result<u64, RepublishError> {
    db.migrate(MIGRATIONS)?;
    let mut size = published(bus, &Registered::of(genesis))?;
    let mut tx = db.begin()?;
    let stored = Replica::stored_size(tx.as_mut())?;

    // The database was put back: ordering on from it would give published positions a second time.
    if size > stored {
        return Err(RepublishError::DatabaseBehind {
            published: size,
            stored,
        });
    }

    // In portions: a new bus gets the whole journal, which need not fit into memory.
    let mut count = 0;
    loop {
        let mut records = Vec::new();
        while records.len() < BATCHES_AT_ONCE {
            let Some(batch) = Replica::batch_after(tx.as_mut(), size)? else {
                break;
            };
            size = batch.first_seq + batch.entries.len() as u64;
            records.push(batch_record(post, now, &batch)?);
        }
        if records.is_empty() {
            return Ok(count);
        }
        bus.publish(&records)?;
        count += records.len() as u64;
    }
}

/// Number of entries up to which the topic holds the writer's batches, by its newest one.
fn published(bus: &dyn Bus, registered: &Registered) -> Result<u64, RepublishError> {
    let topic = Topic::new(topics::JOURNAL_ENTRIES)?;
    let (start, end) = (bus.start(&topic)?, bus.end(&topic)?);
    let mut next = end.next;

    // From the end backwards, past whatever is not a batch: only what the writer signed counts.
    while next > start.next {
        next -= 1;
        let wants = [(topic.clone(), Position { next, ..end })];
        for delivered in bus.fetch(&wants, 1, Duration::ZERO)? {
            if let Ok(Incoming::Batch(batch)) = open_incoming(&delivered.record.payload, registered)
            {
                return Ok(batch.first_seq.saturating_add(batch.entries.len() as u64));
            }
        }
    }
    Ok(0)
}
