//! The facts table: what the network has said about the chain and about the vaults' own addresses.
//!
//! Rows are written by the watcher and read by builds. An amount is 32 bytes, big-endian, so that
//! rows sort by it and every amount fits. A build reads nothing else: it never asks the
//! network.

#[cfg(test)]
mod tests;

use borsh::BorshDeserialize;
use std::collections::BTreeSet;
use strongroom_ports::chain::{Facts, Holding, OwnAccount, OwnCoin, OwnPath};
use strongroom_ports::db::{Arg, DbError, Tx};
use strongroom_stage::StageError;
use strongroom_types::registry::ADDRESS_INDEX_MAX;
use strongroom_types::{ConflictKey, TenantVault, UnixMs};
use strongroom_wire::{decode, encode};

/// Holdings offered to one build, largest first: more never helps a selection of at most 256
/// inputs.
const OFFERED_MAX: i64 = 512;
/// Reservations shown to one build on a chain with accounts, newest first.
const TAKEN_MAX: i64 = 1_024;

/// Kinds of facts about the chain itself.
const HEAD: i64 = 0;
const FEES: i64 = 1;

fn broken(cause: impl std::error::Error + Send + Sync + 'static) -> StageError {
    StageError::fatal("the facts table").because(cause)
}

/// The first two arguments of a statement about one vault.
fn vault_args(vault: &TenantVault) -> [Arg<'_>; 2] {
    [Arg::from(&vault.tenant.0), Arg::from(&vault.vault.0)]
}

/// How old the facts are that a build reads.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum FactsAge {
    /// They are as the last round left them.
    Kept,
    /// The node was asked about this vault in this round.
    Fresh,
}

/// Facts of a build, owned: see [`Facts`].
pub(crate) struct OwnedFacts {
    height: u64,
    fees: Vec<u8>,
    holdings: Vec<Holding>,
    taken: Vec<ConflictKey>,
    /// Coins among the holdings that the journal holds as anchors of other intents.
    held: BTreeSet<ConflictKey>,
}

impl OwnedFacts {
    /// Leaves out the coins that the journal keeps for other intents.
    pub(crate) fn leave_out(&mut self, is_kept: impl Fn(&ConflictKey) -> bool) {
        self.holdings.retain(|held| match held {
            Holding::Coin(coin) => !is_kept(&coin.key),
            Holding::Account(_) => true,
        });
    }

    /// Whether the journal would refuse a first attempt on this anchor.
    pub(crate) fn is_held(&self, key: &ConflictKey) -> bool {
        self.held.contains(key)
    }

    /// The largest coin that can be an anchor.
    pub(crate) fn free_anchor(&self) -> Option<&ConflictKey> {
        let coins = self.holdings.iter().filter_map(|held| match held {
            Holding::Coin(coin) => Some(&coin.key),
            Holding::Account(_) => None,
        });
        coins.into_iter().find(|key| !self.is_held(key))
    }

    /// The same facts, in the form that the codec takes.
    pub(crate) fn facts(&self) -> Facts<'_> {
        Facts {
            height: self.height,
            fees: &self.fees,
            holdings: &self.holdings,
            taken: &self.taken,
        }
    }
}

/// Everything known for a build of this vault; `None` before the first look at the chain.
pub(crate) fn known(
    tx: &mut dyn Tx,
    vault: TenantVault,
    now: UnixMs,
) -> Result<Option<OwnedFacts>, StageError> {
    // A guessed fee would be paid from the vault; a guessed height shows in the lock time.
    let (Some(height), Some(fees)) = (chain_fact(tx, HEAD)?, chain_fact(tx, FEES)?) else {
        return Ok(None);
    };
    let free = free(tx, vault)?;
    let held = free
        .iter()
        .filter(|(_, held_until)| *held_until > now.0)
        .filter_map(|(holding, _)| match holding {
            Holding::Coin(coin) => Some(coin.key.clone()),
            Holding::Account(_) => None,
        })
        .collect();
    let holdings: Vec<Holding> = free.into_iter().map(|(holding, _)| holding).collect();

    // A coin's name says by itself whether it is free. The next number of an account does not:
    // numbers that other intents hold are not on the chain yet.
    let accounts = holdings
        .iter()
        .any(|held| matches!(held, Holding::Account(_)));
    let taken = if accounts {
        taken(tx, vault, now)?
    } else {
        Vec::new()
    };

    Ok(Some(OwnedFacts {
        height: u64::try_from_slice(&height).map_err(broken)?,
        fees,
        holdings,
        taken,
        held,
    }))
}

