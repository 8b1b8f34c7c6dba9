//! Registry records: how each kind is put in force, people and credentials also out of it.

use super::change::Change;
use super::{board, policies};
use crate::keyspace as ks;
use crate::model::{
    CredentialRecord, GroupRecord, KeyRecord, ListedRecord, MinuteCount, UserRecord, VaultRecord,
};
use crate::state::Lookup as _;
use strongroom_guard::{G, guard};
use strongroom_types::charter::Charter;
use strongroom_types::{
    AllowListEntry, CeremonyPlan, Code, Credential, CredentialId, Digest, Group, Refusal,
    RegistryRecord, Scope, TenantId, UnixMs, User, UserId, Vault, digest,
};

/// The release of a proposal.
#[derive(Clone, Copy)]
pub(super) struct Released {
    /// Digest of the act that releases it.
    pub(super) by: Digest,
    /// Witnessed time of that act's entry; its own time while it is only tried.
    pub(super) at: UnixMs,
}

/// Puts a released proposal in force at its witnessed time. Everything is checked again: the state
/// has moved since it was proposed.
pub(super) fn put_released(
    change: &mut Change<'_>,
    tenant: TenantId,
    record: &RegistryRecord,
    released: Released,
) -> Result<(), Refusal> {
    match record {
        RegistryRecord::User(user) => put_user(change, tenant.into(), user),
        RegistryRecord::Credential(credential) => put_credential(change, tenant.into(), credential),
        RegistryRecord::Group(group) => put_group(change, tenant, group),
        RegistryRecord::AllowList(entry) => put_listed(change, tenant, Some(released.at), entry),
        RegistryRecord::Policy(text) => {
            let (_, digest) = policies::load(&change.state().genesis().bounds, text)?;
            put_policy(change, tenant, text, digest)
        }
        RegistryRecord::Vault(vault) => put_vault(change, tenant, vault),
        RegistryRecord::Ceremony(plan) => put_ceremony(change, tenant, plan, released),
        RegistryRecord::Board(new) => board::put(change, tenant, new),
    }
}

/// Puts the records of a charter in force, all at once.
pub(super) fn put_charter(
    change: &mut Change<'_>,
    tenant: TenantId,
    charter: &Charter,
) -> Result<(), Refusal> {
    for user in &charter.users {
        put_user(change, tenant.into(), user)?;
    }
    for credential in &charter.credentials {
        put_credential(change, tenant.into(), credential)?;
    }
    for group in &charter.groups {
        put_group(change, tenant, group)?;
    }
    for entry in &charter.allow_list {
        put_listed(change, tenant, None, entry)?;
    }

    // The admins need no such check: they countersigned, each with a credential of their own that
    // counts.
    board::check_members(change, tenant, &charter.committee)
}

fn taken(id: impl std::fmt::Display) -> Refusal {
    Refusal::new(Code::AlreadyExists, id)
}

pub(super) fn put_user(change: &mut Change<'_>, scope: Scope, user: &User) -> Result<(), Refusal> {
    // A revoked user's id stays taken: under it, old approvals would count again.
    let key = ks::user(scope, user.id);
    if change.has(&key) {
        return Err(taken(user.id));
    }

    let record = UserRecord {
        name: user.name.clone(),
        revoked: false,
        board_keys: 0,
        intents_open: 0,
    };
    change.put(key, &record);
    Ok(())
}

pub(super) fn put_credential(
    change: &mut Change<'_>,
    scope: Scope,
    credential: &Credential,
) -> Result<(), Refusal> {
    // A credential id is used once: a revoked one never comes back, and no key is swapped below it.
    let key = ks::credential(scope, credential.id);
    if change.has(&key) {
        return Err(taken(credential.id));
    }

    // One key under two ids would be two humans to every quorum, and a revoked one would be back.
    let by_key = ks::public_key(scope, &credential.key);
    if guard(G::KeyOnce, change.has(&by_key)) {
        return Err(taken("the public key of another credential"));
    }
    change.put(by_key, &credential.id);

    if let Some(id) = credential.user {
        let mut user = change.user(scope, id)?;
        user.board_keys += u32::from(credential.board_user().is_some());
        change.put(ks::user(scope, id), &user);
    }

    let record = CredentialRecord {
        credential: credential.clone(),
        revoked: false,
        tightenings: MinuteCount::default(),
        kept: 0,
    };
    change.put(key, &record);
    Ok(())
}

/// Takes a credential out of force; its user counts on boards by one fewer.
pub(super) fn revoke_credential(
    change: &mut Change<'_>,
    scope: Scope,
    id: CredentialId,
) -> Result<(), Refusal> {
    // The credential is read whether it is in force or not: revoking it twice, or after its user,
    // must not be refused.
    let key = ks::credential(scope, id);
    let known: Option<CredentialRecord> = change.record(&key)?;
    let mut known = known.ok_or_else(|| Refusal::new(Code::UnknownCredential, id))?;
    let was_in_force = !std::mem::replace(&mut known.revoked, true);
    change.put(key, &known);

    if let Some(user) = known.credential.board_user().filter(|_| was_in_force) {
        let key = ks::user(scope, user);
        let holder: Option<UserRecord> = change.record(&key)?;
        let mut holder = holder.ok_or(Code::Internal)?;
        holder.board_keys = holder.board_keys.saturating_sub(1);
        change.put(key, &holder);
    }
    Ok(())
}

