//! Which policy change may take effect at once.

use crate::policy::Policy;
use crate::rule::{Rule, Then};
use strongroom_types::{GroupNeed, Tier};

/// Whether `new` is provably at least as strict as `old` for every intent in every state.
///
/// Conservative: identical rules except guards added; a rule's tier, groups, numbers of approvals
/// or obligations raised with its id and match unchanged; block rules inserted in front. Everything
/// else is looser, also a narrower match: under first match it can let an intent fall through to a
/// laxer rule.
#[must_use]
pub fn is_tighter(old: &Policy, new: &Policy) -> bool {
    if !old.guards.iter().all(|guard| new.guards.contains(guard)) {
        return false;
    }
    let Some(inserted) = new.rules.len().checked_sub(old.rules.len()) else {
        return false;
    };
    let (front, kept) = new.rules.split_at(inserted);
    front.iter().all(|rule| rule.then.tier == Tier::Block)
        && old
            .rules
            .iter()
            .zip(kept)
            .all(|(old, new)| raised(old, new))
}

fn raised(old: &Rule, new: &Rule) -> bool {
    old.id == new.id
        && old.matches == new.matches
        && (old.then == new.then || at_least(&old.then, &new.then))
}

fn at_least(old: &Then, new: &Then) -> bool {
    if new.tier == Tier::Block {
        return true;
    }
    let fee = match (old.fee_max, new.fee_max) {
        (None, _) => true,
        (Some(old), Some(new)) => new <= old,
        (Some(_), None) => false,
    };
    new.tier >= old.tier
        && new.time_lock_seconds >= old.time_lock_seconds
        && fee
        && asks_as_much(old, new)
}

/// Every old group still says yes, at least as often, and in the old order where there was one.
fn asks_as_much(old: &Then, new: &Then) -> bool {
    let covers =
        |old: &GroupNeed, new: &GroupNeed| new.group == old.group && new.approvals >= old.approvals;
    if old.ordered {
        let mut rest = new.groups.iter();
        return new.ordered
            && old
                .groups
                .iter()
                .all(|need| rest.any(|candidate| covers(need, candidate)));
    }
    old.groups
        .iter()
        .all(|need| new.groups.iter().any(|candidate| covers(need, candidate)))
}
