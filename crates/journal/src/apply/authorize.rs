//! A payment: authorized with attempt 1 in one atomic entry.

use super::approvals::{Ballot, VerifiedApproval, check_approvals};
use super::attempt::{check_no_facts, first};
use super::change::{Change, Place};
use super::{waiting, windows};
use crate::asked::{self, Asked};
use crate::entry::Authorization;
use crate::genesis::{Bounds, ChainSeat, Genesis};
use crate::keyspace as ks;
use crate::model::{
    EndedRecord, IntentRecord, IntentStanding, NEVER, OpenIntentRecord, Spend, WaitingOf,
};
use crate::state::{Lookup as _, State, View};
use std::collections::BTreeMap;
use strongroom_policy::{Decision, Moment, Payment, Terms};
use strongroom_types::{
    AssetId, Code, Digest, Document as _, Intent, MinorUnits, Refusal, Scope, Signed, TenantId,
    UnixMs, UserId,
};

/// An intent with the policy's answer.
pub struct Evaluated {
    /// Intent as its text says it.
    pub intent: Intent,
    /// Digest of the intent's text.
    pub digest: Digest,
    /// The human who asked.
    pub initiator: UserId,
    /// Content of the intent that the policy read.
    pub payment: Payment,
    /// The policy's answer.
    pub decision: Decision,
    /// Asset in which the chain's fees are paid.
    native: AssetId,
}

impl Evaluated {
    /// The decision that approvers answer to.
    fn ballot(&self, at: UnixMs) -> Ballot<'_> {
        Ballot {
            platform: self.intent.platform,
            tenant: self.intent.tenant,
            intent: self.digest,
            initiator: self.initiator,
            core: &self.decision.core,
            at,
        }
    }

    /// The entry stands under the intent's own tenant: quotas and windows are counted there.
    fn check_scope(&self, place: Place) -> Result<(), Refusal> {
        if self.intent.tenant == place.tenant {
            Ok(())
        } else {
            Err(Code::WrongScope.into())
        }
    }

    /// The decision at this position is the one that the approvers signed: a policy that moved
    /// since then may ask for others, or for more.
    fn check_core(&self, core: &str) -> Result<(), Refusal> {
        if self.decision.core.to_text() == core {
            Ok(())
        } else {
            Err(Code::DecisionChanged.into())
        }
    }
}

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
    match change.intent(tenant, &digest)? {
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

    // Counted at the worst case and at once: between authorization and confirmation the amount is
    // gone for every other payment's limit.
    let Evaluated {
        intent,
        digest,
        initiator,
        payment,
        decision,
        native,
    } = evaluated;
    let spend = Spend {
        amounts: worst_case(&intent, &native)?,
        at: place.at,
    };
    let payer = windows::Payer {
        tenant: place.tenant,
        vault: intent.vault,
        user: initiator,
    };
    windows::add(change, payer, &spend)?;

    let lock_ms = decision.core.time_lock_seconds.saturating_mul(1000);
    let record = IntentRecord {
        seq: place.seq,
        external_id: intent.external_id.clone(),
        standing: IntentStanding::Authorized,
        vault: intent.vault,
        chain: intent.chain.clone(),
        initiator: intent.initiator,
        initiator_user: initiator,
        expires: intent.expires,
        approvals: verified.iter().map(|v| v.relied).collect(),
        allow_list: decision.relied_on,
        lock_ms,
        // Counted from a time that witnesses vouch for, not from the writer's stamp.
        locked_until: if lock_ms == 0 { UnixMs(0) } else { NEVER },
        anchor: authorization.attempt.anchor.clone(),
        fee_max: intent.fee_max,
        attempts_max: u32::try_from(intent.attempts_max).unwrap_or(1),
        spend,
        attempts: vec![attempt],
    };
    let open = OpenIntentRecord {
        payment,
        policy: decision.core.policy,
        rule: decision.core.rule.clone(),
        met: Terms::from(&decision.core),
    };
    make_room(change, place)?;
    insert_intent(change, (&intent, &digest), (&record, &open))?;
    if lock_ms > 0 {
        let of = WaitingOf::Lock(place.tenant, digest);
        waiting::add(change, (place.seq, place.at), of)?;
    }
    for approval in &verified {
        let until = approval.relied.expires.min(record.expires);
        set_approval_used(change, place.tenant, (approval, until));
    }
    Ok(())
}

