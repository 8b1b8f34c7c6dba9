//! Recovery when the writer equivocated, or died: freeze, report, choose a base, go on in a higher
//! epoch.
//!
//! Two entries x and y compete for one position, z follows either. Witnesses of the hostile seats
//! have cosigned everything; one of them reports too.

mod base;
mod state;

use stateright::Model;

use crate::log::Log;
use crate::property::{Goal, Property};
use crate::seats::SeatSet;
use base::Possible;
pub use state::{Entry, RecoveryState, Step};

/// Room for seats in a state.
pub const SEATS: usize = 7;
/// Age of the first entry at which clocks stop, in units of the lateness.
const AGE_MAX: u8 = 4;

/// Rule by which the base of the next epoch is chosen.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BaseRule {
    /// There is no recovery.
    Never,
    /// Whatever any witness has cosigned.
    AnyTip,
    /// The longest of the reported tips.
    Longest,
    /// The longest head that can have been witnessed, judged from the reports, if all such heads
    /// lie on one line; else the journal stays stopped.
    Possible,
}

/// Seats, quorum, and how recovery goes on.
#[derive(Clone, PartialEq, Debug)]
pub struct RecoveryModel {
    /// Number of seats; the last `hostile` of them are hostile.
    pub seats: usize,
    /// Cosignatures that make a head witnessed.
    pub quorum: u32,
    /// Number of hostile seats.
    pub hostile: u32,
    /// The writer shows different entries to different witnesses.
    pub equivocates: bool,
    /// The choice of the base.
    pub rule: BaseRule,
    /// Reports that recovery waits for.
    pub reports_min: u32,
    /// Two positions instead of one.
    pub two_positions: bool,
    /// A witness refuses every entry older than this; `None`: only the last offered entry must be
    /// young, so it refuses none here.
    pub lateness: Option<u8>,
}

impl RecoveryModel {
    /// Names of the rules that are switched off.
    pub fn off(&self) -> Vec<&'static str> {
        let is_guess = matches!(self.rule, BaseRule::AnyTip | BaseRule::Longest);
        let rules = [
            ("base_possible", !is_guess),
            ("last_entry_young", self.lateness.is_none()),
        ];
        crate::rules::off(&rules)
    }

    fn honest(&self) -> usize {
        self.seats - self.hostile as usize
    }

    /// Every log that the writer may have made.
    fn logs(&self) -> Vec<Log> {
        let (x, y) = (Log::EMPTY.with(Entry::X), Log::EMPTY.with(Entry::Y));
        if self.two_positions {
            vec![x, y, x.with(Entry::Z), y.with(Entry::Z)]
        } else {
            vec![x, y]
        }
    }

    /// Would the writer show this log to a second witness?
    fn is_shown(&self, log: Log) -> bool {
        self.equivocates || log.prefix(1).has(Entry::X)
    }

    /// Has a witness not yet run out of time to cosign?
    fn is_on_time(&self, state: &RecoveryState) -> bool {
        self.lateness.is_none_or(|late| state.age <= late + 1)
    }

    fn witnessed(&self, state: &RecoveryState, log: Log) -> bool {
        let honest = (0..self.honest())
            .filter(|seat| log.is_prefix_of(state.tip[*seat]))
            .count();
        honest as u32 + self.hostile >= self.quorum
    }

    /// Can no head get its quorum, although every honest witness cosigns what it still may?
    fn wedged(&self, state: &RecoveryState) -> bool {
        let longest = state.tip.iter().map(|tip| tip.size()).max().unwrap_or(0);
        state.base.is_none()
            && self
                .logs()
                .into_iter()
                .filter(|log| log.size() >= longest)
                .all(|log| self.cosigners_left(state, log) < self.honest_quorum())
    }

    /// Honest witnesses that have cosigned this log or still may.
    fn cosigners_left(&self, state: &RecoveryState, log: Log) -> u32 {
        let may = |seat: &usize| {
            let tip = state.tip[*seat];
            // Only the first entry has an age, because those after it are as young as their writer
            // wants.
            let in_time = self.is_on_time(state) || !tip.is_empty();
            tip == log || (tip.is_prefix_of(log) && in_time)
        };
        (0..self.honest()).filter(may).count() as u32
    }

    /// The quorum, or every honest witness where a quorum needs hostile ones.
    fn honest_quorum(&self) -> u32 {
        self.quorum.min(self.honest() as u32)
    }

    fn witness_steps(&self, state: &RecoveryState, seat: usize, steps: &mut Vec<Step>) {
        let recovers = self.rule != BaseRule::Never;
        if !state.frozen.has(seat) {
            for log in self.logs() {
                let tip = state.tip[seat];
                let is_next = log.size() == tip.size() + 1 && tip.is_prefix_of(log);
                if is_next && self.is_shown(log) && self.is_on_time(state) {
                    steps.push(Step::Cosign { seat, log });
                }

                let is_news =
                    log.size() > state.certified[seat].size() && log.is_prefix_of(state.tip[seat]);
                if recovers && is_news && self.witnessed(state, log) {
                    steps.push(Step::Certify { seat, head: log });
                }
            }
        }

        if recovers && !state.reported.has(seat) && state.base.is_none() {
            steps.push(Step::Report(seat));
        }
        if state.base.is_some() && !state.joined.has(seat) {
            steps.push(Step::Join(seat));
        }
    }

    /// Honest witnesses are alike: of the states that differ in their order only, one is kept.
    fn sorted(&self, state: &RecoveryState) -> RecoveryState {
        let mut seats: Vec<_> = (0..self.honest())
            .map(|seat| {
                let flags = [state.frozen, state.reported, state.joined].map(|set| set.has(seat));
                (state.tip[seat], state.certified[seat], flags)
            })
            .collect();
        seats.sort();

        let honest = SeatSet((1 << self.honest()) - 1);
        let mut sorted = RecoveryState {
            frozen: state.frozen.without(honest),
            reported: state.reported.without(honest),
            joined: state.joined.without(honest),
            ..state.clone()
        };
        for (seat, (tip, certified, [frozen, reported, joined])) in seats.into_iter().enumerate() {
            (sorted.tip[seat], sorted.certified[seat]) = (tip, certified);
            let sets = [
                (&mut sorted.frozen, frozen),
                (&mut sorted.reported, reported),
                (&mut sorted.joined, joined),
            ];
            for (set, is_member) in sets {
                if is_member {
                    set.insert(seat);
                }
            }
        }
        sorted
    }
}

