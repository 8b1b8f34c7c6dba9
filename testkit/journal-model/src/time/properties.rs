//! Properties that hold in every state of time, and goals that some state reaches.

use super::setup::TimeModel;
use super::state::TimeState;
use super::{FAR, HONEST, HOSTILE, QUORUM};
use crate::property::{Goal, Property};

type Check = fn(&TimeModel, &TimeState) -> bool;

/// Lengths of an outage after which (p) asks whether everything gets through.
const OUTAGES: [u8; 3] = [0, 1, 4];

/// The properties and goals, for the search.
pub(super) fn all() -> Vec<stateright::Property<TimeModel>> {
    let properties: [(Property, Check); 10] = [
        (Property::DelaySinceSeen, waits_since_seen),
        (Property::DelayUnhidden, waits_unhidden),
        (Property::ReleaseInTime, is_released_in_time),
        (Property::LockSinceSeen, is_locked_since_seen),
        (Property::LockUnhidden, is_locked_unhidden),
        (Property::TighteningKept, keeps_tightening),
        (Property::VetoWins, keeps_held_veto),
        (Property::GoesOn, |model, state| {
            OUTAGES.into_iter().all(|gap| model.goes_on(state, gap))
        }),
        (Property::NoEntryLags, has_no_lagging_entry),
        (Property::NoReleaseLags, has_no_lagging_release),
    ];
    let goals: [(Goal, Check); 4] = [
        (Goal::InForce, |model, state| {
            model.in_force(state).is_some()
        }),
        (Goal::Void, is_void),
        (Goal::SharesAfterLock, |model, state| {
            model.locked_share(state).is_some()
        }),
        (Goal::Vetoed, |model, state| {
            model.view(&state.log).is_vetoed
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

fn waits_since_seen(model: &TimeModel, state: &TimeState) -> bool {
    model.in_force(state).is_none_or(|force| {
        let seen = model.seen_at(state, force.proposal);
        state.now + 2 * model.skew >= seen + model.delay
    })
}

fn waits_unhidden(model: &TimeModel, state: &TimeState) -> bool {
    model.in_force(state).is_none_or(|force| {
        let hidden = model.hidden_until(state, force.proposal);
        state.now + 2 * model.skew >= hidden + model.delay
    })
}

fn is_released_in_time(model: &TimeModel, state: &TimeState) -> bool {
    model.in_force(state).is_none_or(|force| {
        let seen = model.seen_at(state, force.release);
        force.expiry == FAR || seen <= force.expiry + 2 * model.skew
    })
}

fn is_locked_since_seen(model: &TimeModel, state: &TimeState) -> bool {
    model.locked_share(state).is_none_or(|payment| {
        let seen = model.seen_at(state, payment.position);
        state.now + 2 * model.skew >= seen + model.lock
    })
}

fn is_locked_unhidden(model: &TimeModel, state: &TimeState) -> bool {
    model.locked_share(state).is_none_or(|payment| {
        let hidden = model.hidden_until(state, payment.position);
        state.now + 2 * model.skew >= hidden + model.lock
    })
}

fn keeps_tightening(model: &TimeModel, state: &TimeState) -> bool {
    let force = model.in_force(state);
    force.is_none_or(|force| !force.undoes_tightening)
}

/// w − k + 1 witnesses are in every quorum.
fn keeps_held_veto(model: &TimeModel, state: &TimeState) -> bool {
    let holders = state.held_before.count() as usize;
    holders < HONEST + HOSTILE - QUORUM + 1 || model.in_force(state).is_none()
}

fn has_no_lagging_entry(model: &TimeModel, state: &TimeState) -> bool {
    let is_seen_in_time = |position: usize, at: u8| {
        let seen = model.seen_at(state, position as u8);
        seen == FAR || seen <= at + model.tick_max + model.skew + 1
    };
    state.was_stale
        || model.tick_max == FAR
        || state
            .log
            .iter()
            .enumerate()
            .all(|(position, entry)| is_seen_in_time(position, entry.at))
}

fn has_no_lagging_release(model: &TimeModel, state: &TimeState) -> bool {
    if state.was_stale || model.tick_max == FAR {
        return true;
    }
    let first = model
        .views(&state.log)
        .take_while(|(size, _)| model.is_witnessed(state, *size))
        .find_map(|(size, view)| Some((size, view.in_force?)));
    first.is_none_or(|(size, force)| {
        let taken = model.seen_at(state, size as u8 - 1);
        let released = model.seen_at(state, force.release);
        taken <= released + model.tick_max + 2 * model.skew + 1
    })
}

/// The adversary's release was judged, and neither waits nor is in force.
fn is_void(model: &TimeModel, state: &TimeState) -> bool {
    let view = model.view(&state.log);
    view.is_release_used && view.waiting.is_none() && view.in_force.is_none()
}
