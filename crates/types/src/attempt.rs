//! Attempts: one unsigned transaction offered for an intent.

use crate::amount::MinorUnits;
use crate::digest::{Digest, digest};
use borsh::{BorshDeserialize, BorshSerialize};

/// Resource that two transactions cannot both spend, in the chain's own text form (Bitcoin:
/// `txid:vout`).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, BorshSerialize, BorshDeserialize)]
pub struct ConflictKey(pub String);

/// Longest conflict key in bytes.
pub const CONFLICT_KEY_BYTES_MAX: usize = 128;
/// Most conflict keys (inputs) of one attempt.
pub const CONFLICT_KEYS_MAX: usize = 256;

/// Purpose of an attempt.
#[derive(Clone, Copy, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
#[borsh(use_discriminant = true)]
#[repr(u8)]
pub enum AttemptKind {
    /// Pays what the intent says.
    Pay = 0,
    /// Pays the same with a higher fee.
    Bump = 1,
    /// Moves the anchor back to the vault itself.
    Cancel = 2,
}

/// An attempt, named permanently by (intent, number).
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub struct Attempt {
    /// Digest of the intent text.
    pub intent: Digest,
    /// 1 for the attempt inside the authorization, then +1 each.
    pub number: u32,
    /// Payment, replacement with a higher fee, or cancellation.
    pub kind: AttemptKind,
    /// The conflict key that every attempt of the intent contains.
    pub anchor: ConflictKey,
    /// Conflict keys that the transaction spends, ascending, the anchor among them.
    pub conflict_keys: Vec<ConflictKey>,
    /// Digest of the unsigned transaction ([`unsigned_digest`]).
    pub unsigned_digest: Digest,
    /// Largest fee this attempt can cost, base units of the chain's native asset.
    pub fee_max: MinorUnits,
}

impl Attempt {
    /// Sorted, distinct, bounded conflict keys that contain the anchor; a number from 1.
    #[must_use]
    pub fn well_formed(&self) -> bool {
        let keys = &self.conflict_keys;
        let short = |key: &ConflictKey| (1..=CONFLICT_KEY_BYTES_MAX).contains(&key.0.len());

        // Without the anchor in it, an attempt and an earlier one of the intent could both confirm,
        // and the recipient would be paid twice. Ascending, so that one set has one encoding.
        (1..=CONFLICT_KEYS_MAX).contains(&keys.len())
            && keys.is_sorted_by(|a, b| a < b)
            && keys.iter().all(short)
            && keys.contains(&self.anchor)
            && self.number >= 1
    }
}

/// Digest of an unsigned transaction in the chain codec's own encoding.
#[must_use]
pub fn unsigned_digest(unsigned: &[u8]) -> Digest {
    digest("strongroom/unsigned-transaction/v1", &[unsigned])
}