/// Evaluates an intent: everything about it that does not need approvals or an attempt, and the
/// policy's answer to it. The approvals service calls this same function early; `apply` and every
/// replica call it at the entry's position.
///
/// # Errors
/// The first rule that refuses.
pub fn evaluate(
    state: &State,
    view: &dyn View,
    signed: &Signed,
    at: UnixMs,
) -> Result<Evaluated, Refusal> {
    let Admitted {
        intent,
        digest,
        initiator,
        chain,
    } = admissible(view, state.genesis(), signed, at)?;

    let payment = Payment::from(&intent);
    let decision = asked::ask(
        view,
        &Asked {
            tenant: intent.tenant,
            intent: digest,
            payment: &payment,
            decoder: &chain.decoder,
            moment: Moment::Entry(at),
            now: at,
            relied: None,
        },
    )?;

    Ok(Evaluated {
        intent,
        digest,
        initiator,
        payment,
        decision,
        native: chain.native,
    })
}

/// An intent that no rule about the intent itself keeps out.
pub struct Admitted {
    /// Intent as its text says it.
    pub intent: Intent,
    /// Digest of the intent's text.
    pub digest: Digest,
    /// The human who asked.
    pub initiator: UserId,
    /// The chain as genesis names it.
    chain: ChainSeat,
}

/// Judges an intent by everything that needs neither policy nor approvals nor an attempt: form,
/// scope, signature, times, and that it is new. The API asks this before it stores an intent, so
/// that a client is refused at once and for the reason that the journal would give.
///
/// # Errors
/// The first rule that refuses.
pub fn admissible(
    view: &dyn View,
    genesis: &Genesis,
    signed: &Signed,
    at: UnixMs,
) -> Result<Admitted, Refusal> {
    let (intent, digest) = signed.open::<Intent>()?;

    // An intent signed for another installation must not pay here.
    if intent.platform != genesis.platform {
        return Err(Code::WrongScope.into());
    }
    view.tenant(intent.tenant)?;
    let initiator = initiator(view, &intent, signed, &digest)?;

    check_times(&intent, at, &genesis.bounds)?;
    if intent.attempts_max > u64::from(genesis.bounds.attempts_max) {
        let detail = format!("at most {}", genesis.bounds.attempts_max);
        return Err(Refusal::new(Code::AttemptsExhausted, detail));
    }
    check_unused(view, &intent, &digest, initiator)?;

    let chain = genesis
        .chain(&intent.chain)
        .ok_or_else(|| Refusal::new(Code::UnknownChain, &intent.chain))?
        .clone();
    Ok(Admitted {
        intent,
        digest,
        initiator,
        chain,
    })
}

/// The human of the initiator's credential, which is in force and whose one signature is on the
/// intent.
///
/// # Errors
/// `unknown_credential`, `credential_revoked`, `bad_signature`, `wrong_credential_class`.
pub fn initiator(
    view: &dyn View,
    intent: &Intent,
    signed: &Signed,
    digest: &Digest,
) -> Result<UserId, Refusal> {
    let credential = view.credential(intent.tenant, intent.initiator)?.credential;
    let [endorsement] = signed.endorsements.as_slice() else {
        return Err(Refusal::new(Code::Malformed, "an intent has one signature"));
    };

    // The named initiator's own signature: limits and four eyes are counted by that name.
    let is_own = endorsement.credential == intent.initiator;
    if !is_own || !view.verify(&credential, digest, &endorsement.proof) {
        return Err(Refusal::new(Code::BadSignature, intent.initiator));
    }

    // Four eyes need the human who asked: a key of no human would make every approver another one.
    credential
        .user
        .ok_or_else(|| Refusal::new(Code::WrongCredentialClass, credential.class))
}

/// Bounds how long a signed intent can lie around: a thief of old texts finds none that still pays.
fn check_times(intent: &Intent, at: UnixMs, bounds: &Bounds) -> Result<(), Refusal> {
    if at >= intent.expires {
        return Err(Code::IntentExpired.into());
    }
    if intent.created > at.plus(bounds.skew_ms) {
        return Err(Code::IntentFromFuture.into());
    }
    if intent.expires.since(intent.created) > bounds.intent_life_ms {
        let detail = format!("at most {} ms", bounds.intent_life_ms);
        return Err(Refusal::new(Code::IntentTooLongLived, detail));
    }
    Ok(())
}