impl Model for RecoveryModel {
    type State = RecoveryState;
    type Action = Step;

    fn init_states(&self) -> Vec<RecoveryState> {
        vec![RecoveryState::start()]
    }

    fn actions(&self, state: &RecoveryState, steps: &mut Vec<Step>) {
        if self.lateness.is_some() && state.age > 0 && state.age < AGE_MAX {
            steps.push(Step::Tick);
        }
        for seat in 0..self.honest() {
            self.witness_steps(state, seat, steps);
        }
        if self.rule == BaseRule::Never || state.base.is_some() {
            return;
        }

        // A hostile witness can only show what the writer signed, or nothing.
        if self.hostile > 0 && !state.reported.has(self.honest()) {
            let claims = self.logs().into_iter().filter(|log| self.is_shown(*log));
            steps.extend(claims.chain([Log::EMPTY]).map(Step::Lie));
        }
        if state.reported.count() >= self.reports_min {
            steps.extend(self.bases(state).into_iter().map(Step::Choose));
        }
    }

    fn next_state(&self, last: &RecoveryState, step: Step) -> Option<RecoveryState> {
        let mut state = last.clone();
        match step {
            Step::Tick => state.age += 1,
            Step::Cosign { seat, log } => {
                state.tip[seat] = log;
                state.age = state.age.max(1);
            }
            Step::Certify { seat, head } => state.certified[seat] = head,
            Step::Report(seat) => {
                state.frozen.insert(seat);
                state.reported.insert(seat);
            }
            Step::Lie(claim) => {
                state.claim = claim;
                state.reported.insert(self.honest());
            }
            Step::Choose(base) => state.base = Some(base),
            Step::Join(seat) => {
                state.frozen.insert(seat);
                state.joined.insert(seat);
            }
        }
        let alike = self.rule == BaseRule::Possible;
        Some(if alike { self.sorted(&state) } else { state })
    }

    fn properties(&self) -> Vec<stateright::Property<Self>> {
        vec![
            stateright::Property::always(
                Property::OneHistory.name(),
                |model: &Self, state: &RecoveryState| match state.base {
                    // Once a quorum can go on from the base, every head that a quorum has
                    // cosigned must be part of it.
                    Some(base) if state.joined.count() + model.hostile >= model.quorum => model
                        .logs()
                        .into_iter()
                        .all(|log| !model.witnessed(state, log) || log.is_prefix_of(base)),
                    _ => true,
                },
            ),
            stateright::Property::sometimes(
                Goal::Recovers.name(),
                |model: &Self, state: &RecoveryState| {
                    state.base.is_some() && state.joined.count() >= model.honest_quorum()
                },
            ),
            stateright::Property::sometimes(
                Goal::Wedged.name(),
                |model: &Self, state: &RecoveryState| model.wedged(state),
            ),
            stateright::Property::sometimes(
                Goal::Ambiguous.name(),
                |model: &Self, state: &RecoveryState| {
                    model.rule == BaseRule::Possible
                        && state.reported.count() as usize == model.seats
                        && model.possible(state) == Possible::Ambiguous
                },
            ),
        ]
    }
}
