//! States and steps of time.

use std::fmt;

use super::entry::Entry;
use super::{HONEST, SIZES};
use crate::seats::SeatSet;

/// Writer, witnesses and clock. Fields marked *ghost* are not seen by any rule.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TimeState {
    /// True time.
    pub now: u8,
    /// Every entry.
    pub log: Vec<Entry>,
    /// Each witness's clock when it first cosigned a size; 0 is never.
    pub first: [[u8; SIZES]; HONEST],
    /// Each witness's clock when it last cosigned a size; 0 is never.
    pub last: [[u8; SIZES]; HONEST],
    /// True time at which each witness was handed the veto; 0 is never.
    pub handed: [u8; HONEST],
    /// Ghost: witnesses that held the veto while no release was in their tip.
    pub held_before: SeatSet,
    /// Ghost: at some moment no fresh head could be shown.
    pub was_stale: bool,
}

impl TimeState {
    /// Every witness has cosigned `log` at time 1.
    pub fn start(log: &[Entry], clock_ahead: [u8; HONEST]) -> TimeState {
        let mut cosigned = [[0; SIZES]; HONEST];
        for (sizes, ahead) in cosigned.iter_mut().zip(clock_ahead) {
            sizes[log.len()] = 1 + ahead;
        }
        TimeState {
            now: 1,
            log: log.to_vec(),
            first: cosigned,
            last: cosigned,
            handed: [0; HONEST],
            held_before: SeatSet::NONE,
            was_stale: false,
        }
    }

    /// Size of the largest tree that this witness has cosigned.
    pub fn tip(&self, seat: usize) -> usize {
        self.first[seat]
            .iter()
            .rposition(|clock| *clock > 0)
            .unwrap_or(0)
    }
}

/// One step of the adversary, of a person or of the clock.
#[derive(Clone, PartialEq, Eq)]
pub enum Step {
    /// Time goes on by one unit; honest witnesses cosign their tips again.
    Later,
    /// The writer appends an entry.
    Append(Entry),
    /// A witness is shown a longer prefix and cosigns it.
    Cosign {
        /// The witness.
        seat: usize,
        /// Size of the prefix.
        size: u8,
    },
    /// A person hands the veto to a witness.
    Hand(usize),
}

impl fmt::Debug for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Step::Later => write!(f, "clock +1"),
            Step::Append(entry) => write!(f, "{entry:?}"),
            Step::Cosign { seat, size } => write!(f, "W{seat} cosigns {size}"),
            Step::Hand(seat) => write!(f, "W{seat} is handed the veto"),
        }
    }
}
