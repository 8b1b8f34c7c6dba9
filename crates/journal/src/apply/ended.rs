//! How an intent ends before its time: by a cancel or by an approver's no. A no is a tightening
//! like the cancel: bound to the intent alone, so that no change of the policy makes it void, and
//! handed to witnesses like the others, so that no writer can drop it.

use super::change::Change;
use super::opened::VerifiedAct;
use super::quota;
use crate::keyspace::{self as ks, Key};
use crate::model::{EndedRecord, IntentRecord, IntentStanding};
use crate::state::Lookup as _;
use strongroom_types::{Code, Digest, Refusal, TenantId, UserId};

impl EndedRecord {
    /// How it ends an intent of this initiator, if it does: a cancel by another clerk ends nothing.
    #[must_use]
    pub fn ends_for(&self, initiator: Option<UserId>) -> Option<Code> {
        let is_own = initiator.is_some_and(|user| self.by.contains(&user));
        if self.rejected {
            Some(Code::IntentRejected)
        } else if self.by_all || is_own {
            Some(Code::IntentCancelled)
        } else {
            None
        }
    }
}

/// Cancels an intent: by the initiator's human, or by the admins' quorum.
pub(super) fn cancel(
    change: &mut Change<'_>,
    tenant: TenantId,
    intent: &Digest,
    opened: &VerifiedAct,
) -> Result<(), Refusal> {
    let by_admins = opened.need(&change.tenant(tenant)?.admins).is_ok();
    let Some(record) = change.intent(tenant, intent)? else {
        // The journal does not know its initiator: the cancel counts if one of the signers turns
        // out to be the initiator, and in any case when the admins signed.
        let end = |ended: &mut EndedRecord| add_cancel(ended, by_admins, opened);
        return end_unknown(change, opened, ks::ended(tenant, intent), end);
    };

    // Without this rule, any credential of the tenant could stop every payment.
    if !by_admins && !opened.users.contains(&record.initiator_user) {
        return Err(Refusal::new(
            Code::QuorumMissing,
            "the initiator or the admins cancel an intent",
        ));
    }
    end_known(change, (tenant, intent), record, IntentStanding::Cancelled)
}

/// Whether a cancel whose text is in the journal cancels more under these signatures. The text of
/// an initiator or of the admins, appended with a signature that cancels nothing, would else be
/// used.
pub(super) fn cancels_more(
    change: &Change<'_>,
    tenant: TenantId,
    intent: &Digest,
    opened: &VerifiedAct,
) -> Result<bool, Refusal> {
    let by_admins = opened.need(&change.tenant(tenant)?.admins).is_ok();
    if let Some(record) = change.intent(tenant, intent)? {
        let may_cancel = by_admins || opened.users.contains(&record.initiator_user);
        return Ok(may_cancel && record.standing == IntentStanding::Authorized);
    }

    let known: Option<EndedRecord> = change.record(&ks::ended(tenant, intent))?;
    let mut ended = known.clone().unwrap_or_default();
    add_cancel(&mut ended, by_admins, opened);
    Ok(known.as_ref() != Some(&ended))
}

fn add_cancel(ended: &mut EndedRecord, by_admins: bool, opened: &VerifiedAct) {
    ended.by_all |= by_admins;
    for user in &opened.users {
        if !ended.by.contains(user) {
            ended.by.push(*user);
        }
    }
}

/// Ends an intent, known or not, by one no: of any member of a group that the policy in force
/// names. A share that has left stays out; everything after it is refused.
pub(super) fn reject(
    change: &mut Change<'_>,
    tenant: TenantId,
    intent: &Digest,
    opened: &VerifiedAct,
) -> Result<(), Refusal> {
    // Without this rule, any credential of the tenant could stop every payment.
    if !is_named_by_policy(change, tenant, opened)? {
        return Err(Refusal::new(
            Code::ApprovalNotEligible,
            "no signer is in a group that the policy names",
        ));
    }

    let Some(record) = change.intent(tenant, intent)? else {
        let end = |ended: &mut EndedRecord| ended.rejected = true;
        return end_unknown(change, opened, ks::ended(tenant, intent), end);
    };

    // The end of the intent is the end of the duty to include this: nothing is left to stop.
    if opened.at >= record.expires {
        return Err(Code::IntentExpired.into());
    }
    end_known(change, (tenant, intent), record, IntentStanding::Rejected)
}

/// Whether one of the humans who signed is in a group of the policy in force, as approver or
/// initiator.
fn is_named_by_policy(
    change: &Change<'_>,
    tenant: TenantId,
    opened: &VerifiedAct,
) -> Result<bool, Refusal> {
    let policy = change.policy(tenant, &change.tenant(tenant)?)?;
    for group in policy.groups() {
        for user in &opened.users {
            if change.in_group(tenant, group, *user)? {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

/// Ends an authorized intent, whose room is free from here on.
fn end_known(
    change: &mut Change<'_>,
    (tenant, intent): (TenantId, &Digest),
    mut record: IntentRecord,
    standing: IntentStanding,
) -> Result<(), Refusal> {
    // The first end stays: it is the one that is shown to people.
    if record.standing == IntentStanding::Authorized {
        // Without the rule, what is not paid any more leaves its windows at once.
        #[cfg(mutants)]
        if !strongroom_guard::guard(strongroom_guard::G::WindowsByAge, true) {
            let before = record.clone();
            record.spend.amounts.clear();
            super::windows::recount(change, tenant, &before, &record)?;
        }

        record.standing = standing;
        change.put(ks::intent(tenant, intent), &record);
        change.close_intent(tenant, intent, record.expires)?;
    }
    Ok(())
}

/// Ends an intent that is not authorized yet, by a record under this key, so that it never can be
/// for as long as that is kept.
fn end_unknown(
    change: &mut Change<'_>,
    opened: &VerifiedAct,
    key: Key,
    end: impl FnOnce(&mut EndedRecord),
) -> Result<(), Refusal> {
    quota::charge_id(change, opened)?;
    let known: Option<EndedRecord> = change.record(&key)?;
    let mut ended = known.clone().unwrap_or_default();
    end(&mut ended);

    // These signers have ended this intent before. Nothing is written, because each repetition
    // would leave a marker.
    if known.as_ref() == Some(&ended) {
        return Ok(());
    }

    // The record is kept as long as external ids are: the intent's own expiry is not known here,
    // and it may be dated in the future.
    let retention_ms = change.state().genesis().bounds.retention_ms;
    let until = opened.at.plus(retention_ms);
    quota::charge_kept(change, opened, &key, until)?;
    ended.until = until;
    change.put(key, &ended);
    Ok(())
}
