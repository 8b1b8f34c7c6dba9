//! The watcher: asks the network about the vaults' own addresses and keeps what can be true.
//!
//! The node is hostile. A statement that is impossible on this chain, or about an address that was
//! not asked for, is skipped and logged; it never stops the others, and neither does a node that is
//! gone.

use crate::facts;
use std::collections::BTreeMap;
use std::sync::Arc;
use strongroom_ports::chain::{
    AccountFact, ChainCodec, ChainGateway, CoinFact, Fact, GatewayError, OwnAccount, OwnCoin,
    OwnPath, Registry as _, VaultKey,
};
use strongroom_ports::db::Tx;
use strongroom_replica::{SharedFollower, TenantVaults};
use strongroom_stage::StageError;
use strongroom_types::registry::ADDRESS_INDEX_MAX;
use strongroom_types::{TenantId, VaultId};

/// Receive addresses that are watched.
const RECEIVE_GAP: u32 = 4;
/// Change addresses watched beyond the last one known to be used.
const CHANGE_GAP: u32 = 20;
/// Statements that one answer may have: what is beyond is dropped, so that a node cannot fill the
/// disk at once.
const FACTS_MAX: usize = 50_000;
/// Looks further along the change addresses within one sync.
const ROUNDS_MAX: u32 = 64;
/// Half of the change addresses: a lying node that always reports a coin at the last one cannot
/// burn the other half.
const FOUND_INDEX_MAX: u32 = ADDRESS_INDEX_MAX / 2;

/// What a sync of a vault came to.
pub(crate) enum Synced {
    /// The table has the node's newest answer.
    Done,
    /// The node did not answer; the table is as it was.
    Unavailable(GatewayError),
}

/// Learns what the vaults hold.
pub(crate) struct Watcher {
    pub(crate) codec: Arc<dyn ChainCodec>,
    pub(crate) gateway: Arc<dyn ChainGateway>,
    watched: BTreeMap<VaultId, Watched>,
}

/// The addresses of one vault.
#[derive(Default)]
struct Watched {
    addresses: BTreeMap<String, OwnPath>,
    /// Change addresses among them, from index 0.
    change: u32,
    /// Whether the search for change addresses that a lost table had given out has ended.
    searched: bool,
}

impl Watcher {
    pub(crate) fn new(codec: Arc<dyn ChainCodec>, gateway: Arc<dyn ChainGateway>) -> Self {
        Self {
            codec,
            gateway,
            watched: BTreeMap::new(),
        }
    }

    /// Asks the network about the chain and all vaults. An unavailable node is for the next time.
    pub(crate) fn sync(
        &mut self,
        tx: &mut dyn Tx,
        journal: &SharedFollower,
    ) -> Result<(), StageError> {
        let vaults: Vec<(VaultId, VaultKey)> = journal.read(|f| {
            let of = |tenant: TenantId| {
                let key = move |id| {
                    TenantVaults::new(f.state(), tenant)
                        .vault_key(id)
                        .map(|key| (id, key))
                };
                f.state()
                    .vaults(tenant)
                    .into_iter()
                    .filter_map(move |record| key(record.vault.id))
            };
            f.state().tenants().into_iter().flat_map(of).collect()
        });
        for (id, key) in &vaults {
            // Reminders and confirmations follow a sync: what a node says or does not say about
            // one vault must not hold them up.
            if let Synced::Unavailable(error) = self.sync_vault(tx, *id, key)? {
                tracing::warn!(vault.id = %id, %error, "the chain's node did not answer");
            }
        }
        Ok(())
    }

