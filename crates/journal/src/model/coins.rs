//! Conflict keys that intents hold.

use borsh::{BorshDeserialize, BorshSerialize};
use strongroom_types::{Digest, UnixMs};

/// The intent that holds a conflict key.
#[derive(Clone, Copy, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub struct HeldRecord {
    /// Digest of the intent text.
    pub intent: Digest,
    // The time is in each record, because a tenant that is quiet forgets nothing: its coins are
    // free in time all the same.
    /// Journal time from which any intent may have the key.
    pub until: UnixMs,
}

impl HeldRecord {
    /// Whether it keeps the key from an intent at a time.
    #[must_use]
    pub fn keeps_from(&self, intent: &Digest, at: UnixMs) -> bool {
        self.intent != *intent && at < self.until
    }
}

/// Conflict keys that an intent holds against every other one of its vault: kept until an attempt's
/// life after its end, those of a cancel until its last share can have left.
#[derive(Clone, PartialEq, Eq, Debug, Default, BorshSerialize, BorshDeserialize)]
pub struct HolderRecord {
    /// Ids of the keys of its attempts, made by [`conflict`](crate::keyspace::conflict): each once,
    /// in the order of their entries; at most
    /// [`CONFLICT_KEYS_MAX`](strongroom_types::attempt::CONFLICT_KEYS_MAX).
    pub keys: Vec<Digest>,
}
