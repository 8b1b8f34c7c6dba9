//! States and steps of the journal.

use std::fmt;

use super::entry::{Entry, EntrySet, Shown};
use super::{SEATS, SIGNERS};
use crate::log::Log;
use crate::seats::SeatSet;

/// Age and 1, so that 0 is "never"; it stops growing at a cap.
pub type AgePlusOne = u8;

/// The honest cosignatures over one head.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cosigned {
    /// The head.
    pub head: Log,
    /// Age of each seat's newest cosignature over it.
    pub age: [AgePlusOne; SEATS],
}

/// The committee's signed answer to one question.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Decision {
    /// Nothing yet.
    Undecided,
    /// It refuses.
    No,
    /// It approves.
    Yes,
}

/// A question to the committee.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Question {
    /// Release the looser policy?
    Loosening,
    /// Refresh the key?
    Ceremony,
}

/// The shares of a key that one honest signer holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyShares {
    /// Share of the old epoch, on disk.
    pub old: bool,
    /// Share of the new epoch, in memory only.
    pub new_in_memory: bool,
    /// Share of the new epoch, on disk.
    pub new_on_disk: bool,
    /// The signer has certified the refresh.
    pub certified: bool,
}

impl KeyShares {
    /// Has the signer a share of the new epoch?
    pub fn has_new(self) -> bool {
        self.new_in_memory || self.new_on_disk
    }
}

/// Violated properties. Each is set by the share that violates it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub struct Violations {
    /// (c): the share came later than the staleness bound after a tightening was witnessed.
    pub late: bool,
    /// (c2): against a head that the signer had acted under.
    pub own_head: bool,
    /// (c3): against the signer's own tip.
    pub own_tip: bool,
    /// (h): against a tightening that w − k + 1 honest witnesses had been handed for the bound.
    pub handed: bool,
}

impl Violations {
    /// Was anything violated?
    pub fn is_any(self) -> bool {
        self != Violations::default()
    }
}

/// Witnesses and signers. Fields marked *ghost* are not seen by any rule: properties read them.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct JournalState {
    /// Log on each honest witness's disk.
    pub disk: [Log; SEATS],
    /// Log in each honest witness's memory: its tip.
    pub memory: [Log; SEATS],
    /// Honest cosignatures, in the order of the heads.
    pub cosigned: Vec<Cosigned>,
    /// Head that each signer last acted under.
    pub acted_under: [Log; SIGNERS],
    /// Ghost: tightenings that each signer has ever acted under.
    pub ever_under: [EntrySet; SIGNERS],
    /// Attempts for which honest shares left, by epoch and signer.
    pub shares: [[EntrySet; SIGNERS]; 2],
    /// Ghost: since when each tightening has been covered by a witnessed head.
    pub witnessed: [AgePlusOne; Entry::TIGHTENINGS.len()],
    /// Since when the proposal has been in a log.
    pub proposed: AgePlusOne,
    /// The committee about the looser policy.
    pub loosening: Decision,
    /// The committee about the refresh.
    pub ceremony: Decision,
    /// Key shares of each signer.
    pub keys: [KeyShares; SIGNERS],
    /// Witnesses whose disk was put back, and that know it.
    pub put_back: SeatSet,
    /// Tightenings that each witness was handed.
    pub handed: [EntrySet; SEATS],
    /// Ghost: since when w − k + 1 honest witnesses have been handed each tightening.
    pub held: [AgePlusOne; Entry::TIGHTENINGS.len()],
    /// Ghost.
    pub violations: Violations,
}

