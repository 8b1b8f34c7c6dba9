//! An entries topic that lacks batches is filled from the writer's database.

use crate::error::StartError;
use crate::writer::batch_record;
use std::time::Duration;
use strongroom_journal::follower::LogKey;
use strongroom_journal::genesis::{Genesis, Registered};
use strongroom_ports::bus::{Bus, Topic};
use strongroom_ports::db::Db;
use strongroom_replica::{Incoming, MIGRATIONS, Replica, open_incoming};
use strongroom_stage::StopFlag;
use strongroom_stage::post::Post;
use strongroom_types::{Refusal, UnixMs};
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

/// Places between which batches are published again.
pub struct Places<'a> {
    /// The writer's database.
    pub db: &'a dyn Db,
    /// The bus with the entries topic.
    pub bus: &'a dyn Bus,
    /// Genesis of the journal.
    pub genesis: &'a Genesis,
    /// Looked at between records: a long topic must not keep a process from ending.
    pub stop: &'a StopFlag,
}

/// Publishes the stored batches that follow the last one on the topic, exactly as they were (a
/// topic of a new, empty bus gets all of them). [`crate::StartCheck`] does so first.
///
/// # Errors
/// See [`StartError`].
pub fn republish(
    places: &Places<'_>,
    post: &mut Post,
    now: UnixMs,
) -> Result<Republished, StartError> {
    places.db.migrate(MIGRATIONS)?;
    let published = published(places)?;
    let mut tx = places.db.begin()?;
    let stored = Replica::stored_size(tx.as_mut())?;
    let mut size = published.as_ref().map_or(0, |head| head.size);

    // The database was put back: a writer that went on from it would give published positions a
    // second time.
    if size > stored {
        return Err(StartError::DatabaseBehind {
            published: size,
            stored,
        });
    }

    // A database that was put back and written on may even be longer than the topic. Its batches
    // would not fit those that are published.
    if let Some(published) = published {
        let ours = Replica::stored_head(tx.as_mut(), size)?;
        if ours.is_none_or(|ours| ours.body != published.body) {
            return Err(StartError::OtherHistory { size });
        }
    }

    // Batches are read in portions: a new bus gets the whole journal, which need not fit into
    // memory.
    let mut republished = Republished::default();
    loop {
        if places.stop.is_set() {
            return Err(StartError::Stopped);
        }
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
        places.bus.publish(&records)?;
        republished.batches += records.len() as u64;
        republished.last = Some(last.payload.clone());
    }
}

/// A head that the log signed and the writer published.
pub(crate) struct PublishedHead {
    pub(crate) size: u64,
    /// Checkpoint body, without the note's signatures, to which others can add.
    pub(crate) body: String,
}

/// Reads records of the entries topic.
pub(crate) struct Published {
    registered: Registered,
    log: LogKey,
}

impl Published {
    pub(crate) fn new(genesis: &Genesis) -> Result<Self, Refusal> {
        Ok(Self {
            registered: Registered::of(genesis),
            log: LogKey::new(genesis)?,
        })
    }

    /// Head of a batch; none of anything that the writer did not publish.
    ///
    /// Only the note counts, which the log's key signed. One record under the writer's other key,
    /// that of the bus, could else claim any number of entries, and no database would ever reach
    /// it.
    pub(crate) fn head(&self, payload: &[u8]) -> Option<PublishedHead> {
        let Ok(Incoming::Batch(batch)) = open_incoming(payload, &self.registered) else {
            return None;
        };
        let (checkpoint, body) = self.log.open_note(&batch.note).ok()?;
        let size = checkpoint.size();
        Some(PublishedHead { size, body })
    }
}

/// How far the topic holds the writer's batches; none when it holds none.
fn published(places: &Places<'_>) -> Result<Option<PublishedHead>, StartError> {
    let (bus, published) = (places.bus, Published::new(places.genesis)?);
    let topic = Topic::new(topics::JOURNAL_ENTRIES)?;
    let end = bus.end(&topic)?;
    let mut position = bus.start(&topic)?;
    let mut newest: Option<PublishedHead> = None;

    // The whole topic is read: the last record may be an old batch that was published again, behind
    // the newest.
    while position.next < end.next {
        if places.stop.is_set() {
            return Err(StartError::Stopped);
        }
        let wants = [(topic.clone(), position)];
        let records = bus.fetch(&wants, RECORDS_AT_ONCE, READ_WAIT)?;

        // A bus that holds records back would make the topic look shorter than it is, and an old
        // database up to date.
        let Some(last) = records.last() else {
            return Err(StartError::TopicUnread);
        };
        position.next = last.offset + 1;

        for delivered in &records {
            let head = published.head(&delivered.record.payload);
            let is_longer = |head: &PublishedHead| {
                (newest.as_ref()).is_none_or(|newest| head.size > newest.size)
            };
            if let Some(longer) = head.filter(is_longer) {
                newest = Some(longer);
            }
        }
    }
    Ok(newest)
}
