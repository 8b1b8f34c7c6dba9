//! Steps of the adversary in a state. Their order fixes the order of the search.

use super::entry::{Body, Entry, START};
use super::setup::{Act, Statistic, TimeModel};
use super::state::{Step, TimeState};
use super::view::View;
use super::{FAR, HONEST, HOSTILE};
use crate::seats::SeatSet;

/// The hostile seat comes after the honest ones.
const HOSTILE_SEAT: usize = HONEST;
/// Every set of seats but the empty one, as bits.
const SEAT_SETS: std::ops::Range<u8> = 1..1 << (HONEST + HOSTILE);

impl TimeModel {
    /// Entries that the adversary may append.
    pub(super) fn appends(&self, state: &TimeState, steps: &mut Vec<Step>) {
        let view = self.view(&state.log);
        let mut append = |entry: Entry| {
            if self.apply(&view, entry).is_some() {
                steps.push(Step::Append(entry));
            }
        };

        for body in self.bodies(state, &view) {
            let stamps = match body {
                // A release may carry any stamp that a witness would take.
                Body::Release { .. } => (view.at..=view.at.max(state.now + self.skew)).collect(),
                _ => self.stamps(state, &view),
            };
            stamps.into_iter().for_each(|at| append(Entry { at, body }));
        }

        if view.oldest_waiting().is_some() {
            for at in self.stamps(state, &view) {
                let bodies = self.witnessed_bodies(state, &view, at);
                bodies
                    .into_iter()
                    .for_each(|body| append(Entry { at, body }));
            }
        }
    }

    /// Prefixes that a witness may be shown, and vetoes that it may be handed.
    pub(super) fn witness_steps(&self, state: &TimeState, seat: usize, steps: &mut Vec<Step>) {
        let witness = self.standing(state, seat);
        for size in witness.tip + 1..=state.log.len() {
            if self.cosigns(&state.log, size, &witness) {
                let size = size as u8;
                steps.push(Step::Cosign { seat, size });
            }
        }

        let applies = self.veto_applies(&self.view(&state.log[..witness.tip]));
        if self.vetoes_handed && witness.handed == 0 && applies {
            steps.push(Step::Hand(seat));
        }
    }

    /// Bodies other than `witnessed`.
    fn bodies(&self, state: &TimeState, view: &View) -> Vec<Body> {
        let appended = state.log.iter().skip(self.start.len());
        let count = |body: Body| appended.clone().filter(|entry| entry.body == body).count();
        let mut bodies = vec![];
        if count(Body::Tick) < self.ticks_max {
            bodies.push(Body::Tick);
        }

        if self.has_act(Act::Loosen) {
            bodies.push(Body::Release {
                expiry: self.release_expiry,
                version: 1,
            });
            if count(Body::Propose) == 0 && self.start.len() == START.len() {
                bodies.push(Body::Propose);
            }
            if self.has_act(Act::Veto) {
                bodies.push(Body::Veto);
            }
            if self.has_act(Act::Stop) && count(Body::Stop) == 0 {
                bodies.push(Body::Stop);
            }
        }

        if self.has_act(Act::Pay) {
            bodies.push(Body::Pay);
            if view.attempts_more < 1 {
                bodies.push(Body::PayAgain);
            }
        }
        bodies
    }

    /// Stamps worth trying: as old as allowed, one unit ago, now, as far ahead as allowed.
    fn stamps(&self, state: &TimeState, view: &View) -> Vec<u8> {
        let mut stamps: Vec<u8> = [view.at, state.now - 1, state.now, state.now + self.skew]
            .into_iter()
            .map(|at| at.max(view.at))
            .collect();
        stamps.dedup();
        stamps
    }

    /// Every `witnessed` body that existing cosignatures allow, with the hostile seat's time in the
    /// far past, at the bound and in the far future.
    fn witnessed_bodies(&self, state: &TimeState, view: &View, at: u8) -> Vec<Body> {
        let mut bodies = vec![];
        for size in usize::from(view.covered) + 1..=state.log.len() {
            for set in SEAT_SETS.map(SeatSet) {
                let clocks: Vec<u8> = set
                    .seats()
                    .filter(|seat| *seat != HOSTILE_SEAT)
                    .map(|seat| state.first[seat][size])
                    .collect();
                let is_complete = set.count() as usize == self.rules.cosignatures;
                if !is_complete || clocks.contains(&0) {
                    continue;
                }

                let times = if set.has(HOSTILE_SEAT) {
                    let lies = [0, at + self.skew, FAR];
                    lies.map(|lie| [clocks.as_slice(), &[lie]].concat())
                        .to_vec()
                } else {
                    vec![clocks]
                };
                for times in times {
                    let (size, time) = (size as u8, self.statistic_of(times));
                    let body = Body::Witnessed { size, time };
                    if !bodies.contains(&body) {
                        bodies.push(body);
                    }
                }
            }
        }
        bodies
    }

    /// The one of these times that counts.
    pub(super) fn statistic_of(&self, mut times: Vec<u8>) -> u8 {
        times.sort_unstable();
        let last = times.len() - 1;
        match self.rules.statistic {
            Statistic::Largest => times[last],
            Statistic::Honest => times[HOSTILE.min(last)],
            Statistic::Smallest => times[0],
        }
    }
}