/// Takes a user out of force, with all their credentials.
pub(super) fn revoke_user(
    change: &mut Change<'_>,
    scope: Scope,
    id: UserId,
) -> Result<(), Refusal> {
    let key = ks::user(scope, id);
    let known: Option<UserRecord> = change.record(&key)?;
    let mut known = known.ok_or_else(|| Refusal::new(Code::UnknownUser, id))?;
    known.revoked = true;
    change.put(key, &known);
    Ok(())
}

fn put_group(change: &mut Change<'_>, tenant: TenantId, group: &Group) -> Result<(), Refusal> {
    for member in &group.members {
        change.user(tenant, *member)?;
    }
    // The committee released every member of this record, so it confirms each earlier removal.
    let record = GroupRecord {
        group: group.clone(),
        left: Vec::new(),
    };
    change.put(ks::group(tenant, group.id), &record);
    Ok(())
}

fn put_listed(
    change: &mut Change<'_>,
    tenant: TenantId,
    since: Option<UnixMs>,
    entry: &AllowListEntry,
) -> Result<(), Refusal> {
    // Authorized intents rely on an entry by its id: another address must never stand under it.
    let by_id = ks::allow_list(tenant, entry.id);
    let by_destination = ks::listed(tenant, &entry.chain, &entry.address);
    let listed: Option<ListedRecord> = change.record(&by_destination)?;
    if change.has(&by_id) || listed.is_some_and(|listed| !listed.removed) {
        return Err(taken(entry.id));
    }
    if change.state().genesis().chain(&entry.chain).is_none() {
        return Err(Refusal::new(Code::UnknownChain, &entry.chain));
    }

    let record = ListedRecord {
        entry: entry.clone(),
        since,
        removed: false,
    };
    change.put_bytes(by_id, by_destination.clone());
    change.put(by_destination, &record);
    Ok(())
}

pub(super) fn put_policy(
    change: &mut Change<'_>,
    tenant: TenantId,
    text: &str,
    digest: Digest,
) -> Result<(), Refusal> {
    let mut current = change.tenant(tenant)?;

    // One text per tenant is kept; decisions name the digest they were made under.
    change.remove(ks::policy(tenant, &current.policy));
    current.policy = digest;
    change.put(ks::tenant(tenant), &current);
    change.put_bytes(ks::policy(tenant, &digest), text.as_bytes().to_vec());
    Ok(())
}

pub(super) fn put_vault(
    change: &mut Change<'_>,
    tenant: TenantId,
    vault: &Vault,
) -> Result<(), Refusal> {
    let key = ks::vault(tenant, vault.id);
    if change.has(&key) {
        return Err(taken(vault.id));
    }

    // Two vaults on one account would share addresses, so one could spend the other's funds.
    let account = ks::account(tenant, vault.key, vault.account);
    if guard(G::AccountUnique, change.has(&account)) {
        return Err(taken(format!("account {} of {}", vault.account, vault.key)));
    }

    // Without a finished ceremony there is no public key to derive an address from.
    let threshold_key = change.threshold_key(tenant, vault.key)?;
    if threshold_key.public.is_none() || threshold_key.revoked {
        return Err(Refusal::new(
            Code::InvalidReference,
            "the key is not usable",
        ));
    }

    let record = VaultRecord {
        vault: vault.clone(),
        paused_until: UnixMs(0),
    };
    change.put(account, &vault.id);
    change.put(key, &record);
    Ok(())
}

pub(super) fn check_ceremony(
    change: &Change<'_>,
    tenant: TenantId,
    plan: &CeremonyPlan,
) -> Result<(), Refusal> {
    let genesis = change.state().genesis();

    // The t - 1 signers that may be hostile are witnesses too: more of them than f could fork the
    // journal and then sign on their own line of it.
    let hostile = u32::from(plan.min_signers) - 1;
    if guard(G::ThresholdWithinF, hostile > genesis.faults) {
        let detail = format!(
            "t - 1 = {} above f = {}",
            plan.min_signers - 1,
            genesis.faults
        );
        return Err(Refusal::new(Code::QuorumTooSmallForF, detail));
    }

    // A share made by a quarantined signer would be a share in hostile hands from the start.
    let quarantined = change.platform()?.quarantined;
    let usable = |index: &u16| {
        let is_quarantined = guard(G::PeersInService, quarantined.contains(index));
        genesis.signer(*index).is_some() && !is_quarantined
    };
    if !plan.roster.iter().all(usable) {
        return Err(Refusal::new(
            Code::InvalidReference,
            "the roster names an unknown or quarantined signer",
        ));
    }

    // A second ceremony under one key id would move vaults to another group key. An id whose
    // ceremony has ended stays taken, too: signers number the runs of a key, and begin none again.
    if change.has(&ks::threshold_key(tenant, plan.key)) {
        return Err(taken(plan.key));
    }
    Ok(())
}

fn put_ceremony(
    change: &mut Change<'_>,
    tenant: TenantId,
    plan: &CeremonyPlan,
    released: Released,
) -> Result<(), Refusal> {
    check_ceremony(change, tenant, plan)?;

    // The session derives from the releasing act, so no message of an earlier ceremony fits it.
    let record = KeyRecord {
        plan: plan.clone(),
        session: digest("strongroom/ceremony-session/v1", &[&released.by.0]),
        epoch: 1,
        until: released
            .at
            .plus(change.state().genesis().bounds.ceremony_life_ms),
        public: None,
        revoked: false,
    };
    change.put(ks::threshold_key(tenant, plan.key), &record);
    Ok(())
}
