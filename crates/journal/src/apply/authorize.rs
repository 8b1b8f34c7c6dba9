//! A payment: authorized with attempt 1 in one atomic entry, or rejected by an approver's signed
//! no.

use super::approvals::{Ballot, Verified, check_answer, check_approvals};
use super::attempt::first;
use super::change::Change;
use super::windows::{self, TenantView};
use crate::entry::{Authorization, Entry};
use crate::keyspace as ks;
use crate::model::{EndedRecord, IntentRecord, IntentStanding, Spend};
use crate::state::{Lookup as _, State, View};
use std::collections::BTreeMap;
use strongroom_policy::{Decision, Question};
use strongroom_types::signed::verify_with;
use strongroom_types::{
    Answer, AssetId, Code, Credential, Digest, Document as _, Intent, MinorUnits, Refusal, Signed,
    TenantId, UnixMs,
};

/// The initiator's credential, in force, whose one signature is on the intent.
///
/// # Errors
/// `unknown_credential`, `credential_revoked`, `bad_signature`.
pub fn initiator(
    view: &dyn View,
    tenant: TenantId,
    intent: &Intent,
    signed: &Signed,
    digest: &Digest,
) -> Result<Credential, Refusal> {
    let credential = view.credential(tenant, intent.initiator)?.credential;
    let [endorsement] = signed.endorsements.as_slice() else {
        return Err(Refusal::new(Code::Malformed, "an intent has one signature"));
    };
    let own = endorsement.credential == intent.initiator;
    let key = view.public_key(&credential.public_key);
    if own && key.is_some_and(|key| verify_with(&key, digest, &endorsement.signature)) {
        Ok(credential)
    } else {
        Err(Refusal::new(Code::BadSignature, intent.initiator))
    }
}

/// Everything about an intent that does not need approvals or an attempt, and the policy's answer
/// to it. The approvals service calls this same function early; `apply` and every replica call it
/// at the entry's position.
///
/// # Errors
/// The first rule that refuses.
pub fn evaluate(
    state: &State,
    view: &dyn View,
    signed: &Signed,
    at: UnixMs,
) -> Result<Evaluated, Refusal> {
    let evaluated = judge(state, view, signed, at)?;
    running(view, &evaluated.intent, at)?;
    Ok(evaluated)
}

/// Neither stopped nor paused.
fn running(view: &dyn View, intent: &Intent, at: UnixMs) -> Result<(), Refusal> {
    if view.platform()?.stopped {
        return Err(Code::PlatformStopped.into());
    }
    let tenant = view.tenant(intent.tenant)?;
    if tenant.stopped {
        return Err(Code::TenantStopped.into());
    }
    let vault = view.vault(intent.tenant, intent.vault)?;
    if at < tenant.paused_until.max(vault.paused_until) {
        Err(Code::Paused.into())
    } else {
        Ok(())
    }
}

/// As [`evaluate`], stopped and paused or not: a "no" tightens, and nothing may keep it out.
fn judge(
    state: &State,
    view: &dyn View,
    signed: &Signed,
    at: UnixMs,
) -> Result<Evaluated, Refusal> {
    let (intent, digest) = signed.open::<Intent>()?;
    let genesis = state.genesis();
    let tenant = intent.tenant;
    if intent.platform != genesis.platform {
        return Err(Code::WrongScope.into());
    }
    let record = view.tenant(tenant)?;
    let credential = initiator(view, tenant, &intent, signed, &digest)?;
    times(
        &intent,
        at,
        genesis.bounds.intent_life_ms,
        genesis.bounds.skew_ms,
    )?;
    if intent.attempts_max > u64::from(genesis.bounds.attempts_max) {
        return Err(Refusal::new(
            Code::AttemptsExhausted,
            format!("at most {}", genesis.bounds.attempts_max),
        ));
    }
    fresh(view, tenant, &intent, &digest, &credential)?;
    let chain = genesis
        .chain(&intent.chain)
        .ok_or_else(|| Refusal::new(Code::UnknownChain, &intent.chain))?;
    let question = Question {
        intent: &intent,
        intent_digest: digest,
        at,
        decoder: &chain.decoder,
    };
    let policy = state.policy(tenant, &record)?;
    let decision = strongroom_policy::evaluate(
        &policy,
        record.policy,
        &TenantView::new(view, tenant),
        &question,
    );
    let native = chain.native.clone();
    Ok(Evaluated {
        intent,
        digest,
        credential,
        decision,
        native,
    })
}

/// An intent with the policy's answer.
pub struct Evaluated {
    /// The intent.
    pub intent: Intent,
    /// Its digest.
    pub digest: Digest,
    /// Its initiator's credential.
    pub credential: Credential,
    /// The policy's answer.
    pub decision: Decision,
    native: AssetId,
}

fn times(intent: &Intent, at: UnixMs, life_max_ms: u64, skew_ms: u64) -> Result<(), Refusal> {
    if at >= intent.expires {
        return Err(Code::IntentExpired.into());
    }
    if intent.created > at.plus(skew_ms) {
        return Err(Code::IntentFromFuture.into());
    }
    if intent.expires.since(intent.created) > life_max_ms {
        return Err(Refusal::new(
            Code::IntentTooLongLived,
            format!("at most {life_max_ms} ms"),
        ));
    }
    Ok(())
}

