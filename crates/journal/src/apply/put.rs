//! Registry acts of a tenant: which records take effect at once, which when they are witnessed, and
//! which wait for delay and release.

use super::change::Change;
use super::opened::VerifiedAct;
use super::record::{check_ceremony, put_policy, put_vault};
use super::{board, check_not_stopped, policies, proposal, waiting};
use crate::model::{ActStanding, ProposalRecord, TenantRecord, WaitingChange};
use crate::state::Lookup as _;
use strongroom_guard::{G, guard};
use strongroom_policy::is_tighter;
use strongroom_types::{Refusal, RegistryRecord, TenantId};

/// Sets a record at once (provably tighter policy), when its entry is witnessed (vault), or opens a
/// proposal for it.
pub(super) fn put(
    change: &mut Change<'_>,
    tenant: TenantId,
    record: &RegistryRecord,
    opened: &VerifiedAct,
) -> Result<ActStanding, Refusal> {
    let current = change.tenant(tenant)?;
    let loosening = || ProposalRecord::new(record, current.loosen_delay_ms);
    match record {
        // A vault opens no way out by itself: its policy is the tenant's, its key has its own
        // ceremony.
        RegistryRecord::Vault(vault) => {
            check_vault_signed(change, tenant, &current, opened)?;
            check_not_stopped(&*change, tenant)?;
            change.trial(|change| put_vault(change, tenant, vault))?;

            // The vault waits until its entry is witnessed: an old one that was held back could be
            // the laxer source for a payment of today.
            let effect = WaitingChange::Vault(vault.clone());
            waiting::act(change, tenant, opened, effect)?;
            Ok(ActStanding::Released)
        }
        // A policy that is provably tighter takes effect at once. Everything that is not proved
        // tighter counts as looser.
        RegistryRecord::Policy(text) => {
            opened.need(&current.committee)?;
            let (new, digest) = policies::load(&change.state().genesis().bounds, text)?;
            let old = change.policy(tenant, &current)?;
            if !guard(G::Tighter, !is_tighter(&old, &new)) {
                put_policy(change, tenant, text, digest)?;
                return Ok(ActStanding::InForce);
            }
            proposal::open(change, tenant, opened, &loosening())
        }
        RegistryRecord::Ceremony(plan) => {
            opened.need(&current.committee)?;
            check_ceremony(change, tenant, plan)?;
            let ceremony = ProposalRecord::new(record, current.ceremony_delay_ms);
            proposal::open(change, tenant, opened, &ceremony)
        }
        // Its quorum could enroll a second credential of any member in the same time and by the
        // same signatures, so a board adds nothing to that.
        RegistryRecord::Board(new) => {
            opened.need(&current.committee)?;
            board::check_members(change, tenant, &new.board)?;
            proposal::open(change, tenant, opened, &loosening())
        }
        // Each of these lets a person approve, or an address receive, that could not before.
        RegistryRecord::User(_)
        | RegistryRecord::Credential(_)
        | RegistryRecord::Group(_)
        | RegistryRecord::AllowList(_) => {
            opened.need(&current.committee)?;
            proposal::open(change, tenant, opened, &loosening())
        }
    }
}

/// Requires the admins for a vault, and the committee beside them where rules tell sources apart.
fn check_vault_signed(
    change: &Change<'_>,
    tenant: TenantId,
    current: &TenantRecord,
    opened: &VerifiedAct,
) -> Result<(), Refusal> {
    opened.need(&current.admins)?;

    // There, tags and id choose the rule by which it pays: by the admins alone, a vault fed by
    // internal transfers could be a laxer source than those that feed it.
    let policy = change.state().policy(tenant, current)?;
    let by_committee = opened.check_quorum(&current.committee);
    let is_missing = policy.tells_vaults_apart() && by_committee.is_err();
    if guard(G::VaultByCommittee, is_missing) {
        return by_committee;
    }
    Ok(())
}
