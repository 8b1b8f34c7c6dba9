//! The replica: applies what the log's writer signed, and knows which of it the witnesses vouch
//! for. No clock, no I/O.
//!
//! A replica that meets anything it cannot follow *stops* ([`Follower::halted`]); it never refuses
//! one entry and goes on, since two replicas that differ in one refusal differ from then on. What
//! proves nothing against the log (a batch without its signature, a gap) is only refused: the right
//! batch may still come.

mod batch;
mod heads;
mod log_key;
mod seats;
mod vouched;

pub use batch::Watch;
pub(crate) use batch::{Draft, NewEntry};
pub use heads::{HEADS_MAX, Head};
pub use log_key::LogKey;
pub use seats::{Latest, PENDING_MAX};

pub use crate::cosigned::witness_name;

use self::heads::{KeptHead, head};
use crate::entry::SeatCosignature;
use crate::genesis::Genesis;
use crate::keyspace::Key;
use crate::state::{Delta, Lookup as _, State};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use strongroom_guard::{G, guard};
use strongroom_tlog::Frontier;
use strongroom_types::{Code, NodeId, Refusal};
use strongroom_wire::WitnessCosignature;

/// Two statements over one size that cannot both be true.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SplitView {
    /// The log itself signed another body than the one we follow.
    Log {
        /// Our body at that size.
        ours: String,
        /// The other note, with its signature.
        note: String,
    },
    /// A witness cosigned another body: it is hostile, or the writer showed it another line.
    Witness {
        /// Node id of the witness.
        node: NodeId,
        /// Our body at that size.
        ours: String,
        /// The other body with the witness's signature.
        cosignature: WitnessCosignature,
    },
}

impl SplitView {
    /// The witness that it convicts; none where it is the log.
    const fn witness(&self) -> Option<NodeId> {
        match self {
            Self::Log { .. } => None,
            Self::Witness { node, .. } => Some(*node),
        }
    }
}

/// An in-memory replica of the journal.
#[derive(Debug)]
pub struct Follower {
    state: State,
    frontier: Frontier,
    tip: Head,
    /// Heads that a share may still be judged at, ascending; the last is the tip.
    steps: VecDeque<KeptHead>,
    log: LogKey,
    seats: BTreeMap<NodeId, seats::Seat>,
    /// Cosignatures over kept heads in which something waits, by size.
    vouched: BTreeMap<u64, BTreeMap<NodeId, SeatCosignature>>,
    /// Largest head that was ever fresh here.
    acted: u64,
    halted: Option<Refusal>,
    evidence: Vec<SplitView>,
}

impl Follower {
    /// The replica before entry 0.
    ///
    /// # Errors
    /// `invalid_reference` when a key or the origin of genesis cannot be used.
    pub fn new(genesis: Arc<Genesis>) -> Result<Self, Refusal> {
        Self::from_parts(genesis, BTreeMap::new(), Frontier::new())
    }

    /// The replica as it was stored. `note` is the tip's signed checkpoint (none before entry 0).
    ///
    /// Heads before the tip are not restored: after a start [`Self::fresh`] refuses
    /// (`head_below_floor`) until a fresh witnessed head covers the whole stored log, so also
    /// everything this machine ever cosigned.
    ///
    /// # Errors
    /// `store_corrupt` when map, frontier and note do not belong together.
    pub fn restore(
        genesis: Arc<Genesis>,
        map: BTreeMap<Key, Vec<u8>>,
        frontier: Frontier,
        note: Option<&str>,
    ) -> Result<Self, Refusal> {
        let corrupt = |detail: &str| Refusal::new(Code::StoreCorrupt, detail);
        // A record that does not decode was changed on this disk: what was applied always does.
        let follower = Self::from_parts(genesis, map, frontier).map_err(|e| {
            if e.code == Code::Internal {
                corrupt(&e.detail)
            } else {
                e
            }
        })?;

        // Without a checkpoint nothing vouches for a map: only an empty one is believed.
        let Some(note) = note else {
            let empty = follower.size() == 0 && follower.state.map().is_empty();
            return if empty {
                Ok(follower)
            } else {
                Err(corrupt("a log without its checkpoint"))
            };
        };

        // Rows edited by hand, or restored in part, give another root than the signed one.
        let (_, body) = follower
            .log
            .open_note(note)
            .map_err(|e| corrupt(&e.to_string()))?;
        if guard(G::StoreChecked, body != follower.tip.body) {
            return Err(corrupt("map, tree and checkpoint do not belong together"));
        }

        // Without the rule, the rows go by the name of what the log signed.
        #[cfg(mutants)]
        let follower = follower.with_tip(&body);
        Ok(follower)
    }

