//! The journal, its witnesses and its signers, against an adversary that is the writer, the broker,
//! the coordinator, the chain service and the hostile witnesses at once.
//!
//! What the adversary holds only grows (every signed object ever made can be shown to any party at
//! any time, or never), so the model needs no network: an honest witness may be offered any entry that
//! follows its own prefix, an honest signer any head that has enough cosignatures. A hostile
//! witness's cosignature and a hostile signer's share exist for everything: with t = 2, one honest
//! share is a signature.
//!
//! States hold ages, not times, and ages stop growing where no rule tells them apart. So the clock
//! has no end and the search has one.

mod apply;
mod choices;
mod effects;
mod entry;
mod mirror;
mod properties;
mod quorum;
mod setup;
mod share;
mod state;

use stateright::Model;

use crate::log::Log;
pub use entry::Entry;
pub use setup::{ConflictRule, Guards, JournalModel, OwnTip, WitnessSet};
pub use state::{Cosigned, JournalState, Step};

/// Witness seats: the first two belong to the honest signers, which are witnesses too.
pub const SEATS: usize = 6;
/// Honest signers.
pub const SIGNERS: usize = 2;

impl Model for JournalModel {
    type State = JournalState;
    type Action = Step;

    fn init_states(&self) -> Vec<JournalState> {
        let mut start = JournalState::start(self.start);
        if !self.start.is_empty() {
            start.cosigned.push(Cosigned {
                head: self.start,
                age: std::array::from_fn(|seat| u8::from(self.honest().has(seat))),
            });
        }
        vec![start]
    }

    fn actions(&self, state: &JournalState, steps: &mut Vec<Step>) {
        // A state after a violation shows nothing more, so the search ends there.
        if state.violations.is_any() {
            return;
        }

        if self.has_clock {
            steps.push(Step::Tick);
        }
        for witness in self.honest().seats() {
            self.faults_and_hands(state, witness, steps);
            self.cosignatures(state, witness, steps);
        }
        self.decisions(state, steps);
        for signer in 0..SIGNERS {
            self.shares(state, signer, steps);
            self.refresh_steps(state, signer, steps);
        }
    }

    fn next_state(&self, last: &JournalState, step: Step) -> Option<JournalState> {
        let state = self.after(last, step)?;
        Some(if self.signers_alike {
            state.mirrored()
        } else {
            state
        })
    }

    fn properties(&self) -> Vec<stateright::Property<Self>> {
        properties::all()
    }
}

/// A log that begins with these entries.
pub fn log_of(entries: &[Entry]) -> Log {
    entries
        .iter()
        .fold(Log::EMPTY, |log, entry| log.with(*entry))
}
