//! The state after a step.

use super::HONEST;
use super::setup::TimeModel;
use super::state::{Step, TimeState};
use crate::seats::SeatSet;

impl TimeModel {
    pub(super) fn after(&self, last: &TimeState, step: Step) -> TimeState {
        let mut state = last.clone();
        match step {
            Step::Later => self.on_later(&mut state),
            Step::Append(entry) => state.log.push(entry),
            Step::Cosign { seat, size } => {
                let clock = self.clock(&state, seat);
                state.first[seat][usize::from(size)] = clock;
                state.last[seat][usize::from(size)] = clock;
            }
            Step::Hand(seat) => {
                state.handed[seat] = state.now;
                if self.held_from_handing && !self.has_release_in_tip(&state, seat) {
                    state.held_before.insert(seat);
                }
            }
        }
        state
    }

    fn on_later(&self, state: &mut TimeState) {
        let is_limited = self.tick_max < super::FAR;
        let is_fresh = self
            .views(&state.log)
            .any(|(_, view)| self.is_fresh(state, &view, state.now));
        state.was_stale |= is_limited && !is_fresh;

        state.now += 1;
        for seat in 0..HONEST {
            if !self.owes(state, seat) {
                let tip = state.tip(seat);
                state.last[seat][tip] = self.clock(state, seat);
            } else if !self.has_release_in_tip(state, seat) {
                state.held_before.insert(seat);
            }
        }
    }

    fn has_release_in_tip(&self, state: &TimeState, seat: usize) -> bool {
        let view = self.view(&state.log[..state.tip(seat)]);
        view.waiting.is_some()
    }

    /// Honest witnesses with equal clocks are alike: of the states that differ in their order only,
    /// one is kept. In traces they are renamed, so "W0 cosigns 3, W0 cosigns 3" is two witnesses.
    pub(super) fn sorted(&self, state: &TimeState) -> TimeState {
        let mut order: [usize; HONEST] = std::array::from_fn(|seat| seat);
        order.sort_by_key(|seat| {
            let seat = *seat;
            let clocks = (self.clock_ahead[seat], state.first[seat], state.last[seat]);
            (clocks, state.handed[seat], state.held_before.has(seat))
        });

        let mut sorted = TimeState {
            held_before: SeatSet::NONE,
            ..state.clone()
        };
        for (to, from) in order.into_iter().enumerate() {
            sorted.first[to] = state.first[from];
            sorted.last[to] = state.last[from];
            sorted.handed[to] = state.handed[from];
            if state.held_before.has(from) {
                sorted.held_before.insert(to);
            }
        }
        sorted
    }
}
