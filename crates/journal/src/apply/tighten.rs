//! Tightenings: immediate, and honoured by every replica even before they are witnessed.

use super::act::Opened;
use super::change::Change;
use super::record::take_proposal;
use crate::genesis::{Genesis, HOUR_MS};
use crate::keyspace as ks;
use crate::model::{CredentialRecord, EndedRecord, IntentStanding, PlatformRecord, UserRecord};
use crate::state::Lookup as _;
use strongroom_types::{
    Code, Digest, Group, GroupId, Refusal, TenantId, Tighten, UnixMs, UserId, VaultId,
};

const PAUSE_MAX_MS: u64 = 4 * HOUR_MS;
const PAUSE_EVERY_MS: u64 = 24 * HOUR_MS;

/// A tightening of the platform's scope; its quorum is checked by the caller.
pub(super) fn platform(
    record: &mut PlatformRecord,
    what: &Tighten,
    genesis: &Genesis,
) -> Result<(), Refusal> {
    match what {
        Tighten::Stop => {
            record.stopped = true;
            Ok(())
        }
        Tighten::Quarantine(index) => {
            if genesis.signer(*index).is_none() {
                return Err(Refusal::new(
                    Code::InvalidReference,
                    format!("signer {index}"),
                ));
            }
            if !record.quarantined.contains(index) {
                record.quarantined.push(*index);
                record.quarantined.sort_unstable();
            }
            Ok(())
        }
        Tighten::RevokeCredential(_)
        | Tighten::RevokeUser(_)
        | Tighten::LeaveGroup { .. }
        | Tighten::RemoveAllowList(_)
        | Tighten::Cancel(_)
        | Tighten::Pause { .. }
        | Tighten::RevokeKey(_)
        | Tighten::Veto(_) => Err(Code::WrongScope.into()),
    }
}

/// A tightening of a tenant's scope.
pub(super) fn tenant(
    change: &mut Change<'_>,
    tenant: TenantId,
    at: UnixMs,
    what: &Tighten,
    opened: &Opened,
) -> Result<(), Refusal> {
    let mut record = change.tenant(tenant)?;
    match what {
        Tighten::Cancel(intent) => return cancel(change, tenant, at, intent, opened),
        Tighten::Pause { vault, until } => {
            return pause(change, tenant, at, *vault, *until, opened);
        }
        Tighten::Veto(act) => {
            opened.need_one(&record.committee)?;
            return take_proposal(change, tenant, act).map(drop);
        }
        Tighten::RevokeKey(id) => {
            opened.need(&record.committee)?;
            let mut key = change.threshold_key(tenant, *id)?;
            key.revoked = true;
            change.put(ks::threshold_key(tenant, *id), &key);
            return Ok(());
        }
        Tighten::Quarantine(_) => return Err(Code::WrongScope.into()),
        Tighten::RevokeCredential(_)
        | Tighten::RevokeUser(_)
        | Tighten::LeaveGroup { .. }
        | Tighten::RemoveAllowList(_)
        | Tighten::Stop => opened.need(&record.admins)?,
    }
    match what {
        Tighten::RevokeCredential(id) => {
            let known: Option<CredentialRecord> = change.record(&ks::credential(tenant, *id))?;
            let mut known = known.ok_or_else(|| Refusal::new(Code::UnknownCredential, id))?;
            known.revoked = true;
            change.put(ks::credential(tenant, *id), &known);
        }
        Tighten::RevokeUser(id) => {
            let known: Option<UserRecord> = change.record(&ks::user(tenant, *id))?;
            let mut known = known.ok_or_else(|| Refusal::new(Code::UnknownUser, id))?;
            known.revoked = true;
            change.put(ks::user(tenant, *id), &known);
        }
        Tighten::LeaveGroup { group, user } => leave(change, tenant, *group, *user)?,
        Tighten::RemoveAllowList(id) => {
            let listed = change.allow_list(tenant, *id)?;
            let listed = listed.ok_or_else(|| Refusal::new(Code::InvalidReference, id))?;
            change.remove(ks::listed(
                tenant,
                &listed.entry.chain,
                &listed.entry.address,
            ));
            // The id stays used: what relied on it must never find another address under it.
            change.put_bytes(ks::allow_list(tenant, *id), Vec::new());
        }
        Tighten::Stop => {
            record.stopped = true;
            change.put(ks::tenant(tenant), &record);
        }
        Tighten::Cancel(_)
        | Tighten::Pause { .. }
        | Tighten::Veto(_)
        | Tighten::RevokeKey(_)
        | Tighten::Quarantine(_) => return Err(Code::Internal.into()),
    }
    Ok(())
}

