//! Time that witnesses vouch for: `witnessed` entries, delays, locks, expiries and handed vetoes.
//!
//! Seats 0 to 2 are honest witnesses, seat 3 is hostile: f = 1, k = 3 of 4. There is one line of
//! entries; that no two witnessed heads disagree is shown by the model of the journal. The
//! adversary is the writer and the bus: it appends what `apply` takes, with any time not before the
//! last entry's, shows each witness any longer prefix whenever it likes, and puts into `witnessed`
//! entries any cosignatures that exist, with any time for the hostile seat.
//!
//! Honest witnesses cosign their tip again in every unit of time, unless they owe a handed veto; what
//! is cosigned can be shown or withheld. Readers hold a prefix; a signer or a person believes it while
//! k cosignatures over it are fresh.

mod apply;
mod choices;
mod effects;
mod entry;
mod honest;
mod properties;
mod reader;
mod setup;
mod state;
mod view;
mod witness;

use stateright::Model;

pub use entry::{Body, Entry, PROPOSED, START};
pub use setup::{Act, DutyEnd, Statistic, TimeModel, TimeRules};
pub use state::{Step, TimeState};

/// Honest witnesses.
pub const HONEST: usize = 3;
/// Cosignatures that make a head witnessed (k).
pub const QUORUM: usize = 3;
/// Hostile seats (f).
pub const HOSTILE: usize = 1;
/// Room for sizes of logs in a state.
pub const SIZES: usize = 10;
/// A moment that no run reaches: never.
pub const FAR: u8 = 100;

impl Model for TimeModel {
    type State = TimeState;
    type Action = Step;

    fn init_states(&self) -> Vec<TimeState> {
        vec![TimeState::start(self.start, self.clock_ahead)]
    }

    fn actions(&self, state: &TimeState, steps: &mut Vec<Step>) {
        // The search ends at the first loosening in force, and at the first share: later states
        // show nothing worse.
        if self.in_force(state).is_some() || self.locked_share(state).is_some() {
            return;
        }

        // An entry that no witness has seen may as well be appended later.
        let is_seen = (0..HONEST).any(|seat| state.tip(seat) == state.log.len());
        if state.now < self.horizon && is_seen {
            steps.push(Step::Later);
        }
        if state.log.len() < self.entries_max {
            self.appends(state, steps);
        }
        for seat in 0..HONEST {
            self.witness_steps(state, seat, steps);
        }
    }

    fn next_state(&self, last: &TimeState, step: Step) -> Option<TimeState> {
        Some(self.sorted(&self.after(last, step)))
    }

    fn properties(&self) -> Vec<stateright::Property<Self>> {
        properties::all()
    }
}
