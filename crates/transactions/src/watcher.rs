//! The watcher: asks the network about the vaults' own addresses and keeps what can be true.
//!
//! The node is hostile. A statement that is impossible on this chain, or about an address that was
//! not asked for, is skipped and logged; it never stops the others, and neither does a node that is
//! gone.

use crate::facts::{self, FactsAge};
use std::collections::BTreeMap;
use std::sync::Arc;
use strongroom_ports::chain::{ChainCodec, ChainGateway, Fact, OwnPath, Registry as _, VaultKey};
use strongroom_ports::db::Tx;
use strongroom_replica::{SharedFollower, TenantVaults};
use strongroom_stage::StageError;
use strongroom_types::registry::ADDRESS_INDEX_MAX;
use strongroom_types::{TenantId, TenantVault};

mod learn;

/// Receive addresses that are watched, from index 0. Which ones were given out is kept nowhere: a
/// deposit to a later one is not seen.
const RECEIVE_COUNT: u32 = 20;
/// Change addresses watched beyond the last one known to be used.
const CHANGE_GAP: u32 = 20;
/// Questions about one vault in one sync at most. A node that reports a coin at the last address of
/// every question would be asked forever; an honest rebuild goes on in the next sync.
const ROUNDS_MAX: u32 = 16;
/// Half of the change addresses: a lying node that always reports a coin at the last one cannot
/// burn the other half.
const FOUND_INDEX_MAX: u32 = ADDRESS_INDEX_MAX / 2;
/// Vaults in one sync about which the node was silent, at most. Each silence may last as long as
/// the node's time limit, and a tick holds the database.
const SILENT_MAX: usize = 4;

/// Result of one sync of a vault.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Synced {
    /// The table has the node's newest answer about every address of the vault.
    Done,
    /// The search for the addresses that a lost table had given out goes on in the next sync.
    Searching,
    /// The node did not answer; the table is as it was.
    Unavailable,
}

/// Learns what the vaults hold. Everything it remembers can be made again.
pub(crate) struct Watcher {
    codec: Arc<dyn ChainCodec>,
    gateway: Arc<dyn ChainGateway>,
    watched: BTreeMap<TenantVault, Watched>,
    /// Results of the last sync, of the vaults that had a turn.
    synced: BTreeMap<TenantVault, Synced>,
    /// The vault at which the last sync gave up; the next one begins behind it.
    gave_up_at: Option<TenantVault>,
    /// Whether the node did not answer the last question.
    is_silent: bool,
}

/// The addresses of one vault.
#[derive(Default)]
struct Watched {
    addresses: BTreeMap<String, OwnPath>,
    /// Change addresses among them, from index 0.
    change: u32,
    /// Whether the search for change addresses that a lost table had given out has ended.
    searched: bool,
    /// Whether the last answer had something in it that cannot be true.
    is_lied_about: bool,
    /// Whether no address can be derived from the vault's key.
    is_unusable: bool,
}

impl Watcher {
    pub(crate) fn new(codec: Arc<dyn ChainCodec>, gateway: Arc<dyn ChainGateway>) -> Self {
        Self {
            codec,
            gateway,
            watched: BTreeMap::new(),
            synced: BTreeMap::new(),
            gave_up_at: None,
            is_silent: false,
        }
    }

    /// Starts the searches again after a transaction that was not committed: what they had found
    /// is not in the table.
    pub(crate) fn reload(&mut self) {
        for watched in self.watched.values_mut() {
            watched.searched = false;
        }
    }

    /// Asks the network about the chain and all vaults.
    pub(crate) fn sync(
        &mut self,
        tx: &mut dyn Tx,
        journal: &SharedFollower,
    ) -> Result<(), StageError> {
        let mut vaults = vault_keys(journal);

        // Vaults that had no turn last time come first: a node that is silent about some vaults
        // must not hide the deposits of all others.
        if let Some(last) = self.gave_up_at.take() {
            let turn = vaults.partition_point(|(id, _)| *id <= last);
            vaults.rotate_left(turn);
        }

        self.synced.clear();
        let mut silent = 0;
        for (id, key) in &vaults {
            let synced = self.sync_vault(tx, *id, key)?;
            self.synced.insert(*id, synced);
            match synced {
                Synced::Done | Synced::Searching => {}
                Synced::Unavailable => silent += 1,
            }
            if silent == SILENT_MAX {
                self.gave_up_at = Some(*id);
                break;
            }
        }
        Ok(())
    }

