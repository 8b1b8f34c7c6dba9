//! The evaluation: guards, then the first rule that matches.

use crate::evidence::{Evidence, Recorder, Silent, Trace};
use crate::facts::{Blocked, Facts};
use crate::guard::{Guard, GuardKind};
use crate::policy::Policy;
use crate::rule::Rule;
use crate::table::first_match;
use crate::view::PolicyView;
use crate::window::Window;
use strongroom_types::{
    AllowListId, Code, DecisionCore, Destination, Digest, Intent, Refusal, Tier, UnixMs,
};

/// What is asked.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// The intent.
    pub intent: &'a Intent,
    /// Digest of the intent's text.
    pub intent_digest: Digest,
    /// Journal time of the position it is asked at.
    pub at: UnixMs,
    /// The decoder whose reading of the intent this is, e.g. `bitcoin/1`.
    pub decoder: &'a str,
}

/// The answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Decision {
    /// What approvers sign; tier `block` exactly when `block` is there.
    pub core: DecisionCore,
    /// Allow-list entries, ascending, without which another decision could have been reached: those
    /// that let the matched rule match, and those that let an earlier rule be passed over. Each
    /// must still be in force when a share is released. Empty when blocked.
    pub relied_on: Vec<AllowListId>,
    /// Why nothing may go out.
    pub block: Option<Refusal>,
}

/// Policy's answer. Total and deterministic: equal arguments give equal answers, and every error is
/// a block.
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

/// The same answer with its evidence: every window read, every guard's outcome, every rule up to
/// the match.
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
    let evidence = recorder.finish(&decision, question.at);
    (decision, evidence)
}

type Matched<'p> = (&'p Rule, Vec<AllowListId>);

fn decision(
    decided: Result<Matched<'_>, Blocked>,
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
        decoder: question.decoder.to_owned(),
    };
    match decided {
        Ok((rule, relied_on)) => {
            let then = &rule.then;
            let core = DecisionCore {
                time_lock_seconds: then.time_lock_seconds,
                ordered: then.ordered,
                groups: then.groups.clone(),
                ..core(rule.id.as_str().to_owned(), then.tier)
            };
            Decision {
                core,
                relied_on,
                block: None,
            }
        }
        Err(Blocked { by, refusal }) => Decision {
            core: core(by, Tier::Block),
            relied_on: Vec::new(),
            block: Some(refusal),
        },
    }
}

fn decide<'p, T: Trace>(
    policy: &'p Policy,
    view: &dyn PolicyView,
    question: &Question<'_>,
    trace: &mut T,
) -> Result<Matched<'p>, Blocked> {
    let facts = Facts::gather(view, question)?;
    guards(policy, &facts, trace)?;
    let (rule, relied_on) = first_match(&policy.rules, &facts, trace)?;
    let block = |code, detail: String| Err(Blocked::new(rule.id.as_str(), code, detail));
    if rule.then.tier == Tier::Block {
        return block(
            Code::PolicyBlocked,
            format!("rule `{}` blocks this", rule.id),
        );
    }
    if let Some(most) = rule.then.fee_max
        && facts.intent.fee_max > most
    {
        let detail = format!(
            "rule `{}` allows a fee cap of {most}, not {}",
            rule.id, facts.intent.fee_max
        );
        return block(Code::FeeCapExceeded, detail);
    }
    Ok((rule, relied_on))
}

/// Stage A: the first denial in table order is the reason; that there is one does not depend on the
/// order.
fn guards<T: Trace>(policy: &Policy, facts: &Facts<'_>, trace: &mut T) -> Result<(), Blocked> {
    let mut denied = None;
    for guard in &policy.guards {
        let denial = denies(guard, facts, trace);
        trace.guard(guard, denial.as_ref());
        denied = denied.or(denial.map(|refusal| Blocked {
            by: guard.id.to_string(),
            refusal,
        }));
        if denied.is_some() && !T::FULL {
            break;
        }
    }
    denied.map_or(Ok(()), Err)
}

fn denies<T: Trace>(guard: &Guard, facts: &Facts<'_>, trace: &mut T) -> Option<Refusal> {
    let intent = facts.intent;
    let (denied, code, what) = match &guard.kind {
        GuardKind::BlockedDestinations(blocked) => {
            let paid = |address: &String| {
                intent
                    .transfers()
                    .iter()
                    .any(|transfer| match &transfer.destination {
                        Destination::Address(text) => text.eq_ignore_ascii_case(address),
                        Destination::Vault(_) => false,
                    })
            };
            (
                blocked.iter().any(paid),
                Code::PolicyBlocked,
                "a blocked destination",
            )
        }
        GuardKind::Ceiling { asset, window } => match asset == facts.asset {
            false => return None,
            true => match holds(window, guard.id.as_str(), facts, trace) {
                Err(refusal) => return Some(refusal),
                Ok(within) => (!within, Code::LimitExceeded, "its window would be exceeded"),
            },
        },
        GuardKind::AmountMax { asset, lte } => (
            asset == facts.asset && facts.amount > *lte,
            Code::PolicyBlocked,
            "the amount is too large",
        ),
        GuardKind::Chains(chains) => (
            !chains.contains(&intent.chain),
            Code::UnknownChain,
            "the chain is not enabled",
        ),
        GuardKind::Assets(assets) => (
            !assets.contains(facts.asset),
            Code::PolicyBlocked,
            "the asset is not enabled",
        ),
        GuardKind::FeeMax { chain, lte } => (
            *chain == intent.chain && intent.fee_max > *lte,
            Code::FeeCapExceeded,
            "the fee cap is too large",
        ),
        GuardKind::ClosedHours(hours) => (
            hours.contain(facts.at),
            Code::PolicyBlocked,
            "nothing goes out now",
        ),
    };
    denied.then(|| Refusal::new(code, format!("guard `{}`: {what}", guard.id)))
}

/// Whether the window has room; a sum that is not known is an error, whatever the limit.
pub(crate) fn holds<T: Trace>(
    window: &Window,
    owner: &str,
    facts: &Facts<'_>,
    trace: &mut T,
) -> Result<bool, Refusal> {
    let reading = facts.read(window);
    trace.window(owner, window, facts, reading);
    reading.within.ok_or_else(|| {
        Refusal::new(
            Code::PolicyBlocked,
            format!("`{owner}`: the sum of a window is not known or overflows"),
        )
    })
}
