//! Properties that hold in every state of the journal, and goals that some state reaches.

use super::entry::{Entry, EntrySet};
use super::setup::JournalModel;
use super::state::{Decision, JournalState};
use crate::log::Log;
use crate::property::{Goal, Property};

type Check = fn(&JournalModel, &JournalState) -> bool;

/// The properties and goals, for the search.
pub(super) fn all() -> Vec<stateright::Property<JournalModel>> {
    let properties: [(Property, Check); 9] = [
        (Property::SharedInput, shares_input),
        (Property::Limit, keeps_limit),
        (Property::LateShare, |_, state| !state.violations.late),
        (Property::AgainstOwnHead, |_, state| {
            !state.violations.own_head
        }),
        (Property::AgainstOwnTip, |_, state| {
            !state.violations.own_tip
        }),
        (Property::HandedInForce, |_, state| !state.violations.handed),
        (Property::OneHistory, has_one_history),
        (Property::Approved, is_approved),
        (Property::KeyKept, |_, state| {
            state.keys.iter().all(|keys| keys.old) || state.keys.iter().all(|keys| keys.new_on_disk)
        }),
    ];
    let goals: [(Goal, Check); 5] = [
        (Goal::Signs, |model, state| !signed(model, state).is_empty()),
        (Goal::FullLength, is_at_full_length),
        (Goal::SignsInNewEpoch, |_, state| has_new_epoch(state)),
        (Goal::SignsUnderLooserPolicy, |model, state| {
            signed(model, state).has(Entry::Authorize3)
        }),
        (Goal::SignsUnderNewWitnesses, |model, state| {
            let is_new = |head: &Log| head.has(Entry::WitnessSet);
            !signed(model, state).is_empty() && state.acted_under.iter().any(is_new)
        }),
    ];

    let properties = properties
        .into_iter()
        .map(|(property, check)| stateright::Property::always(property.name(), check));
    let goals = goals
        .into_iter()
        .map(|(goal, check)| stateright::Property::sometimes(goal.name(), check));
    properties.chain(goals).collect()
}

fn signed(model: &JournalModel, state: &JournalState) -> EntrySet {
    state.signed(model.both_shares_needed)
}

/// Every two signed payments of intent 1 spend a common input: one of them confirms at most.
fn shares_input(model: &JournalModel, state: &JournalState) -> bool {
    let signed = signed(model, state);
    let payments = || {
        Entry::INTENT_1
            .into_iter()
            .filter(|entry| signed.has(*entry))
    };
    payments().all(|one| payments().all(|other| one.inputs() & other.inputs() != 0))
}

fn keeps_limit(model: &JournalModel, state: &JournalState) -> bool {
    let signed = signed(model, state);
    let pays_1 = Entry::INTENT_1.into_iter().any(|entry| signed.has(entry));
    !(pays_1 && signed.has(Entry::Authorize2))
}

fn has_one_history(model: &JournalModel, state: &JournalState) -> bool {
    let heads = state.cosigned.iter().map(|row| row.head);
    let witnessed: Vec<Log> = heads
        .filter(|head| model.is_witnessed(state, *head))
        .collect();
    witnessed.iter().all(|one| {
        let in_line = |other: &Log| one.is_in_line_with(*other);
        witnessed.iter().all(in_line)
    })
}

fn is_approved(model: &JournalModel, state: &JournalState) -> bool {
    let is_looser = signed(model, state).has(Entry::Authorize3);
    (!is_looser || state.loosening == Decision::Yes)
        && (!has_new_epoch(state) || state.ceremony == Decision::Yes)
}

/// Has any share of the epoch after the refresh left?
fn has_new_epoch(state: &JournalState) -> bool {
    let [_, new] = state.shares;
    new.iter().any(|attempts| !attempts.is_empty())
}

fn is_at_full_length(model: &JournalModel, state: &JournalState) -> bool {
    let is_full = |seat: usize| state.memory[seat].size() == model.size_max;
    model.honest().seats().all(is_full)
}
