//! Further keys and vaults.

use super::People;
use crate::plan::PlannedAct;
use strongroom_types::{
    Act, ActBody, CeremonyPlan, Document as _, KeyId, RegistryRecord, Signed, Tighten, VaultId,
};
use strongroom_world::Who;

/// The record that an act puts.
fn put_by(signed: &Signed) -> Option<RegistryRecord> {
    match Act::parse(&signed.text).ok()?.body {
        ActBody::Put(record) => Some(record),
        _ => None,
    }
}

/// Vault that an act creates.
pub(super) fn vault_of(signed: &Signed) -> Option<VaultId> {
    match put_by(signed)? {
        RegistryRecord::Vault(vault) => Some(vault.id),
        _ => None,
    }
}

/// Key whose ceremony an act proposes.
pub(super) fn key_of(signed: &Signed) -> Option<KeyId> {
    match put_by(signed)? {
        RegistryRecord::Ceremony(plan) => Some(plan.key),
        _ => None,
    }
}

impl People {
    /// An act about a further key or vault, and who signs it; none when there is nothing to act
    /// upon.
    pub(super) fn key_body(&self, now: u64, act: PlannedAct) -> Option<(ActBody, Vec<Who>)> {
        let world = &self.rig.world;
        let tenant = &world.tenant;
        Some(match act {
            PlannedAct::NewVault => {
                let mut vault = tenant.first_vault();
                vault.id = VaultId(world.seed.id("more vaults", now));
                vault.name = "second".parse().unwrap();

                // Of a key of its own where there is one; else beside the first vault, whose
                // addresses it must not share.
                match self.keys.last() {
                    Some(key) => vault.key = *key,
                    None => vault.account = 1,
                }
                let put = ActBody::Put(RegistryRecord::Vault(vault));
                (put, tenant.admin_quorum())
            }
            PlannedAct::NewKey => {
                let plan = CeremonyPlan {
                    key: KeyId(world.seed.id("more keys", now)),
                    ..world.plan()
                };
                let put = ActBody::Put(RegistryRecord::Ceremony(plan));
                (put, tenant.committee_quorum())
            }
            PlannedAct::RevokeKey => {
                let revoke = Tighten::revoke(*self.keys.last()?);
                (ActBody::Tighten(revoke), tenant.committee_quorum())
            }
            _ => return None,
        })
    }
}
