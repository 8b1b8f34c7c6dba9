//! Statements of a network, and the part that a service keeps.
//!
//! A gateway yields [`Fact`]s. A watcher asks the codec whether each is possible
//! ([`super::ChainCodec::check_fact`]), finds the vault's address that it concerns, and stores it
//! in a table. The table's rows come back as [`Facts`], from which the codec makes the view that a
//! build reads. A build therefore never asks the network, and an impossible statement does not
//! affect the others.

use super::OwnPath;
use borsh::{BorshDeserialize, BorshSerialize};
use strongroom_types::{AssetId, ConflictKey, MinorUnits};

/// One statement of the network, which may be false.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Fact {
    /// The newest block.
    Head {
        /// Height of the block.
        height: u64,
    },
    /// Cost of inclusion in a block, in the codec's own encoding.
    Fees(Vec<u8>),
    /// An unspent output.
    Coin(CoinFact),
    /// The balance of an account in one asset.
    Account(AccountFact),
}

/// An unspent output, as the network reports it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CoinFact {
    /// Conflict key that names the output (Bitcoin: `txid:vout`).
    pub key: ConflictKey,
    /// Address that holds it, canonical text.
    pub address: String,
    /// Asset of the output, CAIP-19.
    pub asset: AssetId,
    /// Amount, base units of `asset`.
    pub amount: MinorUnits,
    /// Height of the block that includes it; `None` while it waits for one, which is never final.
    pub height: Option<u64>,
}

/// The balance of an account in one asset, as the network reports it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AccountFact {
    /// The account, canonical text.
    pub address: String,
    /// Number of the next transaction that the network will accept from it.
    pub next: u64,
    /// Asset of the balance, CAIP-19.
    pub asset: AssetId,
    /// Balance, base units of `asset`, at the same block as `next`.
    pub amount: MinorUnits,
}

/// A coin or balance of the vault that a transaction can spend; a row of the facts table.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub enum Holding {
    /// A confirmed, unspent output.
    Coin(OwnCoin),
    /// The balance of an account of the vault in one asset.
    Account(OwnAccount),
}

/// A spendable output of the vault.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub struct OwnCoin {
    /// Conflict key that names the output (Bitcoin: `txid:vout`).
    pub key: ConflictKey,
    /// Path of the vault's address that holds it.
    pub path: OwnPath,
    /// Asset of the output, CAIP-19.
    pub asset: AssetId,
    /// Amount, base units of `asset`.
    pub amount: MinorUnits,
}

/// An account of the vault, in one asset.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub struct OwnAccount {
    /// Path of the vault's address that is the account.
    pub path: OwnPath,
    /// Number of the next transaction that the network will accept from it.
    pub next: u64,
    /// Asset of the balance, CAIP-19.
    pub asset: AssetId,
    /// Balance, base units of `asset`.
    pub amount: MinorUnits,
}

/// Facts that a service has kept about one vault and the chain, for one build.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// Height of the newest block that was seen.
    pub height: u64,
    /// Cost of inclusion, as [`Fact::Fees`] carried it.
    pub fees: &'a [u8],
    /// Coins and balances that no other intent has reserved, largest amount first.
    pub holdings: &'a [Holding],
    /// Conflict keys that intents have reserved or used up, as far as an account chain needs them
    /// to number its next transaction; empty on chains with coins.
    pub taken: &'a [ConflictKey],
}