fn leave(
    change: &mut Change<'_>,
    tenant: TenantId,
    id: GroupId,
    user: UserId,
) -> Result<(), Refusal> {
    let group: Option<Group> = change.record(&ks::group(tenant, id))?;
    let mut group = group.ok_or_else(|| Refusal::new(Code::InvalidReference, id))?;
    group.members.retain(|member| *member != user);
    change.put(ks::group(tenant, id), &group);
    Ok(())
}

/// One admin pauses a vault or the tenant for at most four hours, once in 24 hours.
fn pause(
    change: &mut Change<'_>,
    tenant: TenantId,
    at: UnixMs,
    vault: Option<VaultId>,
    until: UnixMs,
    opened: &Opened,
) -> Result<(), Refusal> {
    let mut record = change.tenant(tenant)?;
    opened.need_one(&record.admins)?;
    record
        .pauses
        .retain(|(_, when)| at.since(*when) < PAUSE_EVERY_MS);
    let recent = record
        .pauses
        .iter()
        .any(|(who, _)| opened.signers.contains(who));
    if recent || until > at.plus(PAUSE_MAX_MS) {
        return Err(Code::PauseTooLong.into());
    }
    let admins = record
        .admins
        .members
        .iter()
        .filter(|admin| opened.signers.contains(admin));
    record.pauses.extend(admins.map(|admin| (*admin, at)));
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

/// The initiator's human, or the admins' quorum. An intent not yet authorized can never be after
/// this.
fn cancel(
    change: &mut Change<'_>,
    tenant: TenantId,
    at: UnixMs,
    intent: &Digest,
    opened: &Opened,
) -> Result<(), Refusal> {
    let admins = opened.need(&change.tenant(tenant)?.admins).is_ok();
    let Some(mut record) = change.intent(tenant, intent)? else {
        return cancel_unknown(change, tenant, at, intent, opened, admins);
    };
    if !admins && !opened.users.contains(&record.initiator_user) {
        return Err(Refusal::new(
            Code::QuorumMissing,
            "the initiator or the admins cancel an intent",
        ));
    }
    record.standing = IntentStanding::Cancelled;
    change.put(ks::intent(tenant, intent), &record);
    Ok(())
}

/// Nobody but the signers of the intent knows yet whose it is: it is dead for whoever of these
/// turns out to be its initiator, and for everybody when the admins say so.
fn cancel_unknown(
    change: &mut Change<'_>,
    tenant: TenantId,
    at: UnixMs,
    intent: &Digest,
    opened: &Opened,
    admins: bool,
) -> Result<(), Refusal> {
    let key = ks::ended(tenant, intent);
    let known: Option<EndedRecord> = change.record(&key)?;
    let mut ended = known.unwrap_or_default();
    ended.by_all |= admins;
    ended.by.extend(
        opened
            .users
            .iter()
            .filter(|user| !ended.by.contains(user))
            .copied()
            .collect::<Vec<_>>(),
    );
    // Nobody knows how long the intent lives: it may be dated in the future.
    ended.until = ended
        .until
        .max(at.plus(change.state().genesis().bounds.retention_ms));
    change.expire(tenant, ended.until, &key);
    change.put(key, &ended);
    Ok(())
}
