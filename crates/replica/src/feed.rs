//! Replays the journal topics into a [`SharedFollower`].

use crate::error::ReplicaError;
use crate::shared::SharedFollower;
use std::sync::Arc;
use std::time::Duration;
use strongroom_journal::Genesis;
use strongroom_ports::bus::{Bus, BusError, Position, Topic};
use strongroom_types::UnixMs;
use strongroom_wire::topics;

/// Largest number of records that one step takes from the bus.
const RECORDS_MAX: usize = 256;

/// The topics a replica follows: entries first, then each witness's cosignatures.
///
/// # Errors
/// Never for the topic names of this build.
pub fn journal_topics(genesis: &Genesis) -> Result<Vec<Topic>, BusError> {
    let witnesses = genesis
        .witness_keys()
        .map(|(node, _)| topics::cosignatures(node));
    std::iter::once(topics::JOURNAL_ENTRIES.to_owned())
        .chain(witnesses)
        .map(|name| Topic::new(&name))
        .collect()
}

/// Newest records of a witness's topic that are read at first.
const COSIGNATURES_BACK: u64 = 256;

/// Position from which a replica without a journal reads a topic: the entries from their start, and
/// of a witness's cosignatures the newest ones.
///
/// # Errors
/// Errors of the bus.
pub fn first_position(bus: &dyn Bus, topic: &Topic) -> Result<Position, BusError> {
    let start = bus.start(topic)?;
    // The tree needs every leaf from the first one on.
    if topic.as_str() == topics::JOURNAL_ENTRIES {
        return Ok(start);
    }

    // A cosignature counts for every entry below its size, so the newest of each witness says as
    // much as all before it. A few more are read, because a head is proved by cosignatures over that
    // very head, and because the newest record may be one that does not verify.
    let back = bus.end(topic)?.next.saturating_sub(COSIGNATURES_BACK);
    let next = back.max(start.next);
    Ok(Position { next, ..start })
}

/// Reads the journal topics, each from its [`first_position`]; the loop that calls [`Feed::step`] belongs to the
/// composition root.
pub struct Feed {
    bus: Arc<dyn Bus>,
    shared: Arc<SharedFollower>,
    wants: Vec<(Topic, Position)>,
}

impl Feed {
    /// A feed that starts at the oldest entries, because a replica needs every one.
    ///
    /// # Errors
    /// Errors of the bus.
    pub fn new(bus: Arc<dyn Bus>, shared: Arc<SharedFollower>) -> Result<Self, ReplicaError> {
        let genesis = shared.read(|follower| Arc::clone(follower.genesis()));
        let want =
            |topic: Topic| first_position(bus.as_ref(), &topic).map(|position| (topic, position));
        let wants = journal_topics(&genesis)?
            .into_iter()
            .map(want)
            .collect::<Result<_, _>>()?;
        Ok(Self { bus, shared, wants })
    }

    /// Takes in the records at hand, blocking up to `wait` for the first one; returns their number.
    /// A record that does not verify is skipped, because it proves nothing. A record that leaves a
    /// gap is skipped too: the writer can publish the missing entries only at a later offset, with
    /// all that follow them. `now` is read after the records have arrived.
    ///
    /// # Errors
    /// Errors of the bus, a position that no longer exists among them (start again with a new
    /// replica); the reason for which the replica halted.
    pub fn step(
        &mut self,
        now: impl Fn() -> UnixMs,
        wait: Duration,
    ) -> Result<usize, ReplicaError> {
        let records = self.bus.fetch(&self.wants, RECORDS_MAX, wait)?;
        for delivered in &records {
            let result = self.shared.receive(&delivered.record.payload, now());

            // The step ends here: a halted replica follows nothing more and answers everything with
            // its reason.
            if let Some(halted) = self.shared.read(|follower| follower.halted().cloned()) {
                return Err(halted.into());
            }

            // A record that does not verify proves nothing against the log, because any sender can
            // publish one.
            if let Err(refusal) = result {
                tracing::warn!(topic = %delivered.topic, %refusal, "a journal record was skipped");
            }

            for (topic, position) in &mut self.wants {
                if *topic == delivered.topic {
                    position.next = delivered.offset + 1;
                }
            }
        }
        Ok(records.len())
    }
}

impl std::fmt::Debug for Feed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Feed({} topics)", self.wants.len())
    }
}