fn chain_fact(tx: &mut dyn Tx, kind: i64) -> Result<Option<Vec<u8>>, StageError> {
    let sql = "SELECT value FROM chain_fact WHERE kind = $1";
    let row = tx.query_opt(sql, &[Arg::from(kind)])?;
    Ok(row.map(|row| row.blob(0).map(<[u8]>::to_vec)).transpose()?)
}

/// Holdings that no intent has reserved, each with the time until which the journal holds it as an
/// anchor, milliseconds; 0 when it does not.
fn free(tx: &mut dyn Tx, vault: TenantVault) -> Result<Vec<(Holding, u64)>, StageError> {
    let sql = "SELECT fact, COALESCE(held_anchor.until_ms, 0) FROM holding
               LEFT JOIN held_anchor
               ON held_anchor.tenant = holding.tenant AND held_anchor.vault = holding.vault
               AND held_anchor.conflict_key = holding.name
               WHERE holding.tenant = $1 AND holding.vault = $2 AND NOT EXISTS
               (SELECT 1 FROM reservation
                WHERE reservation.tenant = holding.tenant AND reservation.vault = holding.vault
                AND reservation.conflict_key = holding.name)
               ORDER BY amount DESC, name, asset LIMIT $3";
    let args = [
        Arg::from(&vault.tenant.0),
        Arg::from(&vault.vault.0),
        Arg::from(OFFERED_MAX),
    ];
    let rows = tx.query(sql, &args)?;

    rows.iter()
        .map(|row| Ok((decode(row.blob(0)?).map_err(broken)?, row.u64(1)?)))
        .collect()
}

fn taken(tx: &mut dyn Tx, vault: TenantVault, now: UnixMs) -> Result<Vec<ConflictKey>, StageError> {
    let reserved = "SELECT conflict_key FROM reservation WHERE tenant = $1 AND vault = $2
                    ORDER BY number DESC LIMIT $3";
    let held = "SELECT conflict_key FROM held_anchor WHERE tenant = $1 AND vault = $2
                AND until_ms > $4 ORDER BY until_ms DESC LIMIT $3";
    let args = [
        Arg::from(&vault.tenant.0),
        Arg::from(&vault.vault.0),
        Arg::from(TAKEN_MAX),
        Arg::u64(now.0)?,
    ];

    // An account's number is always an anchor, so one that the journal holds is left out at all.
    let mut rows = tx.query(reserved, &args[..3])?;
    rows.extend(tx.query(held, &args)?);
    let key = |row: &strongroom_ports::db::Row| row.text(0)?.parse().map_err(broken);
    rows.iter().map(key).collect()
}

/// The newest height.
pub(crate) fn set_height(tx: &mut dyn Tx, height: u64) -> Result<(), DbError> {
    set_chain_fact(tx, HEAD, &encode(&height))
}

/// The price of inclusion.
pub(crate) fn set_fees(tx: &mut dyn Tx, fees: &[u8]) -> Result<(), DbError> {
    set_chain_fact(tx, FEES, fees)
}

fn set_chain_fact(tx: &mut dyn Tx, kind: i64, value: &[u8]) -> Result<(), DbError> {
    // An equal value is not written again: a round that learns nothing costs no commit.
    let sql = "INSERT INTO chain_fact (kind, value) VALUES ($1, $2)
               ON CONFLICT (kind) DO UPDATE SET value = excluded.value
               WHERE chain_fact.value <> excluded.value";
    tx.execute(sql, &[Arg::from(kind), Arg::from(value)])
        .map(drop)
}

