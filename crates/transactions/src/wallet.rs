//! Reading vault keys from the replica, and coins from the network.

use crate::coins;
use std::collections::BTreeMap;
use std::sync::Arc;
use strongroom_ports::chain::{
    ChainCodec, ChainGateway, OwnCoin, OwnPath, VaultKey, VaultKeys as _,
};
use strongroom_ports::db::Tx;
use strongroom_replica::{SharedFollower, TenantVaults};
use strongroom_stage::StageError;
use strongroom_types::{TenantId, VaultId};

/// Receive addresses that are watched.
const RECEIVE_GAP: u32 = 4;
/// Change addresses watched beyond the last one known to be used.
const CHANGE_GAP: u32 = 20;

/// Learns the confirmed coins of every vault.
pub(crate) struct Watcher {
    pub(crate) codec: Arc<dyn ChainCodec>,
    pub(crate) gateway: Arc<dyn ChainGateway>,
    addresses: BTreeMap<VaultId, BTreeMap<String, OwnPath>>,
}

impl Watcher {
    pub(crate) fn new(codec: Arc<dyn ChainCodec>, gateway: Arc<dyn ChainGateway>) -> Self {
        Self {
            codec,
            gateway,
            addresses: BTreeMap::new(),
        }
    }

    /// Asks the network for the coins of all vaults. An unavailable node is for the next time.
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
        vaults
            .iter()
            .try_for_each(|(id, key)| self.sync_vault(tx, *id, key))
    }

    /// Asks until no coin is found near the end of what is watched, so that a lost table is rebuilt
    /// whole.
    pub(crate) fn sync_vault(
        &mut self,
        tx: &mut dyn Tx,
        id: VaultId,
        key: &VaultKey,
    ) -> Result<(), StageError> {
        loop {
            let used = coins::change_count(tx, id)?;
            self.watch(id, key, used + CHANGE_GAP)?;
            let Some(known) = self.addresses.get(&id) else {
                return Ok(());
            };
            let asked: Vec<String> = known.keys().cloned().collect();
            let found = self
                .gateway
                .coins(&asked)
                .map_err(|e| StageError::transient("the chain node").because(e))?;
            let mut last = None;
            for coin in found.into_iter().filter(|coin| coin.confirmations > 0) {
                // A coin of an address nobody asked for is the node's mistake or lie.
                let Some(path) = known.get(&coin.address).copied() else {
                    continue;
                };
                coins::learn(
                    tx,
                    id,
                    &OwnCoin {
                        key: coin.key,
                        amount: coin.amount,
                        path,
                    },
                )?;
                last = last.max((path.change == 1).then_some(path.index));
            }
            let Some(last) = last.filter(|last| *last >= used) else {
                return Ok(());
            };
            coins::change_at_least(tx, id, last + 1)?;
        }
    }

    fn watch(&mut self, id: VaultId, key: &VaultKey, change: u32) -> Result<(), StageError> {
        let known = self.addresses.entry(id).or_default();
        let have = u32::try_from(known.len()).unwrap_or(u32::MAX);
        let receive = (0..RECEIVE_GAP).map(|index| OwnPath { change: 0, index });
        let branch =
            (have.saturating_sub(RECEIVE_GAP)..change).map(|index| OwnPath { change: 1, index });
        for path in receive.filter(|_| have == 0).chain(branch) {
            let address = self
                .codec
                .derive_address(key, path)
                .map_err(|e| StageError::fatal("an address of the vault").because(e))?;
            known.insert(address, path);
        }
        Ok(())
    }
}