/// The intent and its external id are new, and nobody who could has ended it.
fn fresh(
    view: &dyn View,
    tenant: TenantId,
    intent: &Intent,
    digest: &Digest,
    credential: &Credential,
) -> Result<(), Refusal> {
    if view.intent(tenant, digest)?.is_some() {
        return Err(Code::IntentAlreadyAuthorized.into());
    }
    let ended: EndedRecord = view.record(&ks::ended(tenant, digest))?.unwrap_or_default();
    if ended.rejected {
        return Err(Code::IntentRejected.into());
    }
    if ended.by_all || ended.by.contains(&credential.user) {
        return Err(Code::IntentCancelled.into());
    }
    if view
        .get(&ks::external_id(tenant, &intent.external_id))
        .is_some()
    {
        return Err(Refusal::new(Code::DuplicateExternalId, &intent.external_id));
    }
    Ok(())
}

pub(super) fn apply(
    change: &mut Change<'_>,
    tenant: TenantId,
    entry: &Entry,
    authorization: &Authorization,
) -> Result<(), Refusal> {
    let evaluated = evaluate(change.state(), &*change, &authorization.intent, entry.at)?;
    let Evaluated {
        intent,
        digest,
        credential,
        decision,
        native,
    } = evaluated;
    if intent.tenant != tenant {
        return Err(Code::WrongScope.into());
    }
    if let Some(refusal) = decision.block {
        return Err(refusal);
    }
    if decision.core.to_text() != authorization.core {
        return Err(Code::DecisionChanged.into());
    }
    let platform = intent.platform;
    let ballot = Ballot {
        platform,
        tenant,
        intent: digest,
        initiator: credential.user,
        core: &decision.core,
        at: entry.at,
    };
    let verified = check_approvals(&*change, &ballot, &authorization.approvals)?;
    let attempt = first(
        &*change,
        tenant,
        &intent,
        &digest,
        &authorization.attempt,
        entry,
    )?;
    let spend = Spend {
        amounts: worst_case(&intent, &native)?,
        at: entry.at,
    };
    windows::add(change, tenant, intent.vault, credential.user, &spend)?;
    let lock_ms = decision.core.time_lock_seconds.saturating_mul(1000);
    let record = IntentRecord {
        seq: entry.seq,
        standing: IntentStanding::Authorized,
        vault: intent.vault,
        chain: intent.chain.clone(),
        initiator: intent.initiator,
        initiator_user: credential.user,
        expires: intent.expires,
        approvals: verified.iter().map(|v| v.relied).collect(),
        allow_list: decision.relied_on,
        locked_until: if lock_ms == 0 {
            UnixMs(0)
        } else {
            entry.at.plus(lock_ms)
        },
        anchor: authorization.attempt.anchor.clone(),
        fee_max: intent.fee_max,
        attempts_max: u32::try_from(intent.attempts_max).unwrap_or(1),
        spend,
        attempts: vec![attempt],
    };
    remember(change, tenant, &intent, &digest, &record, &verified)
}

/// Amounts by asset at worst case: what is paid, and the fee cap in the native asset.
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

fn remember(
    change: &mut Change<'_>,
    tenant: TenantId,
    intent: &Intent,
    digest: &Digest,
    record: &IntentRecord,
    verified: &[Verified],
) -> Result<(), Refusal> {
    let bounds = &change.state().genesis().bounds;
    let until = intent.expires.plus(bounds.retention_ms);
    let mut owner = change.tenant(tenant)?;
    if owner.intents_open >= bounds.intents_open_max {
        return Err(Refusal::new(Code::QuotaExceeded, "open intents"));
    }
    owner.intents_open += 1;
    change.put(ks::tenant(tenant), &owner);
    let open = ks::open_intent(tenant, digest);
    change.expire(tenant, intent.expires, &open);
    change.put_bytes(open, Vec::new());
    let (by_digest, external_id) = (
        ks::intent(tenant, digest),
        ks::external_id(tenant, &intent.external_id),
    );
    let anchor = ks::anchor(tenant, &intent.chain, &record.anchor);
    for key in [&by_digest, &external_id, &anchor] {
        change.expire(tenant, until, key);
    }
    change.put(by_digest, record);
    change.put(external_id, digest);
    change.put(anchor, digest);
    for v in verified {
        use_approval(change, tenant, v);
    }
    Ok(())
}

fn use_approval(change: &mut Change<'_>, tenant: TenantId, verified: &Verified) {
    let key = ks::approval(tenant, verified.nonce);
    change.expire(tenant, verified.expires, &key);
    change.put_bytes(key, Vec::new());
}

/// One signed no of anyone eligible ends an intent that is not yet authorized.
pub(super) fn reject(
    change: &mut Change<'_>,
    tenant: TenantId,
    entry: &Entry,
    signed: &Signed,
    core: &str,
    approval: &Signed,
) -> Result<(), Refusal> {
    let Evaluated {
        intent,
        digest,
        credential,
        decision,
        ..
    } = judge(change.state(), &*change, signed, entry.at)?;
    if intent.tenant != tenant {
        return Err(Code::WrongScope.into());
    }
    if decision.core.to_text() != core {
        return Err(Code::DecisionChanged.into());
    }
    let platform = intent.platform;
    let ballot = Ballot {
        platform,
        tenant,
        intent: digest,
        initiator: credential.user,
        core: &decision.core,
        at: entry.at,
    };
    let mut refusal = Refusal::from(Code::ApprovalNotEligible);
    for need in &decision.core.groups {
        match check_answer(&*change, &ballot, approval, Answer::No, need.group, &[]) {
            Ok(verified) => {
                let key = ks::ended(tenant, &digest);
                let known: EndedRecord = change.record(&key)?.unwrap_or_default();
                let until = known.until.max(intent.expires);
                change.expire(tenant, until, &key);
                change.put(
                    key,
                    &EndedRecord {
                        rejected: true,
                        until,
                        ..known
                    },
                );
                use_approval(change, tenant, &verified);
                return Ok(());
            }
            Err(why) => refusal = why,
        }
    }
    Err(refusal)
}
