//! Rules that a well-formed table must also satisfy before it can be put in force.

use crate::facts::RESERVED;
use crate::guard::Guard;
use crate::rule::{Rule, Then};
use std::collections::BTreeSet;
use strongroom_types::registry::MEMBERS_MAX;
use strongroom_types::{Code, Refusal, Tier};

/// Longest time lock: 30 days.
const TIME_LOCK_SECONDS_MAX: u64 = 30 * 86_400;

/// Checks ids, tiers and the obligations that each tier needs.
pub(crate) fn check(guards: &[Guard], rules: &[Rule]) -> Result<(), Refusal> {
    check_ids(guards, rules)?;
    rules.iter().try_for_each(check_rule)
}

fn check_ids(guards: &[Guard], rules: &[Rule]) -> Result<(), Refusal> {
    let guard_ids = guards.iter().map(|guard| &guard.id);
    let ids = guard_ids.chain(rules.iter().map(|rule| &rule.id));

    // Approvers see and sign the id of the rule that decided: of two rules with one id they could
    // not tell which it was.
    let mut seen = BTreeSet::new();
    for id in ids {
        // A decision that no rule made carries a reserved id; a rule with that id could not be told
        // from it.
        if RESERVED.contains(&id.as_str()) {
            return Err(malformed(format!("id `{id}` is reserved")));
        }
        if !seen.insert(id) {
            return Err(malformed(format!("id `{id}` is used twice")));
        }
    }
    Ok(())
}

fn malformed(detail: String) -> Refusal {
    Refusal::new(Code::Malformed, detail)
}

fn check_rule(rule: &Rule) -> Result<(), Refusal> {
    let wrong = wrong_groups(&rule.then).or_else(|| wrong_limits(rule));
    wrong.map_or(Ok(()), |reason| {
        Err(malformed(format!("rule `{}`: {reason}", rule.id)))
    })
}

/// Reason why the groups do not fit the tier.
fn wrong_groups(then: &Then) -> Option<&'static str> {
    // If a group were named twice, the same approvals would satisfy both needs.
    let distinct: BTreeSet<_> = then.groups.iter().map(|need| need.group).collect();
    if distinct.len() != then.groups.len() {
        return Some("a group is named twice");
    }

    // A number above the largest group could never be reached, and zero would ask for no approval.
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

    // The tier is the word that approvers and auditors read: it must not promise more people than
    // the groups ask for.
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

/// Reason why time lock and caps do not fit the tier.
fn wrong_limits(rule: &Rule) -> Option<&'static str> {
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
        // No human looks at an `auto` payment, so its loss must be bounded by the table.
        Tier::Auto if !capped => Some("`auto` needs an amount cap (`amount.lte`)"),
        Tier::Auto if then.fee_max.is_none() => {
            Some("`auto` needs `fee_max`: without it a fee could empty the vault")
        }
        Tier::Auto | Tier::Block if then.time_lock_seconds > 0 => {
            Some("`auto` and `block` have no time lock: no group is asked")
        }
        Tier::Block if then.fee_max.is_some() => Some("`block` has no `fee_max`"),
        Tier::Committee if then.time_lock_seconds == 0 => {
            Some("`committee` needs a time lock of at least 1 s")
        }
        Tier::Auto | Tier::OneOfN | Tier::MOfN | Tier::Committee | Tier::Block => None,
    }
}
