//! What a build is asked for, and what it gives.

use super::{Effects, OwnPath, Slot, VaultKey};
use strongroom_types::{AttemptKind, ConflictKey, MinorUnits};

/// The transaction that is wanted. What may be spent on it stands in the view.
#[derive(Clone, Copy, Debug)]
pub struct Plan<'a> {
    /// A first payment, the same with a higher fee, or everything back to the vault.
    pub kind: AttemptKind,
    /// Payments to make; a cancel makes none of them.
    pub effects: &'a Effects,
    /// The vault that pays.
    pub vault: &'a VaultKey,
    /// Conflict key that must be used up: the anchor of an intent with earlier attempts.
    pub anchor: Option<&'a ConflictKey>,
    /// Unsigned form of the attempt that a bump or cancel replaces; `None` for a first payment.
    pub previous: Option<&'a [u8]>,
    /// Largest fee of this transaction, in the native asset.
    pub fee_max: MinorUnits,
    /// Own address that takes what is not paid.
    pub return_to: OwnPath,
}

/// A built transaction.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Built {
    /// The unsigned transaction in the codec's own encoding; its digest is what the attempt names.
    pub unsigned: Vec<u8>,
    /// The conflict key proposed as anchor.
    pub anchor: ConflictKey,
    /// Everything it uses up, ascending.
    pub conflicts: Vec<ConflictKey>,
    /// Its fee, or the most it can be.
    pub fee: MinorUnits,
    /// The signatures it needs, from the codec's own reading of `unsigned`.
    pub slots: Vec<Slot>,
}
