//! States and steps of a recovery.

use std::fmt;

use super::SEATS;
use crate::log::Log;
use crate::seats::SeatSet;

/// An entry of the writer that failed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Entry {
    /// Of the first position.
    X = 1,
    /// Of the first position, in conflict with x.
    Y = 2,
    /// Of the second position.
    Z = 3,
}

impl From<Entry> for u8 {
    fn from(entry: Entry) -> u8 {
        entry as u8
    }
}

/// Witnesses, what they have reported, and what was chosen.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RecoveryState {
    /// Log that each honest witness has cosigned.
    pub tip: [Log; SEATS],
    /// Longest witnessed head whose cosignatures each honest witness holds.
    pub certified: [Log; SEATS],
    /// Witnesses that cosign nothing more in the old epoch.
    pub frozen: SeatSet,
    /// Witnesses whose report recovery has.
    pub reported: SeatSet,
    /// Tip that the hostile witness reports.
    pub claim: Log,
    /// Log from which the next epoch goes on.
    pub base: Option<Log>,
    /// Witnesses of the next epoch.
    pub joined: SeatSet,
    /// Age of the first entry and 1; 0 while it was not cosigned.
    pub age: u8,
}

impl RecoveryState {
    /// Nothing was cosigned.
    pub fn start() -> RecoveryState {
        RecoveryState {
            tip: [Log::EMPTY; SEATS],
            certified: [Log::EMPTY; SEATS],
            frozen: SeatSet::NONE,
            reported: SeatSet::NONE,
            claim: Log::EMPTY,
            base: None,
            joined: SeatSet::NONE,
            age: 0,
        }
    }
}

/// One step of a witness, of the hostile seat or of the recovery.
#[derive(Clone, PartialEq, Eq)]
pub enum Step {
    /// Time goes on by one unit.
    Tick,
    /// An honest witness cosigns a log that is one entry longer than its tip.
    Cosign {
        /// The witness.
        seat: usize,
        /// Its next tip.
        log: Log,
    },
    /// An honest witness is shown the cosignatures of a witnessed head.
    Certify {
        /// The witness.
        seat: usize,
        /// The head, a prefix of its tip.
        head: Log,
    },
    /// An honest witness freezes the old epoch and reports its tip and its longest witnessed head.
    Report(usize),
    /// The hostile witness reports this tip.
    Lie(Log),
    /// Recovery chooses this base.
    Choose(Log),
    /// An honest witness joins the next epoch.
    Join(usize),
}

impl fmt::Debug for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Step::Tick => write!(f, "clock +1"),
            Step::Cosign { seat, log } => write!(f, "W{seat} cosigns {}", Shown(*log)),
            Step::Certify { seat, head } => {
                write!(f, "W{seat} is shown the witnessed head {}", Shown(*head))
            }
            Step::Report(seat) => write!(f, "W{seat} freezes and reports"),
            Step::Lie(claim) => write!(f, "the hostile witness reports {}", Shown(*claim)),
            Step::Choose(base) => write!(f, "recovery chooses the base {}", Shown(*base)),
            Step::Join(seat) => write!(f, "W{seat} joins the next epoch"),
        }
    }
}

/// A log in a trace.
struct Shown(Log);

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self
            .0
            .codes()
            .map(|code| match code {
                1 => "x",
                2 => "y",
                _ => "z",
            })
            .collect();
        write!(f, "[{}]", names.join(" "))
    }
}
