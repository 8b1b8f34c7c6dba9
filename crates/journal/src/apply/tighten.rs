//! Tightenings: immediate, and honoured by every replica even before they are witnessed.

use super::change::{Change, Place};
use super::opened::VerifiedAct;
use super::{board, ended, platform, proposal, waiting};
use crate::genesis::HOUR_MS;
use crate::keyspace as ks;
use crate::model::{
    ActStanding, AdminPause, CredentialRecord, PlatformRecord, TenantRecord, UserRecord, WaitingOf,
};
use crate::state::Lookup as _;
use strongroom_types::charter::Board;
use strongroom_types::{
    AllowListId, Code, CredentialId, GroupId, KeyId, Refusal, Revocable, Scope, TenantId, Tighten,
    UnixMs, UserId, VaultId,
};

/// Longest pause, milliseconds.
const PAUSE_MAX_MS: u64 = 4 * HOUR_MS;
/// Time in which an admin may pause once, milliseconds.
const PAUSE_EVERY_MS: u64 = 24 * HOUR_MS;

/// A tightening of the platform's scope; the caller checked who signed.
pub(super) fn platform(
    change: &mut Change<'_>,
    record: &mut PlatformRecord,
    what: &Tighten,
    opened: &VerifiedAct,
) -> Result<(), Refusal> {
    match what {
        Tighten::Stop => {
            record.stopped = true;
            Ok(())
        }
        Tighten::Quarantine(index) => quarantine(change, record, *index),
        Tighten::Revoke(what) => platform::revoke(change, record, what, opened),
        Tighten::Veto(act) => platform::veto(change, act),
        Tighten::LeaveGroup { .. }
        | Tighten::Cancel(_)
        | Tighten::Reject(_)
        | Tighten::Pause { .. } => Err(Code::WrongScope.into()),
    }
}

fn quarantine(change: &Change<'_>, record: &mut PlatformRecord, index: u16) -> Result<(), Refusal> {
    if change.state().genesis().signer(index).is_none() {
        let detail = format!("signer {index}");
        return Err(Refusal::new(Code::InvalidReference, detail));
    }
    if !record.quarantined.contains(&index) {
        record.quarantined.push(index);
        // The state's root must not depend on the order of the acts.
        record.quarantined.sort_unstable();
    }
    Ok(())
}

/// A tightening of a tenant's scope. Each kind names who must have signed: the easier it is to
/// undo, the fewer.
pub(super) fn tenant(
    change: &mut Change<'_>,
    place: Place,
    what: &Tighten,
    opened: &VerifiedAct,
) -> Result<(), Refusal> {
    let tenant = place.tenant;
    let current = change.tenant(tenant)?;
    match what {
        Tighten::Cancel(intent) => ended::cancel(change, place, intent, opened),
        Tighten::Reject(intent) => ended::reject(change, place, intent, opened),
        Tighten::Pause { vault, until } => pause(change, place, (*vault, *until), opened),
        Tighten::Veto(act) => {
            // One member suffices: a veto costs the others a new proposal and its delay.
            opened.need_one(&current.committee)?;
            proposal::take(change, tenant, act, ActStanding::Ended).map(drop)
        }
        Tighten::Revoke(record) => {
            opened.need(revokers(&current, record))?;
            revoke(change, tenant, record, opened)
        }
        Tighten::LeaveGroup { group, user } => {
            opened.need(&current.admins)?;
            leave_group(change, tenant, *group, *user)
        }
        Tighten::Stop => {
            opened.need(&current.admins)?;
            let mut stopped = current;
            stopped.stopped = true;
            change.put(ks::tenant(tenant), &stopped);
            Ok(())
        }
        // Signers belong to the platform.
        Tighten::Quarantine(_) => Err(Code::WrongScope.into()),
    }
}

/// The board whose quorum takes a record out of force.
fn revokers<'a>(tenant: &'a TenantRecord, record: &Revocable) -> &'a Board {
    match record {
        Revocable::Credential(_) | Revocable::User { .. } | Revocable::AllowList(_) => {
            &tenant.admins
        }
        // Nothing brings a key back: its vaults stay closed.
        Revocable::Key(_) => &tenant.committee,
    }
}

fn revoke(
    change: &mut Change<'_>,
    tenant: TenantId,
    record: &Revocable,
    opened: &VerifiedAct,
) -> Result<(), Refusal> {
    match record {
        // Also the last one of a board member: a key that is in the wrong hands goes at once,
        // whatever it costs.
        Revocable::Credential(id) => revoke_credential(change, tenant.into(), *id),
        Revocable::User { id, boards } => {
            board::revoke_user(change, tenant, (*id, boards.as_slice()), opened)
        }
        Revocable::AllowList(id) => remove_listed(change, tenant, *id),
        Revocable::Key(id) => revoke_key(change, tenant, *id),
    }
}

