//! Whether a payment may go out: one function, asked at its authorization, at each further attempt
//! and, by each signer, before a share.
//!
//! An intent lives for hours, and all that its authorization rested on can change in that time:
//! the policy, a limit, a group, an approver. So nothing of it is taken over from one moment to the
//! next; what was met is compared with what is asked now.

use crate::apply::{Removals, TenantView, check_not_stopped};
use crate::genesis::Genesis;
use crate::keyspace as ks;
use crate::model::{IntentRecord, OpenIntentRecord, ReliedApproval};
use crate::state::{Lookup as _, View};
use strongroom_guard::{G, guard};
use strongroom_policy::{Decision, Moment, Payment, Question, Terms};
use strongroom_types::{Code, Digest, Refusal, TenantId, UnixMs, VaultId};

/// A payment at one moment.
#[derive(Clone, Copy)]
pub(crate) struct Asked<'a> {
    /// Tenant of the intent.
    pub(crate) tenant: TenantId,
    /// Digest of the intent's text.
    pub(crate) intent: Digest,
    /// Content of the intent that the policy reads.
    pub(crate) payment: &'a Payment,
    /// Decoder that genesis names for its chain.
    pub(crate) decoder: &'a str,
    /// Moment at which the policy is asked.
    pub(crate) moment: Moment,
    /// Clock by which pauses and approvals end: the entry's time, or a signer's own clock.
    pub(crate) now: UnixMs,
    /// Records that it was authorized on; none before that.
    pub(crate) relied: Option<Relied<'a>>,
}

/// Records that an authorized intent relies on.
#[derive(Clone, Copy)]
pub(crate) struct Relied<'a> {
    pub(crate) record: &'a IntentRecord,
    pub(crate) open: &'a OpenIntentRecord,
}

/// The policy's answer now, with everything around it that can keep a payment back. What an
/// authorized intent relied on must still be in force, and enough.
///
/// # Errors
/// One code for each rule. A payment that is not authorized yet may get an answer that blocks.
pub(crate) fn ask(view: &dyn View, asked: &Asked<'_>) -> Result<Decision, Refusal> {
    check_not_held(view, asked.tenant, asked.payment.vault, asked.now)?;
    if let Some(relied) = asked.relied {
        check_people(view, asked, relied.record)?;
        check_listed(view, asked.tenant, relied.record)?;
    }

    let decision = decide(view, asked)?;
    if let Some(relied) = asked.relied {
        check_met(view, asked, &decision, relied.open)?;
    }
    Ok(decision)
}

/// An authorized payment that is asked again at a moment.
#[derive(Clone, Copy)]
pub(crate) struct Again<'a> {
    pub(crate) tenant: TenantId,
    pub(crate) intent: Digest,
    pub(crate) record: &'a IntentRecord,
    pub(crate) moment: Moment,
    pub(crate) now: UnixMs,
}

/// As [`ask`], for a payment whose authorization is in the journal.
///
/// # Errors
/// As [`ask`]; `intent_expired` once its open record is forgotten.
pub(crate) fn ask_again(
    view: &dyn View,
    genesis: &Genesis,
    again: &Again<'_>,
) -> Result<(), Refusal> {
    let open = open_of(view, again)?;
    ask(view, &again.question(genesis, &open)?).map(drop)
}

/// Whether the policy, with its windows, lets an authorized payment pass at a moment by what was met.
/// What signers ask of people and pauses before each share is left to them.
///
/// # Errors
/// As [`ask_again`].
pub(crate) fn check_room(
    view: &dyn View,
    genesis: &Genesis,
    again: &Again<'_>,
) -> Result<(), Refusal> {
    let open = open_of(view, again)?;
    let decision = decide(view, &again.question(genesis, &open)?)?;
    check_still_met(&decision, &open)
}

/// Forgotten once journal time is past the intent's end, which a signer's own clock is not yet, and
/// when it is cancelled or rejected, which is asked before.
fn open_of(view: &dyn View, again: &Again<'_>) -> Result<OpenIntentRecord, Refusal> {
    let open = view.record(&ks::open_intent(again.tenant, &again.intent))?;
    Ok(open.ok_or(Code::IntentExpired)?)
}

impl<'a> Again<'a> {
    /// The question about it, with what it was authorized on.
    fn question(
        &self,
        genesis: &'a Genesis,
        open: &'a OpenIntentRecord,
    ) -> Result<Asked<'a>, Refusal> {
        let chain = genesis
            .chain(&self.record.chain)
            .ok_or_else(|| Refusal::new(Code::UnknownChain, &self.record.chain))?;
        Ok(Asked {
            tenant: self.tenant,
            intent: self.intent,
            payment: &open.payment,
            decoder: &chain.decoder,
            moment: self.moment,
            now: self.now,
            relied: Some(Relied {
                record: self.record,
                open,
            }),
        })
    }
}

/// The policy asks no more than was met. Before a share, either of two answers is enough: that with
/// the windows of the entry, which later payments cannot fill, and that of a new authorization now,
/// for a payment that was authorized because the window of an earlier rule was full.
fn check_met(
    view: &dyn View,
    asked: &Asked<'_>,
    decision: &Decision,
    open: &OpenIntentRecord,
) -> Result<(), Refusal> {
    let Err(refusal) = check_still_met(decision, open) else {
        return Ok(());
    };
    let Moment::Head {
        at,
        hours,
        windows: false,
    } = asked.moment
    else {
        return Err(refusal);
    };

    let moment = Moment::Head {
        at,
        hours,
        windows: true,
    };
    let now = decide(view, &Asked { moment, ..*asked })?;
    check_still_met(&now, open).map_err(|_| refusal)
}

