//! A replica in memory that the services of a process read and one feeder writes.

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

    /// Reads. A panic in the middle of a batch leaves half of it applied: the replica then stops,
    /// and everything judged by it is refused.
    pub fn read<R>(&self, work: impl FnOnce(&Follower) -> R) -> R {
        if self.0.is_poisoned() {
            self.halt_poisoned();
        }
        work(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Writes. Readers wait.
    pub fn write<R>(&self, work: impl FnOnce(&mut Follower) -> R) -> R {
        if self.0.is_poisoned() {
            self.halt_poisoned();
        }
        work(&mut self.0.write().unwrap_or_else(PoisonError::into_inner))
    }

    /// Takes in a record of a journal topic; gives the number of new entries.
    ///
    /// # Errors
    /// What does not verify is refused without consequence; what stops the replica shows in
    /// [`Follower::halted`] as well.
    pub fn receive(&self, record: &[u8], now: UnixMs) -> Result<usize, Refusal> {
        // The envelope is verified outside of the lock: a flood of false records must not keep every
        // reader waiting.
        let registered = self.read(|follower| Arc::clone(follower.state().registered()));
        match open_incoming(record, registered.as_ref())? {
            Incoming::Batch(batch) => self
                .write(|follower| follower.append(&batch))
                .map(|applied| applied.len()),
            Incoming::Cosignature(witness, cosignature) => self
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

        // Halted permanently from here on, so readers need not pass this way again.
        self.0.clear_poison();
    }
}
