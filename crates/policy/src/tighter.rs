//! Policy changes that may take effect at once.

use crate::policy::Policy;
use crate::rule::{Rule, Then};
use crate::terms::ask_as_much;
use strongroom_types::Tier;

/// Whether `new` is provably at least as strict as `old` for every intent in every state.
///
/// The test is conservative. Only these changes are tighter: guards that are added; a rule's tier,
/// groups, numbers of approvals or obligations that are raised, with its id and match unchanged;
/// block rules that are inserted in front. Every other change counts as looser. That includes a
/// narrower match: because the first match decides, an intent can then fall through to a laxer
/// rule.
#[must_use]
pub fn is_tighter(old: &Policy, new: &Policy) -> bool {
    // A guard that is dropped or changed could let through a payment that it denied.
    if !old.guards.iter().all(|guard| new.guards.contains(guard)) {
        return false;
    }

    // A rule that is removed lets its intents fall through to a later rule, which may be laxer.
    let Some(inserted) = new.rules.len().checked_sub(old.rules.len()) else {
        return false;
    };

    let (front, kept) = new.rules.split_at(inserted);

    // A rule in front takes intents from every rule after it, so it may only block.
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

    // A rule without a fee cap is laxer than one with any cap.
    let fee = match (old.fee_max, new.fee_max) {
        (None, _) => true,
        (Some(old), Some(new)) => new <= old,
        (Some(_), None) => false,
    };

    new.tier >= old.tier
        && new.time_lock_seconds >= old.time_lock_seconds
        && fee
        && ask_as_much((&old.groups, old.ordered), (&new.groups, new.ordered))
}