    /// Asks until nothing is found near the end of what is watched, so that a lost table is rebuilt
    /// whole.
    pub(crate) fn sync_vault(
        &mut self,
        tx: &mut dyn Tx,
        id: VaultId,
        key: &VaultKey,
    ) -> Result<Synced, StageError> {
        // A key of another scheme has no addresses on this chain.
        if !self.codec.manifest().suites.contains(&key.suite) {
            return Ok(Synced::Done);
        }

        for _ in 0..ROUNDS_MAX {
            let given = facts::change_count(tx, id)?;
            self.watch(id, key, given.saturating_add(CHANGE_GAP))?;
            let Some(watched) = self.watched.get(&id) else {
                return Ok(Synced::Done);
            };
            let asked: Vec<String> = watched.addresses.keys().cloned().collect();
            let found = match self.gateway.facts(&asked) {
                Ok(found) => found,
                Err(error) => return Ok(Synced::Unavailable(error)),
            };
            let last = self.learn(tx, id, found)?;

            // Only a lost table can know less than the chain: once the end was seen, a coin beyond
            // what was given out is no reason to skip addresses.
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
        Ok(Synced::Done)
    }

    /// Stores what can be true. Gives the highest change index that holds something.
    fn learn(
        &self,
        tx: &mut dyn Tx,
        id: VaultId,
        found: Vec<Fact>,
    ) -> Result<Option<u32>, StageError> {
        let mut last = None;
        let mut absurd = Vec::new();
        for fact in found.into_iter().take(FACTS_MAX) {
            if let Err(refusal) = self.codec.check_fact(&fact) {
                absurd.push(refusal);
                continue;
            }
            let path = match fact {
                Fact::Head { height } => {
                    facts::set_height(tx, height)?;
                    None
                }
                Fact::Fees(fees) => {
                    facts::set_fees(tx, &fees)?;
                    None
                }
                Fact::Coin(coin) => self.learn_coin(tx, id, coin)?,
                Fact::Account(account) => self.learn_account(tx, id, account)?,
            };
            last = last.max(path.filter(|path| path.change == 1).map(|path| path.index));
        }

        // One line for each answer: a node must not fill the log either.
        if let Some(first) = absurd.first() {
            tracing::warn!(
                vault.id = %id, count = absurd.len(), %first,
                "the chain's node said what cannot be true"
            );
        }
        Ok(last)
    }

    fn learn_coin(
        &self,
        tx: &mut dyn Tx,
        id: VaultId,
        fact: CoinFact,
    ) -> Result<Option<OwnPath>, StageError> {
        let CoinFact {
            key,
            address,
            asset,
            amount,
            height,
        } = fact;
        // Unconfirmed is never final: it may be replaced by a transaction that pays others.
        let Some(path) = self.path(id, &address).filter(|_| height.is_some()) else {
            return Ok(None);
        };
        facts::set_coin(
            tx,
            id,
            OwnCoin {
                key,
                path,
                asset,
                amount,
            },
        )?;
        Ok(Some(path))
    }

    fn learn_account(
        &self,
        tx: &mut dyn Tx,
        id: VaultId,
        fact: AccountFact,
    ) -> Result<Option<OwnPath>, StageError> {
        let AccountFact {
            address,
            next,
            asset,
            amount,
        } = fact;
        let Some(path) = self.path(id, &address) else {
            return Ok(None);
        };
        facts::set_account(
            tx,
            id,
            &address,
            OwnAccount {
                path,
                next,
                asset,
                amount,
            },
        )?;
        Ok(Some(path))
    }

    /// The vault's path of an address; `None` for one that was not asked for, which is the node's
    /// mistake or lie.
    fn path(&self, id: VaultId, address: &str) -> Option<OwnPath> {
        self.watched.get(&id)?.addresses.get(address).copied()
    }

    /// Watches change addresses below `change`, and the receive addresses.
    fn watch(&mut self, id: VaultId, key: &VaultKey, change: u32) -> Result<(), StageError> {
        let watched = self.watched.entry(id).or_default();
        let first = watched.addresses.is_empty();
        let receive = (0..RECEIVE_GAP).filter(|_| first).map(|index| (0, index));
        let change = change.min(ADDRESS_INDEX_MAX);
        let more = (watched.change..change).map(|index| (1, index));
        for (branch, index) in receive.chain(more) {
            let path = OwnPath {
                change: branch,
                index,
            };
            let address = self.codec.derive_address(key, path);
            let address =
                address.map_err(|e| StageError::fatal("an address of the vault").because(e))?;
            watched.addresses.insert(address, path);
        }
        watched.change = watched.change.max(change);
        Ok(())
    }
}
