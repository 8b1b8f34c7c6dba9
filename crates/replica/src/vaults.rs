//! Vault keys as the journal's state has them, for codecs.

use strongroom_journal::state::{Lookup as _, View};
use strongroom_ports::chain::{VaultKey, VaultKeys};
use strongroom_types::{TenantId, VaultId};

/// Vaults of one tenant in one view of the state.
pub struct TenantVaults<'a> {
    view: &'a dyn View,
    tenant: TenantId,
}

impl<'a> TenantVaults<'a> {
    /// A tenant's vaults.
    #[must_use]
    pub fn new(view: &'a dyn View, tenant: TenantId) -> Self {
        Self { view, tenant }
    }
}

impl VaultKeys for TenantVaults<'_> {
    /// The key of a vault, once its ceremony has finished.
    fn vault_key(&self, vault: VaultId) -> Option<VaultKey> {
        let vault = self.view.vault(self.tenant, vault).ok()?.vault;
        let key = self.view.threshold_key(self.tenant, vault.key).ok()?;
        let (suite, public) = (key.plan.suite, key.public?);
        let account = vault.account;
        Some(VaultKey {
            suite,
            public_key: public.group_key,
            chain_code: public.chain_code,
            account,
        })
    }
}
