//! Cases of the chain codec port: each sentence of its contract.
//!
//! A codec crate gives a [`ChainFixture`] and one line, [`crate::chain_suite!`]. The suite plays
//! the watcher and the transactions service: it learns facts, makes views, builds, signs with a
//! key whose secret the fixture holds, and then changes every byte on the way.

pub mod addresses;
pub mod building;
pub mod facts;
pub mod intents;
pub(crate) mod kit;
pub mod reading;
pub mod signing;

use std::sync::Arc;
use strongroom_ports::chain::{ChainCodec, Fact, Slot, VaultKey};
use strongroom_types::MinorUnits;

/// Vaults of a fixture: numbers below this.
pub const VAULTS: u8 = 3;

/// A codec under test, and what only its chain knows.
pub trait ChainFixture {
    /// A new codec; all of them read the same network.
    fn codec(&self) -> Arc<dyn ChainCodec>;

    /// Key of vault `number`, below [`VAULTS`]; all differ.
    fn vault(&self, number: u8) -> VaultKey;

    /// Signature by the key of vault `number`.
    fn sign(&self, number: u8, slot: &Slot) -> Vec<u8>;

    /// Addresses of others in their one form, at least two, one of every kind.
    fn addresses(&self) -> Vec<String>;

    /// Texts that are not an address here: of other networks, in other spellings, with a wrong
    /// checksum, of kinds that could never be spent from.
    fn not_addresses(&self) -> Vec<String>;

    /// Honest statements about an address: head, fees, holdings. It holds enough for some payments
    /// of [`Self::amount`] and not for 32.
    fn facts(&self, address: &str) -> Vec<Fact>;

    /// Statements that cannot be true on this chain.
    fn impossible_facts(&self) -> Vec<Fact>;

    /// Amount of an ordinary payment.
    fn amount(&self) -> MinorUnits;

    /// A fee cap that an ordinary payment and one replacement keep.
    fn fee_max(&self) -> MinorUnits;
}