/// Refuses an intent or external id that was used before, and one that was ended by someone who
/// may.
fn check_unused(
    view: &dyn View,
    intent: &Intent,
    digest: &Digest,
    initiator: UserId,
) -> Result<(), Refusal> {
    // The same text twice would pay twice.
    let tenant = intent.tenant;
    if view.intent(tenant, digest)?.is_some() {
        return Err(Code::IntentAlreadyAuthorized.into());
    }

    // A cancel or a no that arrived first wins, although the intent was not known then.
    let ended: EndedRecord = view.record(&ks::ended(tenant, digest))?.unwrap_or_default();
    if let Some(code) = ended.ends_for(Some(initiator)) {
        return Err(code.into());
    }

    // A client that signs again after a lost answer keeps its external id, so it pays once.
    let external_id = ks::external_id(tenant, &intent.external_id);
    if view.get(&external_id).is_some() {
        return Err(Refusal::new(Code::DuplicateExternalId, &intent.external_id));
    }
    Ok(())
}

/// Amounts by asset at worst case: the payments, and the fee cap in the native asset.
fn worst_case(intent: &Intent, native: &AssetId) -> Result<Vec<(AssetId, MinorUnits)>, Refusal> {
    let mut sums: BTreeMap<AssetId, MinorUnits> = BTreeMap::new();
    sums.insert(native.clone(), intent.fee_max);
    for transfer in intent.transfers() {
        let sum = sums.entry(transfer.asset.clone()).or_default();
        *sum = sum
            .checked_add(transfer.amount)
            .ok_or(Code::LimitExceeded)?;
    }
    Ok(sums.into_iter().collect())
}

/// Open intents are what a replica must hold in full: their number bounds its memory. Those that
/// have expired are not counted, wherever they are among what is due to be forgotten.
fn make_room(change: &mut Change<'_>, place: Place) -> Result<(), Refusal> {
    let max = change.state().genesis().bounds.intents_open_max;
    if change.tenant(place.tenant)?.intents_open >= max {
        let is_open = |due: &[u8], _: &[u8]| ks::kind(due) == ks::Kind::OpenIntent;
        change.forget_counted(place.tenant.into(), place.at, is_open)?;
    }
    if change.tenant(place.tenant)?.intents_open >= max {
        return Err(Refusal::new(Code::QuotaExceeded, "open intents"));
    }
    Ok(())
}

/// Inserts an authorized intent, with the keys under which a second use of it is recognised.
fn insert_intent(
    change: &mut Change<'_>,
    (intent, digest): (&Intent, &Digest),
    (record, open): (&IntentRecord, &OpenIntentRecord),
) -> Result<(), Refusal> {
    let tenant = intent.tenant;
    let bounds = &change.state().genesis().bounds;
    let mut owner = change.tenant(tenant)?;
    owner.intents_open += 1;
    change.put(ks::tenant(tenant), &owner);
    let while_open = ks::open_intent(tenant, digest);
    change.expire(tenant, intent.expires, &while_open);
    change.put(while_open, open);

    // Remembered beyond the expiry: a replay or a second intent on the same anchor must be refused
    // as long as old transactions can still be mined.
    let until = intent.expires.plus(bounds.retention_ms);
    let by_digest = ks::intent(tenant, digest);
    change.expire(tenant, until, &by_digest);
    change.put(by_digest, record);
    change.put(ks::external_id(tenant, &intent.external_id), digest);
    change.put(ks::anchor(tenant, &intent.chain, &record.anchor), digest);
    Ok(())
}

/// Uses an approval up, until its own expiry or that of its intent refuses it anyway: an approver
/// may choose the first in any year.
fn set_approval_used(
    change: &mut Change<'_>,
    tenant: TenantId,
    (approval, until): (&VerifiedApproval, UnixMs),
) {
    let key = ks::approval(tenant, approval.nonce);
    change.expire(tenant, until, &key);
    change.put_bytes(key, Vec::new());
}
