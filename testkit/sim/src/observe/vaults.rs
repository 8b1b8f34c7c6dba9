//! Vaults and keys as entries state them, and what a payment into one of them pays.

use std::collections::BTreeMap;
use strongroom_chain_bitcoin::{BitcoinCodec, Network};
use strongroom_journal::Finished;
use strongroom_mpc_core::PublicKeyRecord;
use strongroom_ports::chain::{ChainCodec as _, OwnPath, VaultKey};
use strongroom_types::{Destination, Intent, KeyId, Suite, Vault, VaultId};

/// Path of the address that receives payments from another vault of the tenant.
const RECEIVE: OwnPath = OwnPath {
    change: 0,
    index: 0,
};

/// Every vault that was put, and every key that was finished.
#[derive(Default)]
pub(super) struct Vaults {
    put: BTreeMap<VaultId, Vault>,
    finished: BTreeMap<KeyId, PublicKeyRecord>,
}

impl Vaults {
    pub(super) fn on_put(&mut self, vault: &Vault) {
        self.put.insert(vault.id, vault.clone());
    }

    pub(super) fn on_finished(&mut self, finished: &Finished) {
        let public = PublicKeyRecord::from_bytes(&finished.public).unwrap();
        self.finished.insert(finished.key, public);
    }

    /// Key from which a vault's addresses derive.
    pub(super) fn key(&self, vault: VaultId) -> Option<VaultKey> {
        let vault = self.put.get(&vault)?;
        let public = self.finished.get(&vault.key)?;
        Some(VaultKey {
            suite: Suite::FrostSecp256k1Tr,
            public_key: public.group_key.clone(),
            chain_code: public.chain_code,
            account: vault.account,
        })
    }

    fn address(&self, vault: VaultId) -> Option<String> {
        let codec = BitcoinCodec::new(Network::Regtest).ok()?;
        codec.derive_address(&self.key(vault)?, RECEIVE).ok()
    }

    /// Payments of an intent: (address, amount), sorted.
    pub(super) fn pays(&self, intent: &Intent) -> Vec<(String, u64)> {
        let mut pays = Vec::new();
        for transfer in intent.transfers() {
            let to = match &transfer.destination {
                Destination::Address(address) => address.clone(),
                // A vault without a key has no address; its name is one that nothing can pay.
                Destination::Vault(vault) => {
                    let address = self.address(*vault);
                    address.unwrap_or_else(|| vault.to_string())
                }
            };
            pays.push((to, transfer.amount.to_u64().unwrap()));
        }
        pays.sort();
        pays
    }

    /// Keys of the vaults that an intent pays into.
    pub(super) fn paid_into(&self, intent: &Intent) -> Vec<KeyId> {
        let transfers = intent.transfers().iter();
        let vaults = transfers.filter_map(|transfer| match &transfer.destination {
            Destination::Address(_) => None,
            Destination::Vault(vault) => self.put.get(vault),
        });
        vaults.map(|vault| vault.key).collect()
    }
}
