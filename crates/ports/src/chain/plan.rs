//! Request and result of a build.

use super::{Effects, OwnPath, Slot, VaultKey};
use strongroom_types::{AttemptKind, ConflictKey, MinorUnits};

/// The transaction that is wanted. The view holds the coins that it may spend.
#[derive(Clone, Copy, Debug)]
pub struct Plan<'a> {
    /// Kind of attempt: a first payment, the same payments with a higher fee, or everything back to
    /// the vault.
    pub kind: AttemptKind,
    /// Payments to make; a cancel makes none of them.
    pub effects: &'a Effects,
    /// Key and account of the vault that pays.
    pub vault: &'a VaultKey,
    /// Conflict key that must be used up: the anchor of an intent with earlier attempts.
    pub anchor: Option<&'a ConflictKey>,
    /// Unsigned form of the attempt that a bump or cancel replaces; `None` for a first payment.
    pub previous: Option<&'a [u8]>,
    /// Largest fee of this transaction, in the native asset.
    pub fee_max: MinorUnits,
    /// Most signatures that it may need: a request for more of them could not be sent.
    pub slots_max: usize,
    /// Path of the vault's address to which the rest returns.
    pub return_to: OwnPath,
}

/// A transaction that was built and read back.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Built {
    /// The unsigned transaction in the codec's own encoding; the attempt names its digest.
    pub unsigned: Vec<u8>,
    /// Anchor: the plan's, or the conflict key that is proposed as anchor.
    pub anchor: ConflictKey,
    /// Conflict keys that it uses up, ascending.
    pub conflicts: Vec<ConflictKey>,
    /// Value that returns to the vault, base units: 0 when it leaves [`Plan::return_to`] unused.
    pub returned: MinorUnits,
    /// Largest fee that it can cost, base units of the native asset.
    pub fee: MinorUnits,
    /// Signatures that it needs, from the codec's reading of `unsigned`.
    pub slots: Vec<Slot>,
}