impl JournalState {
    /// Every node has this log, nothing was cosigned or shared.
    pub fn start(log: Log) -> JournalState {
        let old_share = KeyShares {
            old: true,
            new_in_memory: false,
            new_on_disk: false,
            certified: false,
        };
        JournalState {
            disk: [log; SEATS],
            memory: [log; SEATS],
            cosigned: vec![],
            acted_under: [Log::EMPTY; SIGNERS],
            ever_under: [EntrySet::NONE; SIGNERS],
            shares: [[EntrySet::NONE; SIGNERS]; 2],
            witnessed: [0; Entry::TIGHTENINGS.len()],
            proposed: 0,
            loosening: Decision::Undecided,
            ceremony: Decision::Undecided,
            keys: [old_share; SIGNERS],
            put_back: SeatSet::NONE,
            handed: [EntrySet::NONE; SEATS],
            held: [0; Entry::TIGHTENINGS.len()],
            violations: Violations::default(),
        }
    }

    /// Attempts that can be signed: one honest share is enough with t = 2; else both are needed.
    pub fn signed(&self, both_needed: bool) -> EntrySet {
        self.shares
            .iter()
            .map(|[first, second]| {
                if both_needed {
                    first.and(*second)
                } else {
                    first.or(*second)
                }
            })
            .fold(EntrySet::NONE, EntrySet::or)
    }
}

/// One step of the adversary, of an honest part or of the clock.
#[derive(Clone, PartialEq, Eq)]
pub enum Step {
    /// Time goes on by one unit.
    Tick,
    /// A witness is offered the next entry and cosigns it.
    Cosign {
        /// The witness.
        witness: usize,
        /// The entry.
        entry: Entry,
    },
    /// A witness's log reaches its disk, after it has cosigned.
    Persist(usize),
    /// A witness cosigns its tip again, with its time.
    CosignAgain(usize),
    /// A witness, or the signer of that seat, crashes and starts again.
    Crash(usize),
    /// A signer acts under a head without a share.
    Follow {
        /// The signer.
        signer: usize,
        /// The head.
        head: Log,
    },
    /// A signer releases its share.
    Share {
        /// The signer.
        signer: usize,
        /// Head that it acts under.
        head: Log,
        /// The attempt.
        attempt: Entry,
    },
    /// The committee signs its answer.
    Decide {
        /// Question that it is asked.
        question: Question,
        /// Its answer.
        answer: Decision,
    },
    /// A signer makes its share of the new epoch and certifies it.
    Certify(usize),
    /// A signer erases its share of the old epoch.
    Erase(usize),
    /// A witness's disk is put back to an older log.
    PutBack {
        /// The witness.
        witness: usize,
        /// Size of the older log.
        size: u32,
    },
    /// A witness whose disk was put back catches up to a witnessed head.
    CatchUp {
        /// The witness.
        witness: usize,
        /// The head.
        head: Log,
    },
    /// A person hands a tightening to a witness directly.
    Hand {
        /// The witness.
        witness: usize,
        /// The tightening.
        entry: Entry,
    },
}

impl fmt::Debug for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Step::Tick => write!(f, "clock +1"),
            Step::Cosign { witness, entry } => write!(f, "W{witness} cosigns +{entry}"),
            Step::Persist(witness) => write!(f, "W{witness} persists"),
            Step::CosignAgain(witness) => write!(f, "W{witness} cosigns its tip again"),
            Step::Crash(seat) => write!(f, "W{seat} crashes and restarts"),
            Step::Follow { signer, head } => write!(f, "S{signer} follows head {}", Shown(*head)),
            Step::Share {
                signer,
                head,
                attempt,
            } => write!(f, "S{signer} shares {attempt} under head {}", Shown(*head)),
            Step::Decide { question, answer } => {
                write!(f, "committee says {answer:?} to the {question:?}")
            }
            Step::Certify(signer) => write!(f, "S{signer} makes its new share and certifies"),
            Step::Erase(signer) => write!(f, "S{signer} erases its old share"),
            Step::PutBack { witness, size } => {
                write!(f, "W{witness}'s disk is put back to size {size}")
            }
            Step::CatchUp { witness, head } => {
                write!(f, "W{witness} catches up to head {}", Shown(*head))
            }
            Step::Hand { witness, entry } => write!(f, "W{witness} is handed {entry}"),
        }
    }
}
