//! A payment: authorized with attempt 1 in one atomic entry.

use super::approvals::{VerifiedApproval, check_approvals};
use super::attempt::{check_no_facts, first};
use super::change::{Change, Place};
use super::intent::{Evaluated, evaluate};
use super::{held, waiting, windows};
use crate::entry::Authorization;
use crate::keyspace as ks;
use crate::model::{
    IntentRecord, IntentStanding, NEVER, OpenIntentRecord, Spend, WaitingItem, WaitingOf,
};
use crate::state::Lookup as _;
use std::collections::BTreeMap;
use strongroom_guard::{G, guard, kept};
use strongroom_policy::Terms;
use strongroom_types::{
    AssetId, Code, Document as _, Intent, MinorUnits, Refusal, Scope, TenantId, UnixMs, UserId,
};

/// Refuses an intent that the scope has authorized already, whatever else would refuse it: its
/// sender asks again and again, and must not take a full quota or a revocation for the end of what
/// is in force.
///
/// To be asked before the quotas, which a repetition does not use: it is not appended, and costs a
/// digest and one look-up.
pub(super) fn check_new(
    change: &Change<'_>,
    scope: Scope,
    authorization: &Authorization,
) -> Result<(), Refusal> {
    let Scope::Tenant(tenant) = scope else {
        return Err(Code::WrongScope.into());
    };
    let digest = Intent::digest_of(&authorization.intent.text);
    let known = change.intent(tenant, &digest)?;

    // With other coins it would be paid a second time, which no rule but this one keeps out.
    #[cfg(mutants)]
    let known = known.filter(|known| {
        known.anchor == authorization.attempt.anchor || guard(G::ExternalIdOnce, true)
    });
    match known {
        Some(_) => Err(Code::IntentAlreadyAuthorized.into()),
        None => Ok(()),
    }
}

/// Authorizes a payment: everything at once, or nothing of it.
pub(super) fn apply(
    change: &mut Change<'_>,
    place: Place,
    authorization: &Authorization,
) -> Result<(), Refusal> {
    let evaluated = evaluate(change.state(), &*change, &authorization.intent, place.at)?;
    evaluated.check_scope(place)?;
    if let Some(refusal) = &evaluated.decision.block {
        return Err(refusal.clone());
    }
    evaluated.check_core(&authorization.core)?;
    check_no_facts(&authorization.facts)?;

    let ballot = evaluated.ballot(place.at);
    let verified = check_approvals(&*change, &ballot, &authorization.approvals)?;
    let attempt = first(&*change, place, &evaluated, &authorization.attempt)?;

    let Evaluated {
        intent, decision, ..
    } = &evaluated;
    let (digest, lock_ms) = (evaluated.digest, decision.core.time_lock_ms());
    // A lock begins at a time that witnesses vouch for and not at the writer's stamp.
    let begun = if lock_ms == 0 { UnixMs(0) } else { NEVER };
    let record = IntentRecord {
        seq: place.seq,
        external_id: intent.external_id.clone(),
        standing: IntentStanding::Authorized,
        vault: intent.vault,
        chain: intent.chain.clone(),
        initiator: intent.initiator,
        initiator_user: evaluated.initiator,
        expires: intent.expires,
        approvals: verified.iter().map(|v| v.relied).collect(),
        allow_list: decision.relied_on.clone(),
        lock_ms,
        locked_until: begun,
        counts_from: begun,
        anchor: authorization.attempt.anchor.clone(),
        fee_max: intent.fee_max,
        attempts_max: u32::try_from(intent.attempts_max).unwrap_or(1),
        spend: Spend {
            amounts: worst_case(intent, &evaluated.native)?,
            at: place.at,
        },
        attempts: vec![attempt],
    };
    #[cfg(mutants)]
    let record = super::attempt::begin_at_stamp(record);
    // The spend is counted at the worst case and at once: between authorization and confirmation
    // the amount is gone for every other payment's limit.
    windows::add(change, place.tenant, &record)?;
    count_open(change, place, evaluated.initiator)?;
    insert_intent(change, evaluated, &record);
    held::hold(change, place, &record, &authorization.attempt)?;

    if lock_ms > 0 {
        let lock = WaitingItem {
            seq: place.seq,
            at: place.at,
            of: WaitingOf::Lock(place.tenant, digest),
        };
        waiting::add(change, lock)?;
    }
    for approval in &verified {
        let until = approval.relied.expires.min(record.expires);
        set_approval_used(change, place.tenant, approval, until);
    }
    Ok(())
}