fn revoke_key(change: &mut Change<'_>, tenant: TenantId, id: KeyId) -> Result<(), Refusal> {
    let mut key = change.threshold_key(tenant, id)?;
    key.revoked = true;
    change.put(ks::threshold_key(tenant, id), &key);
    Ok(())
}

pub(super) fn revoke_credential(
    change: &mut Change<'_>,
    scope: Scope,
    id: CredentialId,
) -> Result<(), Refusal> {
    // Read as stored, in force or not: revoking twice, or after its user, must not be refused.
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

fn leave_group(
    change: &mut Change<'_>,
    tenant: TenantId,
    id: GroupId,
    user: UserId,
) -> Result<(), Refusal> {
    let known = change.group(tenant, id)?;
    let mut known = known.ok_or_else(|| Refusal::new(Code::InvalidReference, id))?;
    if let Ok(at) = known.group.members.binary_search(&user) {
        known.group.members.remove(at);
        known.left.push(user);
        // The state's root must not depend on the order of the acts.
        known.left.sort_unstable();
    }
    change.put(ks::group(tenant, id), &known);
    Ok(())
}

fn remove_listed(
    change: &mut Change<'_>,
    tenant: TenantId,
    id: AllowListId,
) -> Result<(), Refusal> {
    let mut listed = change
        .allow_list(tenant, id)?
        .ok_or_else(|| Refusal::new(Code::InvalidReference, id))?;
    let destination = ks::listed(tenant, &listed.entry.chain, &listed.entry.address);
    listed.removed = true;
    change.put(destination, &listed);

    // The id stays used: what relied on it must never find another address under it.
    change.put_bytes(ks::allow_list(tenant, id), Vec::new());
    Ok(())
}

/// Pauses a vault (or the tenant, for `None`) until a time, by one admin.
fn pause(
    change: &mut Change<'_>,
    place: Place,
    (vault, until): (Option<VaultId>, UnixMs),
    opened: &VerifiedAct,
) -> Result<(), Refusal> {
    let (tenant, at) = (place.tenant, place.at);
    let mut record = change.tenant(tenant)?;
    opened.need_one(&record.admins)?;

    // One that is over pauses nothing, and a writer that held it back would have used up the admin's
    // one pause by it.
    if until <= at {
        return Err(Refusal::new(Code::AuthorityExpired, "the pause is over"));
    }

    // At most four hours, once in 24: one admin alone can gain time, but cannot hold the tenant's
    // funds. Counted from a time that witnesses vouch for: by the writer's stamps, an older pause
    // that it had withheld would take the place of the one that is needed now.
    record.pauses.retain(|pause| {
        let ended = |when: UnixMs| at.since(when) >= PAUSE_EVERY_MS;
        !pause.witnessed_at.is_some_and(ended)
    });
    if until > at.plus(PAUSE_MAX_MS) {
        return Err(Code::PauseTooLong.into());
    }

    // A further one adds no time, and is cut rather than refused for reaching beyond: else the older
    // one, of another vault, would displace the wider or longer one.
    let by_signer = |pause: &&AdminPause| opened.people.contains(&pause.admin);
    let counted = record.pauses.iter().filter(by_signer);
    let ends = counted.filter_map(|pause| pause.witnessed_at.map(|at| at.plus(PAUSE_MAX_MS)));
    let until = ends.fold(until, UnixMs::min);
    if until <= at {
        return Err(Code::PauseTooLong.into());
    }

    // A tightening is never refused for want of room: one that cannot wait is not counted.
    for admin in &record.admins.members {
        let is_counted = record.pauses.iter().any(|pause| pause.admin == *admin);
        if !opened.people.contains(admin) || is_counted || !waiting::has_room(change)? {
            continue;
        }
        record.pauses.push(AdminPause {
            admin: *admin,
            witnessed_at: None,
        });
        let of = WaitingOf::Pause(tenant, *admin);
        waiting::add(change, (place.seq, at), of)?;
    }

    // Never shorter than a pause in force: a second pause must not end the first one early.
    match vault {
        Some(id) => {
            let mut vault = change.vault(tenant, id)?;
            vault.paused_until = vault.paused_until.max(until);
            change.put(ks::vault(tenant, id), &vault);
        }
        None => record.paused_until = record.paused_until.max(until),
    }
    change.put(ks::tenant(tenant), &record);
    Ok(())
}