    /// The same with another body for its tip.
    #[cfg(mutants)]
    fn with_tip(mut self, body: &str) -> Self {
        self.set_tip(body);
        self
    }

    /// Takes what the log signed for the tip, whatever is here.
    #[cfg(mutants)]
    fn set_tip(&mut self, body: &str) {
        body.clone_into(&mut self.tip.body);
        if let Some(last) = self.steps.back_mut() {
            body.clone_into(&mut last.head.body);
        }
    }

    fn from_parts(
        genesis: Arc<Genesis>,
        map: BTreeMap<Key, Vec<u8>>,
        frontier: Frontier,
    ) -> Result<Self, Refusal> {
        let log = LogKey::new(&genesis)?;
        let seats = seats::Seat::all(&genesis)?;
        let state = State::from_map(genesis, map);
        let at = state.position()?.last_at;
        let head = head(&state, &frontier, at)?;

        let tip = head.clone();
        let first = KeptHead {
            head,
            undo: Delta::default(),
        };
        Ok(Self {
            state,
            frontier,
            tip,
            steps: [first].into(),
            log,
            seats,
            vouched: BTreeMap::new(),
            acted: 0,
            halted: None,
            evidence: Vec::new(),
        })
    }

    /// The state at the tip.
    #[must_use]
    pub const fn state(&self) -> &State {
        &self.state
    }

    /// Genesis of this journal.
    #[must_use]
    pub fn genesis(&self) -> &Arc<Genesis> {
        self.state.genesis()
    }

    /// Number of entries applied.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.frontier.size()
    }

    /// The tree's right edge, for persistence.
    #[must_use]
    pub const fn frontier(&self) -> &Frontier {
        &self.frontier
    }

    /// Reason for which this replica stopped, if it did.
    #[must_use]
    pub const fn halted(&self) -> Option<&Refusal> {
        self.halted.as_ref()
    }

    /// Contradictions seen so far: the first of each witness, and the first of the log.
    #[must_use]
    pub fn evidence(&self) -> &[SplitView] {
        &self.evidence
    }

    /// Stops this replica: the log signed `note` where `ours` was followed. For callers that store
    /// bodies of heads which are no longer kept here.
    pub fn split_view(&mut self, ours: String, note: &str) -> Refusal {
        let detail = format!(
            "the log signed two trees of one size: {}",
            ours.replace('\n', " ")
        );
        self.insert_evidence(SplitView::Log {
            ours,
            note: note.to_owned(),
        });
        let refusal = Refusal::new(Code::Conflict, detail);
        self.halt(refusal.clone());
        refusal
    }

    /// Stops this replica; the first reason stays.
    pub fn halt(&mut self, why: Refusal) {
        self.halted.get_or_insert(why);
    }

    fn check_not_halted(&self) -> Result<(), Refusal> {
        self.halted.clone().map_or(Ok(()), Err)
    }

    fn halt_on<T>(&mut self, result: Result<T, Refusal>) -> Result<T, Refusal> {
        if let Err(refusal) = &result {
            self.halt(refusal.clone());
        }
        result
    }

    fn insert_evidence(&mut self, evidence: SplitView) {
        // One piece names its culprit, and a hostile witness can contradict itself as often as it
        // likes: it must not take the room of what the log signed, which outlives a restart.
        let culprit = evidence.witness();
        if self.evidence.iter().all(|known| known.witness() != culprit) {
            self.evidence.push(evidence);
        }
    }
}
