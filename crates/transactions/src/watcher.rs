//! The watcher: asks the network about the vaults' own addresses and keeps what can be true.
//!
//! The node is hostile. A statement that is impossible on this chain, or about an address that was
//! not asked for, is skipped and logged; it never stops the others, and neither does a node that is
//! gone.

use crate::facts::FactsAge;
use crate::node::Node;
use std::collections::BTreeMap;
use std::sync::Arc;
use strongroom_ports::chain::{ChainCodec, Fact, OwnPath, Registry as _, VaultKey};
use strongroom_ports::db::Tx;
use strongroom_replica::{SharedFollower, TenantVaults};
use strongroom_stage::StageError;
use strongroom_types::registry::ADDRESS_INDEX_MAX;
use strongroom_types::{Refusal, TenantId, TenantVault};

mod learn;

/// Vaults in one sync about which the node was silent, at most. Each silence may last as long as
/// the node's time limit, and a tick holds the database.
const SILENT_MAX: usize = 4;

/// Result of one sync of a vault.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Synced {
    /// The table has the node's newest answer about every address of the vault.
    Done,
    /// The node did not answer; the table is as it was.
    Unavailable,
}

/// Learns what the vaults hold. Everything it remembers can be made again.
pub(crate) struct Watcher {
    codec: Arc<dyn ChainCodec>,
    watched: BTreeMap<TenantVault, Watched>,
    /// Results of the last sync, of the vaults that had a turn.
    synced: BTreeMap<TenantVault, Synced>,
    /// The vault at which the last sync gave up or had no more time; the next one begins behind it.
    gave_up_at: Option<TenantVault>,
    /// Whether the node did not answer the last question.
    is_silent: bool,
}

/// A vault that can be asked about: its key is finished.
struct KeyedVault {
    id: TenantVault,
    key: VaultKey,
}

/// All addresses of one vault; none when its key gives none.
struct Watched {
    addresses: BTreeMap<String, OwnPath>,
    /// Whether the last answer had something in it that cannot be true.
    is_lied_about: bool,
}

impl Watcher {
    pub(crate) fn new(codec: Arc<dyn ChainCodec>) -> Self {
        Self {
            codec,
            watched: BTreeMap::new(),
            synced: BTreeMap::new(),
            gave_up_at: None,
            is_silent: false,
        }
    }

    /// Asks the network about the chain and all vaults.
    pub(crate) fn sync(
        &mut self,
        tx: &mut dyn Tx,
        journal: &SharedFollower,
        node: &mut Node,
    ) -> Result<(), StageError> {
        let mut vaults = keyed_vaults(journal);

        // Vaults that had no turn last time come first: a node that is slow, or silent about some
        // vaults, must not hide the deposits of all others.
        let mut last = self.gave_up_at.take();
        if let Some(last) = last {
            let turn = vaults.partition_point(|vault| vault.id <= last);
            vaults.rotate_left(turn);
        }

        node.begin_job();
        self.synced.clear();
        let mut silent = 0;
        for vault in &vaults {
            if silent == SILENT_MAX || !node.has_time() {
                self.gave_up_at = last;
                break;
            }
            last = Some(vault.id);

            let synced = self.sync_vault(tx, vault, node)?;
            self.synced.insert(vault.id, synced);
            match synced {
                Synced::Done => {}
                Synced::Unavailable => silent += 1,
            }
        }
        Ok(())
    }

    /// Age of the facts about a vault, after a sync of this round. A silent node proves nothing
    /// about funds.
    pub(crate) fn age(&self, id: TenantVault) -> FactsAge {
        match self.synced.get(&id) {
            Some(Synced::Done) => FactsAge::Fresh,
            Some(Synced::Unavailable) | None => FactsAge::Kept,
        }
    }

    /// Asks about every address that signers take for the vault's own: which ones hold coins cannot
    /// be known without, and a table that was lost is rebuilt whole by one answer.
    fn sync_vault(
        &mut self,
        tx: &mut dyn Tx,
        vault: &KeyedVault,
        node: &mut Node,
    ) -> Result<Synced, StageError> {
        let KeyedVault { id, ref key } = *vault;

        // A key of another scheme has no addresses on this chain.
        if !self.codec.manifest().suites.contains(&key.suite) || !self.watch(id, key) {
            return Ok(Synced::Done);
        }

        let Some(found) = self.ask(id, node) else {
            return Ok(Synced::Unavailable);
        };
        self.store_facts(tx, id, found)?;
        Ok(Synced::Done)
    }

    /// The node's statements about a vault's addresses; `None` when it does not answer.
    fn ask(&mut self, id: TenantVault, node: &mut Node) -> Option<Vec<Fact>> {
        let watched = self.watched.get(&id)?;
        let asked: Vec<String> = watched.addresses.keys().cloned().collect();
        match node.facts(&asked) {
            Ok(found) => {
                self.is_silent = false;
                Some(found)
            }
            Err(error) => {
                // This is logged once per silence, not once per vault and second.
                if !self.is_silent {
                    let error: &dyn std::error::Error = &error;
                    tracing::warn!(error, "the chain's node does not answer");
                }
                self.is_silent = true;
                None
            }
        }
    }

    /// Derives the vault's addresses at its first turn; `false` when its key gives none.
    fn watch(&mut self, id: TenantVault, key: &VaultKey) -> bool {
        let watched = self.watched.entry(id).or_insert_with(|| {
            let addresses = addresses(self.codec.as_ref(), key).unwrap_or_else(|why| {
                // An unusable key is logged and skipped: it must not stop the service for all
                // tenants.
                tracing::error!(tenant.id = %id.tenant, vault.id = %id.vault, %why, "the vault has no addresses");
                BTreeMap::new()
            });
            Watched {
                addresses,
                is_lied_about: false,
            }
        });
        !watched.addresses.is_empty()
    }
}

/// The addresses of a vault on both branches.
fn addresses(codec: &dyn ChainCodec, key: &VaultKey) -> Result<BTreeMap<String, OwnPath>, Refusal> {
    let branch = |change| (0..ADDRESS_INDEX_MAX).map(move |index| OwnPath { change, index });
    let paths: Vec<OwnPath> = branch(0).chain(branch(1)).collect();
    let derived = codec.derive_addresses(key, &paths)?;
    Ok(derived.into_iter().zip(paths).collect())
}

/// Every vault of every tenant whose key is finished, by tenant and id.
fn keyed_vaults(journal: &SharedFollower) -> Vec<KeyedVault> {
    let mut vaults: Vec<KeyedVault> = journal.read(|f| {
        let of = |tenant: TenantId| {
            let key = move |vault| {
                TenantVaults::new(f.state(), tenant)
                    .vault_key(vault)
                    .map(|key| KeyedVault {
                        id: TenantVault { tenant, vault },
                        key,
                    })
            };
            f.state()
                .vaults(tenant)
                .into_iter()
                .filter_map(move |record| key(record.vault.id))
        };
        f.state().tenants().into_iter().flat_map(of).collect()
    });

    // Vaults take turns in this order.
    vaults.sort_unstable_by_key(|vault| vault.id);
    vaults
}