/// Neither the platform, the tenant nor the vault is stopped or paused: an incident stops payments
/// before its cause is known.
pub(crate) fn check_not_held(
    view: &dyn View,
    tenant: TenantId,
    vault: VaultId,
    now: UnixMs,
) -> Result<(), Refusal> {
    let record = check_not_stopped(view, tenant)?;

    // A pause is one admin's way to gain time; it counts for what is authorized already, too.
    let vault = view.vault(tenant, vault);
    let vault_paused_until = vault.map_or(UnixMs(0), |vault| vault.paused_until);
    let paused_until = record.paused_until.max(vault_paused_until);
    if guard(G::NotHeld, now < paused_until) {
        return Err(Code::Paused.into());
    }
    Ok(())
}

/// Everyone whose signature the payment rests on is still who they were.
fn check_people(view: &dyn View, asked: &Asked<'_>, record: &IntentRecord) -> Result<(), Refusal> {
    // A credential revoked as stolen may be the very one that made this payment, or agreed to it.
    if view.credential(asked.tenant, record.initiator).is_err() {
        return Err(Refusal::new(
            Code::InitiatorNoLongerInForce,
            record.initiator,
        ));
    }

    for approval in &record.approvals {
        if !is_in_force(view, asked, approval)? {
            return Err(Refusal::new(
                Code::ApprovalNoLongerInForce,
                approval.credential,
            ));
        }
    }
    Ok(())
}

fn is_in_force(
    view: &dyn View,
    asked: &Asked<'_>,
    approval: &ReliedApproval,
) -> Result<bool, Refusal> {
    // An approver who agreed for an hour did not agree to a transaction made a day later.
    let is_over = guard(G::ApprovalExpiry, asked.now >= approval.expires);
    let is_revoked = view.credential(asked.tenant, approval.credential).is_err();
    let is_member = view.in_group(asked.tenant, approval.group, approval.user)?;
    let has_left = guard(G::ApproverInGroup, !is_member);
    Ok(!is_over && !guard(G::ApprovalInForce, is_revoked || has_left))
}

/// An address removed as compromised must not receive what was on its way.
fn check_listed(view: &dyn View, tenant: TenantId, record: &IntentRecord) -> Result<(), Refusal> {
    for entry in &record.allow_list {
        if guard(G::StillListed, view.allow_list(tenant, *entry)?.is_none()) {
            return Err(Refusal::new(Code::AllowListNoLongerInForce, entry));
        }
    }
    Ok(())
}

/// The answer of the policy in force in this view.
fn decide(view: &dyn View, asked: &Asked<'_>) -> Result<Decision, Refusal> {
    let tenant = view.tenant(asked.tenant)?;
    let policy = view.policy(asked.tenant, &tenant)?;

    // An authorized payment's own spend is in the windows already. It is left out here: counted
    // twice, it could never be bumped.
    let own = asked.relied.map(|relied| relied.record);
    let facts = TenantView::without(view, asked.tenant, own);
    let question = Question {
        payment: asked.payment,
        intent_digest: asked.intent,
        moment: asked.moment,
        // The decoder that genesis names is the one that signers read with.
        decoder: asked.decoder,
    };
    let answer = |facts: &TenantView<'_>| {
        strongroom_policy::evaluate(&policy, tenant.policy, facts, &question)
    };
    let now = answer(&facts);
    if now.block.is_some() || !facts.met().any() {
        return Ok(now);
    }

    // Admins alone take people out of groups and addresses off the list, at once. Where that leads
    // past a stricter rule, it does not tighten, and the committee has not agreed to it.
    let undone = facts.without_removals(Removals::ALL);
    let mut before = answer(&undone);
    let covers = |before: &Decision| Terms::from(&now.core).cover(&before.core);

    // Two removals can each undo what the other did: one alone may have led to the stricter rule.
    if covers(&before) && (facts.met() | undone.met()) == Removals::ALL {
        let alone = [Removals::PEOPLE, Removals::ADDRESSES];
        let stricter = alone
            .map(|only| answer(&facts.without_removals(only)))
            .into_iter()
            .find(|decision| !covers(decision));
        before = stricter.unwrap_or(before);
    }
    if !guard(G::RemovalNoLoosening, !covers(&before)) {
        return Ok(now);
    }
    let detail = format!(
        "rule `{}` decides only since admins took a person out of a group or an address off the \
         list, before it was rule `{}`; the committee releases the group as it is to be, or the \
         address again",
        now.core.rule, before.core.rule
    );
    Ok(now.blocked(Refusal::new(Code::RemovalNotConfirmed, detail)))
}

/// The policy does not deny the payment now, and asks nothing that was not met.
fn check_still_met(decision: &Decision, open: &OpenIntentRecord) -> Result<(), Refusal> {
    if let Some(refusal) = &decision.block {
        return Err(refusal.clone());
    }
    if open.met.cover(&decision.core) {
        return Ok(());
    }

    // A full window is a reason to wait, a stricter rule is not.
    let (rule, was) = (&decision.core.rule, &open.rule);
    Err(if decision.limited {
        let detail =
            format!("rule `{was}` has no room in its windows; rule `{rule}` asks for more");
        Refusal::new(Code::LimitExceeded, detail)
    } else {
        let detail = format!("rule `{rule}` asks for more than rule `{was}` did");
        Refusal::new(Code::DecisionChanged, detail)
    })
}
