//! One signature that a transaction needs.

use crate::registry::Suite;
use crate::tweak::Tweak;
use borsh::{BorshDeserialize, BorshSerialize};

/// Scheme, key and message of one signature that a transaction needs.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub struct Slot {
    /// Signature scheme, which must be that of the vault's key.
    pub suite: Suite,
    /// Full non-hardened derivation path from the group key.
    pub path: Vec<u32>,
    /// Tweak that is applied after the derivation.
    pub tweak: Tweak,
    /// Bytes to sign: a 32-byte digest, or a raw message for Ed25519.
    pub message: Vec<u8>,
}
