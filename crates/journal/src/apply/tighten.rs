//! Tightenings: immediate, and honoured by every replica even before they are witnessed.

use super::board::{self, QuorumBefore};
use super::change::Change;
use super::opened::VerifiedAct;
use super::pause::Pause;
use super::record::{revoke_credential, revoke_user};
use super::{ended, pause, platform, proposal};
use crate::keyspace as ks;
use crate::model::{ActStanding, PlatformRecord, TenantRecord};
use crate::state::Lookup as _;
use strongroom_types::charter::{Board, BoardName};
use strongroom_types::{
    ActBody, AllowListId, Code, GroupId, KeyId, Refusal, Revocable, Scope, TenantId, Tighten,
    UserId,
};

/// A tightening of the platform's scope; the caller checked who signed.
pub(super) fn platform(
    change: &mut Change<'_>,
    current: &mut PlatformRecord,
    tightening: &Tighten,
    opened: &VerifiedAct,
) -> Result<(), Refusal> {
    match tightening {
        Tighten::Stop => {
            current.stopped = true;
            Ok(())
        }
        Tighten::Quarantine(index) => quarantine(change, current, *index),
        Tighten::Revoke(record) => platform::revoke(change, current, record, opened),
        Tighten::Veto(act) => {
            #[cfg(mutants)]
            check_not_consumed(current.waiting.as_ref(), act)?;
            platform::veto(change, act)
        }
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
    tenant: TenantId,
    tightening: &Tighten,
    opened: &VerifiedAct,
) -> Result<(), Refusal> {
    let current = change.tenant(tenant)?;
    match tightening {
        Tighten::Cancel(intent) => ended::cancel(change, tenant, intent, opened),
        Tighten::Reject(intent) => ended::reject(change, tenant, intent, opened),

        // One person is enough for these two: a pause ends by itself, and a veto costs the others a
        // new proposal and its delay.
        Tighten::Pause { vault, until } => {
            let pause = Pause {
                vault: *vault,
                until: *until,
            };
            pause::put(change, tenant, pause, opened)
        }
        Tighten::Veto(act) => {
            opened.need_one(&current.committee)?;
            #[cfg(mutants)]
            check_not_consumed(current.waiting.as_ref(), act)?;
            proposal::take(change, tenant, act, ActStanding::Ended).map(drop)
        }

        // These need a quorum, because they stay until the committee, or a resume with its delay,
        // undoes them.
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

        // A quarantine is refused here, because signers belong to the platform.
        Tighten::Quarantine(_) => Err(Code::WrongScope.into()),
    }
}

/// Without the rule, a release consumes its proposal, and a veto does not find it any more.
#[cfg(mutants)]
fn check_not_consumed(
    waiting: Option<&crate::model::WaitingAct>,
    proposal: &strongroom_types::Digest,
) -> Result<(), Refusal> {
    use crate::model::WaitingChange;
    use strongroom_guard::{G, guard};

    let is_released = waiting.is_some_and(|act| act.effect == WaitingChange::Release(*proposal));
    if is_released && !guard(G::VetoWhileWaiting, true) {
        return Err(Refusal::new(Code::UnknownProposal, proposal));
    }
    Ok(())
}

/// Whether an act of a tenant, whose text is in the journal already, does more under the signatures
/// that are on it now.
///
/// Some texts do as much as their signers may. The writer sees all signatures and can append the
/// text with a few of them, or with one of its own kind: that must not use up what the others
/// signed. Of these kinds alone a text may come again, since nothing ever takes back what they did.
pub(super) fn does_more(
    change: &Change<'_>,
    tenant: TenantId,
    opened: &VerifiedAct,
) -> Result<bool, Refusal> {
    match &opened.act.body {
        ActBody::Tighten(Tighten::Cancel(intent)) => {
            ended::cancels_more(change, tenant, intent, opened)
        }
        ActBody::Tighten(Tighten::Pause { vault, until }) => {
            let pause = Pause {
                vault: *vault,
                until: *until,
            };
            pause::pauses_longer(change, tenant, pause, opened)
        }

        // These have their whole effect at once, by any signers. An act that was taken again could
        // repeat what a resume or a release has undone.
        ActBody::Tighten(
            Tighten::Reject(_)
            | Tighten::Veto(_)
            | Tighten::Revoke(_)
            | Tighten::LeaveGroup { .. }
            | Tighten::Stop
            | Tighten::Quarantine(_),
        )
        | ActBody::CreateTenant { .. }
        | ActBody::Put(_)
        | ActBody::Release(_)
        | ActBody::Resume => Ok(false),
    }
}

/// The board whose quorum takes a record out of force.
fn revokers<'a>(tenant: &'a TenantRecord, record: &Revocable) -> &'a Board {
    match record {
        Revocable::Credential(_) | Revocable::User { .. } | Revocable::AllowList(_) => {
            &tenant.admins
        }
        // The committee revokes a key, because nothing brings it back: its vaults stay closed.
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
        // This is allowed for the last credential of a board member, too: a key in the wrong hands
        // is revoked at once, whatever that costs the board.
        Revocable::Credential(id) => revoke_credential(change, tenant.into(), *id),
        Revocable::User { id, boards } => {
            let (scope, before) = (Scope::Tenant(tenant), change.tenant(tenant)?);
            let admins = QuorumBefore::of(change, scope, BoardName::Admins, &before.admins)?;
            let committee =
                QuorumBefore::of(change, scope, BoardName::Committee, &before.committee)?;
            revoke_user(change, scope, *id)?;
            board::replace(change, tenant, boards, opened)?;

            // The record is read again, because the act itself may have replaced the boards.
            let after = change.tenant(tenant)?;
            admins.check_kept(change, &after.admins)?;
            committee.check_kept(change, &after.committee)
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