    /// Age of the facts about a vault, after a sync of this round. A silent node proves nothing
    /// about funds, nor does a table that is not whole.
    pub(crate) fn age(&self, id: TenantVault) -> FactsAge {
        match self.synced.get(&id) {
            Some(Synced::Done) => FactsAge::Fresh,
            Some(Synced::Searching | Synced::Unavailable) | None => FactsAge::Kept,
        }
    }

    /// Asks until nothing is found near the end of what is watched, so that a lost table is rebuilt
    /// whole.
    fn sync_vault(
        &mut self,
        tx: &mut dyn Tx,
        id: TenantVault,
        key: &VaultKey,
    ) -> Result<Synced, StageError> {
        // A key of another scheme has no addresses on this chain.
        if !self.codec.manifest().suites.contains(&key.suite) {
            return Ok(Synced::Done);
        }

        for _ in 0..ROUNDS_MAX {
            let given = facts::change_count(tx, id)?;
            if !self.watch(id, key, given.saturating_add(CHANGE_GAP)) {
                return Ok(Synced::Done);
            }

            let Some(found) = self.ask(id) else {
                return Ok(Synced::Unavailable);
            };
            let last = self.store_facts(tx, id, found)?;

            // Only a lost table can know less than the chain: once the end was seen, a coin beyond
            // what was given out is not a reason to skip addresses.
            let Some(watched) = self
                .watched
                .get_mut(&id)
                .filter(|watched| !watched.searched)
            else {
                return Ok(Synced::Done);
            };
            match last.filter(|last| *last >= given && *last < FOUND_INDEX_MAX) {
                Some(last) => facts::set_change_at_least(tx, id, last.saturating_add(1))?,
                None => {
                    watched.searched = true;
                    return Ok(Synced::Done);
                }
            }
        }
        Ok(Synced::Searching)
    }

    /// The node's statements about a vault's addresses; `None` when it does not answer.
    fn ask(&mut self, id: TenantVault) -> Option<Vec<Fact>> {
        let watched = self.watched.get(&id)?;
        let asked: Vec<String> = watched.addresses.keys().cloned().collect();
        match self.gateway.facts(&asked) {
            Ok(found) => {
                self.is_silent = false;
                Some(found)
            }
            Err(error) => {
                // Once per silence, not once per vault and second.
                if !self.is_silent {
                    let error: &dyn std::error::Error = &error;
                    tracing::warn!(error, "the chain's node does not answer");
                }
                self.is_silent = true;
                None
            }
        }
    }

    /// Watches change addresses below `change`, and the receive addresses; `false` when the key
    /// gives none.
    fn watch(&mut self, id: TenantVault, key: &VaultKey, change: u32) -> bool {
        let watched = self.watched.entry(id).or_default();
        if watched.is_unusable {
            return false;
        }

        let first = watched.addresses.is_empty();
        let receive = (0..RECEIVE_COUNT).filter(|_| first).map(|index| (0, index));
        // Beyond the bound no signer takes an address for the vault's own.
        let change = change.min(ADDRESS_INDEX_MAX);
        let more = (watched.change..change).map(|index| (1, index));
        for (branch, index) in receive.chain(more) {
            let path = OwnPath {
                change: branch,
                index,
            };
            match self.codec.derive_address(key, path) {
                Ok(address) => watched.addresses.insert(address, path),
                // One vault's key must not stop the service for all tenants.
                Err(why) => {
                    tracing::error!(tenant.id = %id.tenant, vault.id = %id.vault, %why, "the vault has no addresses");
                    watched.is_unusable = true;
                    return false;
                }
            };
        }
        watched.change = watched.change.max(change);
        true
    }
}

/// Every vault of every tenant whose key is finished, by tenant and id.
fn vault_keys(journal: &SharedFollower) -> Vec<(TenantVault, VaultKey)> {
    let mut keys: Vec<(TenantVault, VaultKey)> = journal.read(|f| {
        let of = |tenant: TenantId| {
            let key = move |vault| {
                TenantVaults::new(f.state(), tenant)
                    .vault_key(vault)
                    .map(|key| (TenantVault { tenant, vault }, key))
            };
            f.state()
                .vaults(tenant)
                .into_iter()
                .filter_map(move |record| key(record.vault.id))
        };
        f.state().tenants().into_iter().flat_map(of).collect()
    });

    // The order in which vaults take turns.
    keys.sort_unstable_by_key(|(id, _)| *id);
    keys
}