/// Amounts by asset at worst case: the payments, and the fee cap in the native asset.
fn worst_case(intent: &Intent, native: &AssetId) -> Result<Vec<(AssetId, MinorUnits)>, Refusal> {
    let mut sums: BTreeMap<AssetId, MinorUnits> = BTreeMap::new();
    let fee = kept!(G::WorstCase, intent.fee_max, instead MinorUnits::default());
    sums.insert(native.clone(), fee);
    for transfer in intent.transfers() {
        let sum = sums.entry(transfer.asset.clone()).or_default();
        *sum = sum
            .checked_add(transfer.amount)
            .ok_or(Code::LimitExceeded)?;
    }
    Ok(sums.into_iter().collect())
}

/// Counts a new open intent. These are what a replica must hold in full: their number bounds its
/// memory. Those that have expired are not counted, wherever they are among what is due to be
/// forgotten.
fn count_open(change: &mut Change<'_>, place: Place, initiator: UserId) -> Result<(), Refusal> {
    let scope = Scope::from(place.tenant);
    let max = change.state().genesis().bounds.intents_open_max;
    let is_open = |due: &[u8]| ks::kind(due) == ks::Kind::OpenIntent;
    if change.tenant(place.tenant)?.intents_open >= max {
        change.forget_counted(scope, place.at, |due, _| is_open(due))?;
    }

    // Each human has at most half of the tenant's room: one whose payments need no approval could
    // else keep all others from being authorized, also after their revocation.
    let half = max.div_ceil(2);
    if change.user(scope, initiator)?.intents_open >= half {
        let is_theirs = |due: &[u8], charged: &[u8]| is_open(due) && charged == initiator.0;
        change.forget_counted(scope, place.at, is_theirs)?;
    }

    let mut owner = change.tenant(place.tenant)?;
    if owner.intents_open >= max {
        return Err(Refusal::new(Code::QuotaExceeded, "open intents"));
    }
    let mut user = change.user(scope, initiator)?;
    if guard(G::HalfOfOpen, user.intents_open >= half) {
        let detail = "open intents of the initiator";
        return Err(Refusal::new(Code::QuotaExceeded, detail));
    }
    owner.intents_open += 1;
    user.intents_open += 1;
    change.put(ks::tenant(place.tenant), &owner);
    change.put(ks::user(scope, initiator), &user);
    Ok(())
}

/// Inserts an authorized intent, with the keys under which a second use of it is recognised.
fn insert_intent(change: &mut Change<'_>, evaluated: Evaluated, record: &IntentRecord) {
    let Evaluated {
        intent,
        digest,
        payment,
        decision,
        ..
    } = evaluated;
    let open = OpenIntentRecord {
        payment,
        policy: decision.core.policy,
        met: Terms::from(&decision.core),
        rule: decision.core.rule,
    };

    let tenant = intent.tenant;
    let bounds = &change.state().genesis().bounds;
    let while_open = ks::open_intent(tenant, &digest);
    let marker = ks::expiry(tenant, intent.expires, &while_open);
    change.expire_charged(marker, record.initiator_user.0);
    change.put(while_open, &open);

    // The intent is remembered beyond its expiry: a replay or a second intent on the same anchor
    // must be refused as long as old transactions can still be mined.
    let until = intent.expires.plus(bounds.retention_ms);
    let by_digest = ks::intent(tenant, &digest);
    change.expire(tenant, until, &by_digest);
    change.put(by_digest, record);
    change.put(ks::external_id(tenant, &intent.external_id), &digest);
    let anchor = ks::conflict(intent.vault, &intent.chain, &record.anchor);
    change.put(ks::anchor(tenant, &anchor), &digest);
}

/// Uses an approval up, until its own expiry or that of its intent refuses it anyway: an approver
/// may choose the first in any year.
fn set_approval_used(
    change: &mut Change<'_>,
    tenant: TenantId,
    approval: &VerifiedApproval,
    until: UnixMs,
) {
    let key = ks::approval(tenant, approval.relied.credential, approval.nonce);
    change.expire(tenant, until, &key);
    change.put_bytes(key, Vec::new());
}
