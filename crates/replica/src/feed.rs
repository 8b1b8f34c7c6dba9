//! Replays the journal topics into a [`SharedFollower`].

use crate::error::ReplicaError;
use crate::shared::SharedFollower;
use std::sync::Arc;
use std::time::Duration;
use strongroom_journal::Genesis;
use strongroom_ports::bus::{Bus, BusError, Position, Topic};
use strongroom_types::UnixMs;
use strongroom_wire::topics;

/// Records taken from the bus at once.
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

/// Reads the journal topics from their start; the loop that calls [`Feed::step`] belongs to the
/// composition root.
pub struct Feed {
    bus: Arc<dyn Bus>,
    shared: Arc<SharedFollower>,
    wants: Vec<(Topic, Position)>,
}

impl Feed {
    /// A feed that starts at the oldest records: the entries are all needed.
    ///
    /// # Errors
    /// The bus's.
    pub fn new(bus: Arc<dyn Bus>, shared: Arc<SharedFollower>) -> Result<Self, ReplicaError> {
        let genesis = shared.read(|follower| Arc::clone(follower.genesis()));
        let want = |topic: Topic| bus.start(&topic).map(|start| (topic, start));
        let wants = journal_topics(&genesis)?
            .into_iter()
            .map(want)
            .collect::<Result<_, _>>()?;
        Ok(Self { bus, shared, wants })
    }

    /// Takes in what is there, blocking up to `wait` for the first record; gives the number of
    /// records. A record that does not verify is skipped, as it proves nothing, and so is one that
    /// leaves a gap: what is missing can only be published again further on, with all that follows
    /// it. `now` is asked after the records arrived.
    ///
    /// # Errors
    /// The bus's, a position that is gone among them (start again with a new replica); whatever
    /// stopped the replica.
    pub fn step(
        &mut self,
        now: impl Fn() -> UnixMs,
        wait: Duration,
    ) -> Result<usize, ReplicaError> {
        let records = self.bus.fetch(&self.wants, RECORDS_MAX, wait)?;
        for delivered in &records {
            let result = self.shared.receive(&delivered.record.payload, now());

            // A halted replica answers every question with its reason; there is nothing to follow.
            if let Some(halted) = self.shared.read(|follower| follower.halted().cloned()) {
                return Err(halted.into());
            }

            // What does not verify proves nothing against the log: any sender can publish it.
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
