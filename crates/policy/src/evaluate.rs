//! Evaluation in two stages: guards, then the first rule that matches.

use crate::evidence::{Evidence, Recorder, Silent, Trace};
use crate::facts::{IntentFacts, PolicyRefusal};
use crate::guard::{Guard, GuardKind};
use crate::payment::Payment;
use crate::policy::Policy;
use crate::question::{Decision, Question};
use crate::table::{Matched, first_match};
use crate::velocity::has_room;
use crate::view::PolicyView;
use strongroom_types::{Code, DecisionCore, Destination, Digest, Refusal, Tier};

/// Answers a question. Total and deterministic: equal arguments give equal answers, and every error
/// is a block.
#[must_use]
pub fn evaluate(
    policy: &Policy,
    policy_digest: Digest,
    view: &dyn PolicyView,
    question: &Question<'_>,
) -> Decision {
    decision(
        decide(policy, view, question, &mut Silent),
        policy_digest,
        question,
    )
}

/// The same decision as [`evaluate`], with its evidence: every window that was read, every guard's
/// outcome, every rule up to the match.
#[must_use]
pub fn explain(
    policy: &Policy,
    policy_digest: Digest,
    view: &dyn PolicyView,
    question: &Question<'_>,
) -> (Decision, Evidence) {
    let mut recorder = Recorder::default();
    let decision = decision(
        decide(policy, view, question, &mut recorder),
        policy_digest,
        question,
    );

    let evidence = recorder.finish(&decision, question.moment.at());
    (decision, evidence)
}

fn decision(
    decided: Result<Matched<'_>, PolicyRefusal>,
    policy: Digest,
    question: &Question<'_>,
) -> Decision {
    let core = |rule: String, tier| DecisionCore {
        intent: question.intent_digest,
        policy,
        rule,
        tier,
        time_lock_seconds: 0,
        ordered: false,
        groups: Vec::new(),
        obligations: Vec::new(),
        decoder: question.decoder.to_owned(),
    };

    match decided {
        Ok(matched) => {
            let (rule, then) = (matched.rule, &matched.rule.then);
            let core = DecisionCore {
                time_lock_seconds: then.time_lock_seconds,
                ordered: then.ordered,
                groups: then.groups.clone(),
                ..core(rule.id.as_str().to_owned(), then.tier)
            };
            Decision {
                core,
                relied_on: matched.relied_on,
                limited: matched.limited,
                block: None,
            }
        }
        // A block asks no group, so the core names none that could approve it away.
        Err(PolicyRefusal { by, refusal }) => Decision {
            core: core(by, Tier::Block),
            relied_on: Vec::new(),
            limited: false,
            block: Some(refusal),
        },
    }
}

fn decide<'p, T: Trace>(
    policy: &'p Policy,
    view: &dyn PolicyView,
    question: &Question<'_>,
    trace: &mut T,
) -> Result<Matched<'p>, PolicyRefusal> {
    let facts = IntentFacts::gather(view, question)?;

    // Guards are checked before the rules, so that a rule that matches can never override a guard.
    check_guards(policy, &facts, trace)?;
    let matched = first_match(&policy.rules, &facts, trace)?;
    let rule = matched.rule;

    let block = |code, detail: String| Err(PolicyRefusal::new(rule.id.as_str(), code, detail));
    if rule.then.tier == Tier::Block {
        return block(
            Code::PolicyBlocked,
            format!("rule `{}` blocks this", rule.id),
        );
    }

    // The rule caps the fee as well as the amount: a hostile service could otherwise burn as fees
    // what a limit protects.
    if let Some(most) = rule.then.fee_max
        && facts.payment.fee_max > most
    {
        let detail = format!(
            "rule `{}` allows a fee cap of {most}, not {}",
            rule.id, facts.payment.fee_max
        );
        return block(Code::FeeCapExceeded, detail);
    }
    Ok(matched)
}

/// Stage A: every guard may deny the intent. The reason that is returned is the first denial in
/// table order; whether the intent is denied does not depend on the order.
fn check_guards<T: Trace>(
    policy: &Policy,
    facts: &IntentFacts<'_>,
    trace: &mut T,
) -> Result<(), PolicyRefusal> {
    let mut denied = None;
    for guard in &policy.guards {
        let denial = denial(guard, facts, trace);
        trace.guard(guard, denial.as_ref());

        denied = denied.or(denial.map(|refusal| PolicyRefusal {
            by: guard.id.to_string(),
            refusal,
        }));
        // Only evidence lists every guard. A decision needs no more than the first denial.
        if denied.is_some() && !T::FULL {
            break;
        }
    }
    denied.map_or(Ok(()), Err)
}

/// Reason why the guard denies the intent, if it does.
fn denial<T: Trace>(guard: &Guard, facts: &IntentFacts<'_>, trace: &mut T) -> Option<Refusal> {
    let payment = facts.payment;
    let deny_if = |denied: bool, code: Code, text: &str| {
        denied.then(|| Refusal::new(code, format!("guard `{}`: {text}", guard.id)))
    };

    match &guard.kind {
        GuardKind::BlockedDestinations(blocked) => deny_if(
            pays_any(payment, blocked),
            Code::PolicyBlocked,
            "a blocked destination",
        ),
        // A ceiling of another asset does not apply, because base units of different assets cannot
        // be compared.
        GuardKind::Ceiling { asset, .. } if asset != facts.asset => None,
        GuardKind::Ceiling { window, .. } => {
            match has_room(window, guard.id.as_str(), facts, trace) {
                Ok(room) => deny_if(!room, Code::LimitExceeded, "its window would be exceeded"),
                Err(refusal) => Some(refusal),
            }
        }
        GuardKind::AmountMax { asset, lte } => deny_if(
            asset == facts.asset && facts.amount > *lte,
            Code::PolicyBlocked,
            "the amount is too large",
        ),
        GuardKind::Chains(chains) => deny_if(
            !chains.contains(&payment.chain),
            Code::UnknownChain,
            "the chain is not enabled",
        ),
        GuardKind::Assets(assets) => deny_if(
            !assets.contains(facts.asset),
            Code::PolicyBlocked,
            "the asset is not enabled",
        ),
        GuardKind::FeeMax { chain, lte } => deny_if(
            *chain == payment.chain && payment.fee_max > *lte,
            Code::FeeCapExceeded,
            "the fee cap is too large",
        ),
        GuardKind::ClosedHours(hours) => deny_if(
            hours.contain(facts.moment.hours_at()),
            Code::PolicyBlocked,
            "nothing goes out now",
        ),
    }
}

/// Whether a transfer pays one of the addresses.
fn pays_any(payment: &Payment, addresses: &[String]) -> bool {
    // The case of letters is ignored: Bech32 and hexadecimal addresses can be written in both
    // cases, and a blocked address must not pass in the other one.
    let is_paid = |address: &String| {
        payment
            .destinations
            .iter()
            .any(|destination| match destination {
                Destination::Address(text) => text.eq_ignore_ascii_case(address),
                Destination::Vault(_) => false,
            })
    };
    addresses.iter().any(is_paid)
}
