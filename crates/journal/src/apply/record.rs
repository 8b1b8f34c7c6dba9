//! Registry records: what takes effect at once, what waits for its delay and a positive release.

use super::act::Opened;
use super::change::Change;
use crate::keyspace as ks;
use crate::model::{
    CredentialRecord, KeyRecord, ListedRecord, ProposalRecord, UserRecord, VaultRecord,
};
use crate::state::Lookup as _;
use strongroom_policy::{Policy, is_tighter};
use strongroom_types::charter::Charter;
use strongroom_types::{
    AllowListEntry, CeremonyPlan, Code, Credential, Digest, Group, Record, Refusal, TenantId,
    UnixMs, User, Vault, digest,
};

/// A proposal can be released this long after its delay.
const PROPOSAL_LIFE_MS: u64 = 30 * 24 * crate::genesis::HOUR_MS;

/// Sets a record at once (vault; provably tighter policy), or opens a proposal for it.
pub(super) fn put(
    change: &mut Change<'_>,
    tenant: TenantId,
    at: UnixMs,
    record: &Record,
    opened: &Opened,
) -> Result<(), Refusal> {
    let current = change.tenant(tenant)?;
    match record {
        Record::Vault(vault) => {
            opened.need(&current.admins)?;
            not_stopped(change, tenant)?;
            put_vault(change, tenant, vault)
        }
        Record::Policy(text) => {
            opened.need(&current.committee)?;
            let (new, digest) = Policy::load(text)?;
            let old = change.state().policy(tenant, &current)?;
            if is_tighter(&old, &new) {
                return put_policy(change, tenant, text, digest);
            }
            propose(change, tenant, at, record, opened, current.loosen_delay_ms)
        }
        Record::Ceremony(plan) => {
            opened.need(&current.committee)?;
            check_ceremony(change, tenant, plan)?;
            propose(
                change,
                tenant,
                at,
                record,
                opened,
                current.ceremony_delay_ms,
            )
        }
        Record::User(_) | Record::Credential(_) | Record::Group(_) | Record::AllowList(_) => {
            opened.need(&current.committee)?;
            propose(change, tenant, at, record, opened, current.loosen_delay_ms)
        }
    }
}

fn propose(
    change: &mut Change<'_>,
    tenant: TenantId,
    at: UnixMs,
    record: &Record,
    opened: &Opened,
    delay_ms: u64,
) -> Result<(), Refusal> {
    not_stopped(change, tenant)?;
    let mut current = change.tenant(tenant)?;
    if current.proposals_open >= change.state().genesis().bounds.proposals_open_max {
        return Err(Refusal::new(Code::QuotaExceeded, "open proposals"));
    }
    current.proposals_open += 1;
    change.put(ks::tenant(tenant), &current);
    let from = at.plus(delay_ms);
    let until = from.plus(PROPOSAL_LIFE_MS);
    let key = ks::proposal(tenant, &opened.digest);
    change.expire(tenant, until, &key);
    change.put(
        key,
        &ProposalRecord {
            record: record.clone(),
            from,
            until,
        },
    );
    Ok(())
}

/// Lets a proposal take effect: after its delay in journal time, by the committee's positive word.
pub(super) fn release(
    change: &mut Change<'_>,
    tenant: TenantId,
    at: UnixMs,
    act: &Digest,
    opened: &Opened,
) -> Result<(), Refusal> {
    opened.need(&change.tenant(tenant)?.committee)?;
    not_stopped(change, tenant)?;
    let proposal = take_proposal(change, tenant, act)?;
    if at < proposal.from {
        let detail = format!("{} ms too early", proposal.from.since(at));
        return Err(Refusal::new(Code::ReleaseTooEarly, detail));
    }
    if at >= proposal.until {
        return Err(Refusal::new(
            Code::AuthorityExpired,
            "the proposal's time has passed",
        ));
    }
    match &proposal.record {
        Record::User(user) => put_user(change, tenant, user),
        Record::Credential(credential) => put_credential(change, tenant, credential),
        Record::Group(group) => put_group(change, tenant, group),
        Record::AllowList(entry) => put_listed(change, tenant, at, entry),
        Record::Policy(text) => put_policy(change, tenant, text, Policy::load(text)?.1),
        Record::Vault(vault) => put_vault(change, tenant, vault),
        Record::Ceremony(plan) => put_ceremony(change, tenant, plan, opened.digest),
    }
}

/// Removes an open proposal and gives it back.
pub(super) fn take_proposal(
    change: &mut Change<'_>,
    tenant: TenantId,
    act: &Digest,
) -> Result<ProposalRecord, Refusal> {
    let found = change.proposal(tenant, act)?;
    let proposal = found.ok_or_else(|| Refusal::new(Code::UnknownProposal, act))?;
    let mut current = change.tenant(tenant)?;
    current.proposals_open = current.proposals_open.saturating_sub(1);
    change.put(ks::tenant(tenant), &current);
    change.remove(ks::proposal(tenant, act));
    Ok(proposal)
}

/// Everything of the charter, at once.
pub(super) fn put_charter(
    change: &mut Change<'_>,
    tenant: TenantId,
    at: UnixMs,
    charter: &Charter,
) -> Result<(), Refusal> {
    charter
        .users
        .iter()
        .try_for_each(|user| put_user(change, tenant, user))?;
    charter
        .credentials
        .iter()
        .try_for_each(|credential| put_credential(change, tenant, credential))?;
    charter
        .groups
        .iter()
        .try_for_each(|group| put_group(change, tenant, group))?;
    charter
        .allow_list
        .iter()
        .try_for_each(|entry| put_listed(change, tenant, at, entry))?;
    let boards = charter
        .admins
        .members
        .iter()
        .chain(&charter.committee.members);
    for member in boards {
        change.credential(tenant, *member)?;
    }
    Ok(())
}

