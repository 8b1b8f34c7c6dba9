//! An entries topic that lacks batches is filled from the writer's database.

use crate::error::StartError;
use crate::writer::batch_record;
use std::time::Duration;
use strongroom_journal::genesis::{Genesis, Registered};
use strongroom_ports::bus::{Bus, Topic};
use strongroom_ports::db::Db;
use strongroom_replica::{Incoming, MIGRATIONS, Replica, open_incoming};
use strongroom_stage::post::Post;
use strongroom_types::UnixMs;
use strongroom_wire::topics;

/// Batches published by one call.
const BATCHES_AT_ONCE: usize = 64;
/// Records read at once.
const RECORDS_AT_ONCE: usize = 256;
/// Longest wait for a record that the topic is known to hold.
const READ_WAIT: Duration = Duration::from_secs(2);

/// Batches that were published again.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Republished {
    /// Number of batches.
    pub batches: u64,
    /// Payload of the last of their records, which is the newest stored batch.
    pub last: Option<Vec<u8>>,
}

/// Publishes the stored batches that follow the last one on the topic, exactly as they were (a
/// topic of a new, empty bus gets all of them). [`crate::StartCheck`] does so first.
///
/// # Errors
/// See [`StartError`].
pub fn republish(
    db: &dyn Db,
    bus: &dyn Bus,
    genesis: &Genesis,
    post: &mut Post,
    now: UnixMs,
) -> Result<Republished, StartError> {
    db.migrate(MIGRATIONS)?;
    let mut size = published(bus, &Registered::of(genesis))?;
    let mut tx = db.begin()?;
    let stored = Replica::stored_size(tx.as_mut())?;

    // The database was put back: ordering on from it would give published positions a second time.
    if size > stored {
        return Err(StartError::DatabaseBehind {
            published: size,
            stored,
        });
    }

    // In portions: a new bus gets the whole journal, which need not fit into memory.
    let mut republished = Republished::default();
    loop {
        let mut records = Vec::new();
        while records.len() < BATCHES_AT_ONCE {
            let Some(batch) = Replica::batch_after(tx.as_mut(), size)? else {
                break;
            };
            size = batch.first_seq + batch.entries.len() as u64;
            records.push(batch_record(post, now, &batch)?);
        }
        let Some(last) = records.last() else {
            return Ok(republished);
        };
        bus.publish(&records)?;
        republished.batches += records.len() as u64;
        republished.last = Some(last.payload.clone());
    }
}

/// Number of entries up to which the topic holds the writer's batches.
fn published(bus: &dyn Bus, registered: &Registered) -> Result<u64, StartError> {
    let topic = Topic::new(topics::JOURNAL_ENTRIES)?;
    let end = bus.end(&topic)?;
    let mut position = bus.start(&topic)?;
    let mut size = 0;

    // All of it: the last record may be an old batch that was published again, behind the newest.
    while position.next < end.next {
        let wants = [(topic.clone(), position)];
        let records = bus.fetch(&wants, RECORDS_AT_ONCE, READ_WAIT)?;

        // A bus that holds records back would make the topic look shorter than it is, and an old
        // database up to date.
        let Some(last) = records.last() else {
            return Err(StartError::TopicUnread);
        };
        position.next = last.offset + 1;

        // Only what the writer signed counts; anything else may be of any sender.
        for delivered in &records {
            if let Ok(Incoming::Batch(batch)) = open_incoming(&delivered.record.payload, registered)
            {
                size = size.max(batch.first_seq.saturating_add(batch.entries.len() as u64));
            }
        }
    }
    Ok(size)
}
