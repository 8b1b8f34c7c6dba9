//! Policy changes that may take effect at once.

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
    // A guard dropped or changed could let through what it denied.
    if !old.guards.iter().all(|guard| new.guards.contains(guard)) {
        return false;
    }

    // A rule removed lets its intents fall through to a later, perhaps laxer one.
    let Some(inserted) = new.rules.len().checked_sub(old.rules.len()) else {
        return false;
    };

    let (front, kept) = new.rules.split_at(inserted);

    // A rule in front takes intents from every rule behind it, so it may only block.
    front.iter().all(|rule| rule.then.tier == Tier::Block)
        && old
            .rules
            .iter()
            .zip(kept)
            .all(|(old, new)| is_raised(old, new))
}

/// Whether one rule asks for at least as much as before, of the same intents.
fn is_raised(old: &Rule, new: &Rule) -> bool {
    old.id == new.id
        && old.matches == new.matches
        && (old.then == new.then || is_at_least(&old.then, &new.then))
}

/// Whether the obligations are at least as strong.
fn is_at_least(old: &Then, new: &Then) -> bool {
    if new.tier == Tier::Block {
        return true;
    }

    // No cap is the laxest cap.
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

/// Whether every old group still approves, at least as often, and in the old order if there was
/// one.
fn asks_as_much(old: &Then, new: &Then) -> bool {
    let covers =
        |old: &GroupNeed, new: &GroupNeed| new.group == old.group && new.approvals >= old.approvals;

    // An order dropped lets the last group approve without having seen the first.
    if old.ordered {
        // One pass over the new list: each group is searched behind the one found before.
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
