//! What a well-formed policy must also satisfy before it can be put in force.

use crate::facts::RESERVED;
use crate::policy::Policy;
use crate::rule::{Rule, Then};
use std::collections::BTreeSet;
use strongroom_types::registry::MEMBERS_MAX;
use strongroom_types::{Code, Refusal, Tier};

/// Longest time lock: 30 days.
const TIME_LOCK_SECONDS_MAX: u64 = 30 * 86_400;

pub(crate) fn check(policy: &Policy) -> Result<(), Refusal> {
    let mut seen = BTreeSet::new();
    let ids = policy
        .guards
        .iter()
        .map(|guard| &guard.id)
        .chain(policy.rules.iter().map(|rule| &rule.id));
    for id in ids {
        if RESERVED.contains(&id.as_str()) {
            return Err(malformed(format!("id `{id}` is reserved")));
        }
        if !seen.insert(id) {
            return Err(malformed(format!("id `{id}` is used twice")));
        }
    }
    policy.rules.iter().try_for_each(check_rule)
}

fn malformed(detail: String) -> Refusal {
    Refusal::new(Code::Malformed, detail)
}

fn check_rule(rule: &Rule) -> Result<(), Refusal> {
    let wrong = people(&rule.then).or_else(|| limits(rule));
    wrong.map_or(Ok(()), |reason| {
        Err(malformed(format!("rule `{}`: {reason}", rule.id)))
    })
}

fn people(then: &Then) -> Option<&'static str> {
    let distinct: BTreeSet<_> = then.groups.iter().map(|need| need.group).collect();
    if distinct.len() != then.groups.len() {
        return Some("a group is named twice");
    }
    let in_range = |approvals: u32| approvals >= 1 && approvals as usize <= MEMBERS_MAX;
    if !then.groups.iter().all(|need| in_range(need.approvals)) {
        return Some("`approvals` must be between 1 and 256");
    }
    if then.ordered && then.groups.len() < 2 {
        return Some("`ordered` needs at least two groups");
    }
    let approvals: u64 = then
        .groups
        .iter()
        .map(|need| u64::from(need.approvals))
        .sum();
    match then.tier {
        Tier::Auto | Tier::Block if approvals > 0 => Some("`auto` and `block` ask no groups"),
        Tier::OneOfN if then.groups.len() != 1 || approvals != 1 => {
            Some("`one_of_n` asks exactly one group for one approval")
        }
        Tier::MOfN if approvals < 2 => Some("`m_of_n` needs at least two approvals"),
        Tier::Committee if approvals < 2 => Some("`committee` needs at least two approvals"),
        Tier::Auto | Tier::OneOfN | Tier::MOfN | Tier::Committee | Tier::Block => None,
    }
}

fn limits(rule: &Rule) -> Option<&'static str> {
    let then = &rule.then;
    if then.time_lock_seconds > TIME_LOCK_SECONDS_MAX {
        return Some("`time_lock_seconds` is at most 30 days");
    }
    let capped = rule
        .matches
        .amount
        .as_ref()
        .is_some_and(|amount| amount.lte.is_some());
    match then.tier {
        Tier::Auto if !capped => Some("`auto` needs an amount cap (`amount.lte`)"),
        Tier::Auto if then.fee_max.is_none() => {
            Some("`auto` needs `fee_max`: without it a fee could empty the vault")
        }
        Tier::Auto | Tier::Block if then.time_lock_seconds > 0 => {
            Some("`auto` and `block` have no time lock: nobody is asked")
        }
        Tier::Block if then.fee_max.is_some() => Some("`block` has no `fee_max`"),
        Tier::Committee if then.time_lock_seconds == 0 => {
            Some("`committee` needs a time lock of at least 1 s")
        }
        Tier::Auto | Tier::OneOfN | Tier::MOfN | Tier::Committee | Tier::Block => None,
    }
}