fn taken(id: impl std::fmt::Display) -> Refusal {
    Refusal::new(Code::AlreadyExists, id)
}

fn put_user(change: &mut Change<'_>, tenant: TenantId, user: &User) -> Result<(), Refusal> {
    let key = ks::user(tenant, user.id);
    if change.has(&key) {
        return Err(taken(user.id));
    }
    change.put(
        key,
        &UserRecord {
            name: user.name.clone(),
            revoked: false,
        },
    );
    Ok(())
}

/// A credential id is used once: a revoked one never comes back.
fn put_credential(
    change: &mut Change<'_>,
    tenant: TenantId,
    credential: &Credential,
) -> Result<(), Refusal> {
    let key = ks::credential(tenant, credential.id);
    if change.has(&key) {
        return Err(taken(credential.id));
    }
    change.user(tenant, credential.user)?;
    change.put(
        key,
        &CredentialRecord {
            credential: credential.clone(),
            revoked: false,
        },
    );
    Ok(())
}

fn put_group(change: &mut Change<'_>, tenant: TenantId, group: &Group) -> Result<(), Refusal> {
    for member in &group.members {
        change.user(tenant, *member)?;
    }
    change.put(ks::group(tenant, group.id), group);
    Ok(())
}

fn put_listed(
    change: &mut Change<'_>,
    tenant: TenantId,
    since: UnixMs,
    entry: &AllowListEntry,
) -> Result<(), Refusal> {
    let by_id = ks::allow_list(tenant, entry.id);
    let by_destination = ks::listed(tenant, &entry.chain, &entry.address);
    if change.has(&by_id) || change.has(&by_destination) {
        return Err(taken(entry.id));
    }
    if change.state().genesis().chain(&entry.chain).is_none() {
        return Err(Refusal::new(Code::UnknownChain, &entry.chain));
    }
    change.put_bytes(by_id, by_destination.clone());
    change.put(
        by_destination,
        &ListedRecord {
            entry: entry.clone(),
            since,
        },
    );
    Ok(())
}

fn put_policy(
    change: &mut Change<'_>,
    tenant: TenantId,
    text: &str,
    digest: Digest,
) -> Result<(), Refusal> {
    let mut current = change.tenant(tenant)?;
    change.remove(ks::policy(tenant, &current.policy));
    current.policy = digest;
    change.put(ks::tenant(tenant), &current);
    change.put_bytes(ks::policy(tenant, &digest), text.as_bytes().to_vec());
    Ok(())
}

fn put_vault(change: &mut Change<'_>, tenant: TenantId, vault: &Vault) -> Result<(), Refusal> {
    let key = ks::vault(tenant, vault.id);
    let account = ks::account(tenant, vault.key, vault.account);
    if change.has(&key) {
        return Err(taken(vault.id));
    }
    if change.has(&account) {
        return Err(Refusal::new(
            Code::AlreadyExists,
            format!("account {} of {}", vault.account, vault.key),
        ));
    }
    let threshold_key = change.threshold_key(tenant, vault.key)?;
    if threshold_key.public.is_none() || threshold_key.revoked {
        return Err(Refusal::new(
            Code::InvalidReference,
            "the key is not usable",
        ));
    }
    change.put(account, &vault.id);
    change.put(
        key,
        &VaultRecord {
            vault: vault.clone(),
            paused_until: UnixMs(0),
        },
    );
    Ok(())
}

/// The roster exists, nobody of it is quarantined, and t - 1 hostile signers stay within the
/// quorum's f.
fn check_ceremony(
    change: &Change<'_>,
    tenant: TenantId,
    plan: &CeremonyPlan,
) -> Result<(), Refusal> {
    let genesis = change.state().genesis();
    if u32::from(plan.min_signers) - 1 > genesis.faults {
        let detail = format!(
            "t - 1 = {} above f = {}",
            plan.min_signers - 1,
            genesis.faults
        );
        return Err(Refusal::new(Code::QuorumTooSmallForF, detail));
    }
    let quarantined = change.platform()?.quarantined;
    let usable = |index: &u16| genesis.signer(*index).is_some() && !quarantined.contains(index);
    if !plan.roster.iter().all(usable) {
        return Err(Refusal::new(
            Code::InvalidReference,
            "the roster names an unknown or quarantined signer",
        ));
    }
    if change.has(&ks::threshold_key(tenant, plan.key)) {
        return Err(taken(plan.key));
    }
    Ok(())
}

fn put_ceremony(
    change: &mut Change<'_>,
    tenant: TenantId,
    plan: &CeremonyPlan,
    release: Digest,
) -> Result<(), Refusal> {
    check_ceremony(change, tenant, plan)?;
    let session = digest("strongroom/ceremony-session/v1", &[&release.0]);
    let record = KeyRecord {
        plan: plan.clone(),
        session,
        epoch: 1,
        public: None,
        revoked: false,
    };
    change.put(ks::threshold_key(tenant, plan.key), &record);
    Ok(())
}

fn not_stopped(change: &Change<'_>, tenant: TenantId) -> Result<(), Refusal> {
    if change.platform()?.stopped {
        return Err(Code::PlatformStopped.into());
    }
    if change.tenant(tenant)?.stopped {
        Err(Code::TenantStopped.into())
    } else {
        Ok(())
    }
}
