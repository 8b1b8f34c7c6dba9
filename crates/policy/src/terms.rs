//! Obligations of a decision, and the test whether the ones that were met cover a later decision.

use borsh::{BorshDeserialize, BorshSerialize};
use strongroom_types::{DecisionCore, GroupNeed, Tier};

/// Obligations that a decision puts on a payment.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub struct Terms {
    /// Degree of approval; tiers are ordered from `auto` to `block`.
    pub tier: Tier,
    /// Time between the last approval and the first share, in seconds.
    pub time_lock_seconds: u64,
    /// Whether groups must approve in the order in which they are listed.
    pub ordered: bool,
    /// Groups that approve, with the number of approvals of each.
    pub groups: Vec<GroupNeed>,
}

impl From<&DecisionCore> for Terms {
    fn from(core: &DecisionCore) -> Self {
        Self {
            tier: core.tier,
            time_lock_seconds: core.time_lock_seconds,
            ordered: core.ordered,
            groups: core.groups.clone(),
        }
    }
}

impl Terms {
    /// Whether a payment that has met these obligations has also met those of `asked`.
    #[must_use]
    pub fn cover(&self, asked: &DecisionCore) -> bool {
        // No approval suffices for a block, and an obligation that this build does not know cannot
        // have been met.
        if asked.tier == Tier::Block || !asked.obligations.is_empty() {
            return false;
        }

        self.tier >= asked.tier
            && self.time_lock_seconds >= asked.time_lock_seconds
            && ask_as_much((&asked.groups, asked.ordered), (&self.groups, self.ordered))
    }
}

/// Whether `new` asks every group of `old` at least as often, and in the old order if there was
/// one.
pub(crate) fn ask_as_much(old: (&[GroupNeed], bool), new: (&[GroupNeed], bool)) -> bool {
    let covers =
        |old: &GroupNeed, new: &GroupNeed| new.group == old.group && new.approvals >= old.approvals;
    let ((old, old_ordered), (new, new_ordered)) = (old, new);

    // If the order were dropped, the last group could approve without having seen the approvals of
    // the first.
    if old_ordered {
        // One pass over the new list keeps the order: each group is searched after the one that was
        // found before.
        let mut rest = new.iter();
        return new_ordered
            && old
                .iter()
                .all(|need| rest.any(|candidate| covers(need, candidate)));
    }
    old.iter()
        .all(|need| new.iter().any(|candidate| covers(need, candidate)))
}
