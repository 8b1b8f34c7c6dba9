//! A replica in memory that the services of a process read and one [`Feed`](crate::Feed) writes.

use crate::incoming::{Incoming, open_incoming};
use std::sync::{Arc, PoisonError, RwLock};
use strongroom_journal::Genesis;
use strongroom_journal::follower::Follower;
use strongroom_types::{Code, Refusal, UnixMs};

/// A follower behind a lock; shared behind an `Arc`. Readers see whole batches only.
#[derive(Debug)]
pub struct SharedFollower(RwLock<Follower>);

impl SharedFollower {
    /// The replica before entry 0; it replays the bus from its start ([`crate::Feed`]).
    ///
    /// # Errors
    /// `invalid_reference` when a key of genesis cannot be used.
    pub fn new(genesis: Arc<Genesis>) -> Result<Self, Refusal> {
        Follower::new(genesis).map(|follower| Self(RwLock::new(follower)))
    }

    /// Runs `work` on the replica for reading. A panic in the middle of a batch leaves half of it
    /// applied: the replica then halts, and everything that is judged by it is refused.
    pub fn read<R>(&self, work: impl FnOnce(&Follower) -> R) -> R {
        if self.0.is_poisoned() {
            self.halt_poisoned();
        }
        work(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Runs `work` on the replica for writing. Readers wait until it returns.
    pub fn write<R>(&self, work: impl FnOnce(&mut Follower) -> R) -> R {
        if self.0.is_poisoned() {
            self.halt_poisoned();
        }
        work(&mut self.0.write().unwrap_or_else(PoisonError::into_inner))
    }

    /// Takes in a record of a journal topic. Returns the number of new entries.
    ///
    /// # Errors
    /// A refusal of a record that does not verify changes nothing; a refusal that halts the replica
    /// also appears in [`Follower::halted`].
    pub fn receive(&self, record: &[u8], now: UnixMs) -> Result<usize, Refusal> {
        // The envelope is verified without the write lock, because a flood of false records must
        // not keep every reader waiting.
        let registered = self.read(|follower| Arc::clone(follower.state().registered()));
        match open_incoming(record, registered.as_ref())? {
            Incoming::Batch(batch) => self
                .write(|follower| follower.append(&batch))
                .map(|applied| applied.len()),
            Incoming::Cosignature {
                witness,
                cosignature,
                ..
            } => self
                .write(|follower| follower.cosignature(witness, &cosignature, now))
                .map(|()| 0),
        }
    }

    fn halt_poisoned(&self) {
        let mut follower = self.0.write().unwrap_or_else(PoisonError::into_inner);
        follower.halt(Refusal::new(
            Code::Internal,
            "a panic interrupted the replica",
        ));

        // The replica is halted permanently now, so the poison flag is no longer needed: readers
        // need not take this path again.
        self.0.clear_poison();
    }
}
