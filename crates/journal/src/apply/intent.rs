//! Intents: which ones are admitted, and the policy's answer to them.

use super::approvals::Ballot;
use super::change::Place;
use crate::asked::{self, Asked};
use crate::genesis::{Bounds, ChainSeat, Genesis};
use crate::keyspace as ks;
use crate::model::EndedRecord;
use crate::state::{Lookup as _, State, View};
use strongroom_guard::{G, guard};
use strongroom_policy::{Decision, Moment, Payment};
use strongroom_types::{
    AssetId, Code, Digest, Document as _, Intent, Refusal, Signed, UnixMs, UserId,
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
    pub(super) native: AssetId,
}

impl Evaluated {
    /// The decision that approvers answer to.
    pub(crate) fn ballot(&self, at: UnixMs) -> Ballot<'_> {
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
    pub(super) fn check_scope(&self, place: Place) -> Result<(), Refusal> {
        if guard(G::IntentScope, self.intent.tenant != place.tenant) {
            return Err(Code::WrongScope.into());
        }
        Ok(())
    }

    /// The decision at this position is the one that the approvers signed: a policy that moved
    /// since then may ask for others, or for more.
    pub(super) fn check_core(&self, core: &str) -> Result<(), Refusal> {
        if self.decision.core.to_text() == core {
            Ok(())
        } else {
            Err(Code::DecisionChanged.into())
        }
    }
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
    let asked = asked::ask(
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
    let decision = check_lock(asked, &intent, at);

    Ok(Evaluated {
        intent,
        digest,
        initiator,
        payment,
        decision,
        native: chain.native,
    })
}

/// Blocks a payment whose lock, begun now, outlasts its intent: it could never be signed, and would
/// hold room and coins all the same.
fn check_lock(decision: Decision, intent: &Intent, at: UnixMs) -> Decision {
    let lock_ms = decision.core.time_lock_ms();
    let outlasts = lock_ms > 0 && at.plus(lock_ms) >= intent.expires;
    if decision.block.is_some() || !guard(G::LockTooLong, outlasts) {
        return decision;
    }
    let detail = format!(
        "rule `{}` locks it until {}, and the intent ends at {}",
        decision.core.rule,
        at.plus(lock_ms),
        intent.expires
    );
    decision.blocked(Refusal::new(Code::TimeLockTooLong, detail))
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

    // The signature must be the named initiator's own: limits and four eyes are counted by that
    // name.
    let is_own = endorsement.credential == intent.initiator;
    let is_signed = is_own && view.verify(&credential, digest, &endorsement.proof);
    if guard(G::InitiatorSigns, !is_signed) {
        return Err(Refusal::new(Code::BadSignature, intent.initiator));
    }

    // Four eyes need the human who asked: a key of no human would make every approver another one.
    credential
        .user
        .ok_or_else(|| Refusal::new(Code::WrongCredentialClass, credential.class))
}

/// Bounds how long a signed intent can lie around: a thief of old texts finds none that still pays.
fn check_times(intent: &Intent, at: UnixMs, bounds: &Bounds) -> Result<(), Refusal> {
    if guard(G::IntentExpiry, at >= intent.expires) {
        return Err(Code::IntentExpired.into());
    }
    if intent.created > at.plus(bounds.skew_ms) {
        return Err(Code::IntentFromFuture.into());
    }
    check_life(intent, bounds)
}

/// Refuses an intent that asks to live longer than intents of this installation may. Nothing that
/// happens later makes such a text good.
///
/// # Errors
/// `intent_too_long_lived`.
pub fn check_life(intent: &Intent, bounds: &Bounds) -> Result<(), Refusal> {
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
    if guard(G::ExternalIdOnce, view.intent(tenant, digest)?.is_some()) {
        return Err(Code::IntentAlreadyAuthorized.into());
    }

    // A cancel or a no that arrived before the intent ends it all the same.
    let ended: EndedRecord = view.record(&ks::ended(tenant, digest))?.unwrap_or_default();
    if let Some(code) = ended.ends_for(Some(initiator)) {
        return Err(code.into());
    }

    // A client that signs again after a lost answer keeps its external id, so it pays once.
    let external_id = ks::external_id(tenant, &intent.external_id);
    if guard(G::ExternalIdOnce, view.get(&external_id).is_some()) {
        return Err(Refusal::new(Code::DuplicateExternalId, &intent.external_id));
    }
    Ok(())
}
