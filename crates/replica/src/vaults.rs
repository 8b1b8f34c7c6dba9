//! Vault keys in the journal's state, as codecs ask for them.

use strongroom_journal::model::KeyRecord;
use strongroom_journal::state::{Lookup as _, View};
use strongroom_ports::chain::{Registry, VaultKey};
use strongroom_types::{TenantId, VaultId};

/// Vaults of one tenant in one view of the state.
///
/// A codec resolves internal destinations through it, so a vault of another tenant is never found:
/// a payment "to our other vault" must not reach a vault of another institution.
pub struct TenantVaults<'a> {
    view: &'a dyn View,
    tenant: TenantId,
}

impl<'a> TenantVaults<'a> {
    /// The vaults of `tenant`.
    #[must_use]
    pub fn new(view: &'a dyn View, tenant: TenantId) -> Self {
        Self { view, tenant }
    }
}

impl Registry for TenantVaults<'_> {
    fn vault_key(&self, vault: VaultId) -> Option<VaultKey> {
        let vault = self.view.vault(self.tenant, vault).ok()?.vault;
        let key = self.view.threshold_key(self.tenant, vault.key).ok()?;
        vault_key(&key, vault.account)
    }
}

/// The public key from which the addresses of a vault derive; `None` before its ceremony is
/// finished.
///
/// `account` is the vault's account index under that key.
#[must_use]
pub fn vault_key(key: &KeyRecord, account: u32) -> Option<VaultKey> {
    let public = key.public.as_ref()?;
    Some(VaultKey {
        suite: key.plan.suite,
        public_key: public.group_key.clone(),
        chain_code: public.chain_code,
        account,
    })
}