/// An unspent output. The network's last word counts, so that one lie about an amount does not
/// outlive the next honest answer.
pub(crate) fn set_coin(tx: &mut dyn Tx, vault: TenantVault, coin: OwnCoin) -> Result<(), DbError> {
    // The row's name is the text of its conflict key, under which a reservation is found.
    let name = coin.key.to_string();
    set_holding(tx, vault, &name, &Holding::Coin(coin))
}

/// An account of the vault, named by its address.
pub(crate) fn set_account(
    tx: &mut dyn Tx,
    vault: TenantVault,
    address: &str,
    account: OwnAccount,
) -> Result<(), DbError> {
    set_holding(tx, vault, address, &Holding::Account(account))
}

fn set_holding(
    tx: &mut dyn Tx,
    vault: TenantVault,
    name: &str,
    holding: &Holding,
) -> Result<(), DbError> {
    let sql = "INSERT INTO holding (tenant, vault, name, asset, amount, fact)
               VALUES ($1, $2, $3, $4, $5, $6)
               ON CONFLICT (tenant, vault, name, asset)
               DO UPDATE SET amount = excluded.amount, fact = excluded.fact
               WHERE holding.fact <> excluded.fact";
    let (asset, amount) = match holding {
        Holding::Coin(coin) => (&coin.asset, coin.amount),
        Holding::Account(account) => (&account.asset, account.amount),
    };

    let (asset, amount, fact) = (asset.to_string(), amount.to_be_bytes(), encode(holding));
    let args = [
        Arg::from(&vault.tenant.0),
        Arg::from(&vault.vault.0),
        Arg::from(name),
        Arg::from(&asset),
        Arg::from(&amount),
        Arg::from(&fact),
    ];
    tx.execute(sql, &args).map(drop)
}

/// Removes the holdings of a vault that the network's newest answer about all its addresses lacks:
/// `kept` has the names of those in it.
pub(crate) fn retain(
    tx: &mut dyn Tx,
    vault: TenantVault,
    kept: &BTreeSet<String>,
) -> Result<(), StageError> {
    let sql = "SELECT DISTINCT name FROM holding WHERE tenant = $1 AND vault = $2";
    let rows = tx.query(sql, &vault_args(&vault))?;

    let sql = "DELETE FROM holding WHERE tenant = $1 AND vault = $2 AND name = $3";
    for row in &rows {
        let name = row.text(0)?;
        if !kept.contains(name) {
            let [tenant, id] = vault_args(&vault);
            tx.execute(sql, &[tenant, id, Arg::from(name)])?;
        }
    }
    Ok(())
}

/// The change address of a vault whose turn it is. They are used again after the last one: beyond it
/// no signer would take an address for the vault's, and none would be watched.
pub(crate) fn next_change(tx: &mut dyn Tx, vault: TenantVault) -> Result<OwnPath, StageError> {
    let sql = "SELECT next FROM change_index WHERE tenant = $1 AND vault = $2";
    let row = tx.query_opt(sql, &vault_args(&vault))?;
    let index = row.map_or(Ok(0), |row| u32::try_from(row.i64(0)?).map_err(broken))?;
    Ok(OwnPath { change: 1, index })
}

/// Gives out the change address of [`next_change`]; `false` when another instance was faster.
pub(crate) fn set_change_given(
    tx: &mut dyn Tx,
    vault: TenantVault,
    path: OwnPath,
) -> Result<bool, DbError> {
    let sql = "INSERT INTO change_index (tenant, vault, next) VALUES ($1, $2, $3)
               ON CONFLICT (tenant, vault) DO UPDATE SET next = excluded.next
               WHERE change_index.next = $4";
    let next = path.index.saturating_add(1) % ADDRESS_INDEX_MAX;
    let args = [
        Arg::from(&vault.tenant.0),
        Arg::from(&vault.vault.0),
        Arg::from(next),
        Arg::from(path.index),
    ];
    Ok(tx.execute(sql, &args)? == 1)
}
