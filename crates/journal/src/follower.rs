//! The replica: applies what the log's writer signed, and knows which of it the witnesses vouch
//! for. No clock, no I/O.
//!
//! A replica that meets anything it cannot follow *stops* ([`Follower::halted`]); it never refuses
//! one entry and goes on, since two replicas that differ in one refusal differ from then on. What
//! proves nothing against the log (a batch without its signature, a gap) is only refused: the right
//! batch may still come.

use crate::apply::apply;
use crate::entry::{Entry, SealedEntry};
use crate::genesis::Genesis;
use crate::keyspace::Key;
use crate::overlay::Overlay;
use crate::state::{Delta, Lookup, State};
use std::collections::{BTreeMap, VecDeque};
use std::mem::take;
use std::sync::Arc;
use strongroom_tlog::{Checkpoint, Frontier, Hash, NoteVerifier, verify_note};
use strongroom_types::{Code, Digest, NodeId, Refusal, UnixMs};
use strongroom_wire::{JournalBatch, WitnessCosignature};

mod seats;

pub use seats::{Latest, PENDING_MAX, witness_name};

/// Most heads kept for [`Follower::head_view`]: at full load (some 60 batches a second) more than a
/// minute, which is longer than a head stays fresh. Beyond it the oldest are forgotten, and what
/// they were needed for is refused.
pub const HEADS_MAX: usize = 4096;
/// Most pieces of evidence kept: the first ones name the culprits, more of them add nothing.
pub const EVIDENCE_MAX: usize = 16;

/// The journal at the end of one batch: what a checkpoint says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Head {
    /// Number of entries.
    pub size: u64,
    /// Root of the RFC 6962 tree of leaves.
    pub root: Hash,
    /// Root of the state's map.
    pub state_root: Digest,
    /// Journal time of the last entry.
    pub at: UnixMs,
    /// The checkpoint body: what is signed and cosigned.
    pub body: String,
}

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
        /// Which witness.
        node: NodeId,
        /// Our body at that size.
        ours: String,
        /// The other body with the witness's signature.
        cosignature: WitnessCosignature,
    },
}

#[derive(Debug)]
struct KeptHead {
    head: Head,
    /// Leads from this head back to the one before.
    undo: Delta,
}

/// An in-memory replica of the journal.
#[derive(Debug)]
pub struct Follower {
    state: State,
    frontier: Frontier,
    tip: Head,
    /// Heads that a share may still be judged at, ascending; the last is the tip.
    steps: VecDeque<KeptHead>,
    log: NoteVerifier,
    seats: BTreeMap<NodeId, seats::Seat>,
    /// Largest head that was ever fresh here.
    acted: u64,
    halted: Option<Refusal>,
    evidence: Vec<SplitView>,
}

/// Entries put in force without a checkpoint yet.
#[derive(Debug)]
pub(crate) struct Draft {
    frontier: Frontier,
    undo: Delta,
    at: UnixMs,
    pub(crate) applied: Vec<(SealedEntry, Delta)>,
}

impl Draft {
    /// Position of the next entry.
    pub(crate) const fn seq(&self) -> u64 {
        self.frontier.size()
    }

    /// Journal time so far.
    pub(crate) const fn at(&self) -> UnixMs {
        self.at
    }
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
        let follower = Self::from_parts(genesis, map, frontier)?;

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
            .read_note(note)
            .map_err(|e| corrupt(&e.to_string()))?;
        if body != follower.tip.body {
            return Err(corrupt("map, tree and checkpoint do not belong together"));
        }
        Ok(follower)
    }

    fn from_parts(
        genesis: Arc<Genesis>,
        map: BTreeMap<Key, Vec<u8>>,
        frontier: Frontier,
    ) -> Result<Self, Refusal> {
        let unusable = |e: &dyn std::fmt::Display| Refusal::new(Code::InvalidReference, e);

        let log = NoteVerifier::new(&genesis.origin, &genesis.log_key).map_err(|e| unusable(&e))?;
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

    /// The newest head, witnessed or not.
    #[must_use]
    pub const fn tip(&self) -> &Head {
        &self.tip
    }

    /// Reason for which this replica stopped, if it did.
    #[must_use]
    pub const fn halted(&self) -> Option<&Refusal> {
        self.halted.as_ref()
    }

    /// Contradictions seen so far (at most [`EVIDENCE_MAX`]).
    #[must_use]
    pub fn evidence(&self) -> &[SplitView] {
        &self.evidence
    }

    /// Applies a batch: all of it or nothing. Gives what was applied, to be persisted; nothing for
    /// a batch that was applied before.
    ///
    /// # Errors
    /// Refused without consequence: `not_ready` (a gap), `bad_signature` or `malformed` (not signed
    /// by the log). Anything else, `conflict` for a split view among it, stops the replica for
    /// good.
    pub fn append(&mut self, batch: &JournalBatch) -> Result<Vec<(SealedEntry, Delta)>, Refusal> {
        self.check_not_halted()?;
        let (checkpoint, body) = self.read_note(&batch.note)?;

        // The log signed this note; entries that it does not end are another sender's invention.
        let end = batch.first_seq.checked_add(batch.entries.len() as u64);
        if batch.entries.is_empty() || end != Some(checkpoint.size()) {
            return Err(Refusal::new(
                Code::Malformed,
                "the checkpoint is not of these entries",
            ));
        }

        // A gap is not the log's fault: records arrive late, and the link sends them again.
        if batch.first_seq > self.size() {
            let detail = format!(
                "entries from {} on, but only {} are here",
                batch.first_seq,
                self.size()
            );
            return Err(Refusal::new(Code::NotReady, detail));
        }

        // From here on the log itself is the author: what cannot be followed stops this replica.
        let result = if checkpoint.size() <= self.size() {
            self.check_known(checkpoint.size(), &body, &batch.note)
                .map(|()| Vec::new())
        } else {
            self.extend(batch, &body)
        };
        self.halt_on(result)
    }

    /// Checks a checkpoint at or below the tip: it must be the one followed, as far as that is
    /// still kept. Another one is proof that the log signed two histories.
    fn check_known(&mut self, size: u64, body: &str, note: &str) -> Result<(), Refusal> {
        match self
            .head(size)
            .map(|head| head.body.clone())
            .filter(|ours| ours != body)
        {
            Some(ours) => Err(self.split_view(ours, note)),
            None => Ok(()),
        }
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

    fn extend(
        &mut self,
        batch: &JournalBatch,
        body: &str,
    ) -> Result<Vec<(SealedEntry, Delta)>, Refusal> {
        // Entries before our tip are covered by the root we compare at the end.
        let known = usize::try_from(self.size() - batch.first_seq).unwrap_or(usize::MAX);
        let mut draft = self.draft();
        let mut apply_all = || {
            for bytes in batch.entries.iter().skip(known) {
                let sealed: SealedEntry = strongroom_wire::decode(bytes)?;
                let entry = sealed.open()?;
                self.enter(&mut draft, sealed, &entry)?;
            }

            // The signed body covers tree and state root: a build with another `apply`, or a writer
            // that lies about either, is noticed here and not at the next payment.
            let head = head(&self.state, &draft.frontier, draft.at)?;
            if head.body == body {
                Ok(head)
            } else {
                Err(other_line(&head, body))
            }
        };

        match apply_all() {
            Ok(head) => Ok(self.close(&mut draft, head)),
            Err(refusal) => {
                self.undo(&draft);
                Err(refusal)
            }
        }
    }

    /// Starts a batch.
    pub(crate) fn draft(&self) -> Draft {
        let (undo, at) = (Delta::default(), self.tip.at);
        Draft {
            frontier: self.frontier.clone(),
            undo,
            at,
            applied: Vec::new(),
        }
    }

    /// Applies the next entry of a batch to the state.
    pub(crate) fn enter(
        &mut self,
        draft: &mut Draft,
        sealed: SealedEntry,
        entry: &Entry,
    ) -> Result<(), Refusal> {
        if entry.seq != draft.frontier.size() {
            return Err(Refusal::new(
                Code::Malformed,
                format!(
                    "entry {} where {} belongs",
                    entry.seq,
                    draft.frontier.size()
                ),
            ));
        }

        // The oldest value of a key is the one that undoes the whole batch.
        let delta = apply(&self.state, entry)?;
        for (key, old) in self.state.commit(&delta).changes {
            draft.undo.changes.entry(key).or_insert(old);
        }

        draft.frontier.append(sealed.leaf_hash(entry));
        draft.at = entry.at;
        draft.applied.push((sealed, delta));
        Ok(())
    }

    /// The head that a batch leads to.
    pub(crate) fn head_of(&self, draft: &Draft) -> Result<Head, Refusal> {
        head(&self.state, &draft.frontier, draft.at)
    }

    /// Ends a batch at its head; the draft is then that of the next batch.
    pub(crate) fn close(&mut self, draft: &mut Draft, head: Head) -> Vec<(SealedEntry, Delta)> {
        self.frontier = draft.frontier.clone();
        self.tip = head.clone();
        self.steps.push_back(KeptHead {
            head,
            undo: take(&mut draft.undo),
        });
        if self.steps.len() > HEADS_MAX {
            self.steps.pop_front();
        }
        self.count_pending();
        take(&mut draft.applied)
    }

    /// Takes a batch back.
    pub(crate) fn undo(&mut self, draft: &Draft) {
        self.state.commit(&draft.undo);
    }

    /// The head of this size, if still kept.
    #[must_use]
    pub fn head(&self, size: u64) -> Option<&Head> {
        let at = self
            .steps
            .binary_search_by_key(&size, |step| step.head.size)
            .ok()?;
        self.steps.get(at).map(|step| &step.head)
    }

    /// The state at a kept head.
    ///
    /// # Errors
    /// `head_below_floor` when no head of this size is kept.
    pub fn head_view(&self, size: u64) -> Result<Overlay<'_>, Refusal> {
        if self.head(size).is_none() {
            return Err(Refusal::new(
                Code::HeadBelowFloor,
                format!("no head of size {size} is kept"),
            ));
        }

        // The tip with everything after that head undone, newest first.
        let later = self
            .steps
            .iter()
            .rev()
            .take_while(|step| step.head.size > size);
        Ok(later.fold(Overlay::new(&self.state), |view, step| {
            view.with(&step.undo)
        }))
    }

    /// Sizes of the kept heads beyond this one, ascending; the last is the tip's.
    #[must_use]
    pub fn sizes_beyond(&self, size: u64) -> Vec<u64> {
        self.steps
            .iter()
            .map(|step| step.head.size)
            .filter(|kept| *kept > size)
            .collect()
    }

    /// Forgets the heads before this one.
    fn forget_before(&mut self, size: u64) {
        while self.steps.get(1).is_some_and(|next| next.head.size <= size) {
            self.steps.pop_front();
        }
    }

    /// Size and body of a note that the log signed.
    fn read_note(&self, note: &str) -> Result<(Checkpoint, String), Refusal> {
        // C2SP signed-note: only the log's own key counts, other signatures are passed over.
        let verified = verify_note(note, std::slice::from_ref(&self.log));
        let body = verified
            .map_err(|e| Refusal::new(Code::BadSignature, format!("checkpoint: {e}")))?
            .body;

        // One key may sign several logs; a checkpoint of another one says nothing about this one.
        let checkpoint = Checkpoint::parse(&body).map_err(|e| Refusal::new(Code::Malformed, e))?;
        if checkpoint.origin() != self.genesis().origin {
            return Err(Refusal::new(Code::Malformed, "checkpoint of another log"));
        }
        Ok((checkpoint, body))
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
        // Bounded: a hostile witness can contradict itself as often as it likes.
        if self.evidence.len() < EVIDENCE_MAX && !self.evidence.contains(&evidence) {
            self.evidence.push(evidence);
        }
    }
}

fn head(state: &State, frontier: &Frontier, at: UnixMs) -> Result<Head, Refusal> {
    let (size, root, state_root) = (frontier.size(), frontier.root(), state.root());
    let checkpoint =
        Checkpoint::with_state(&state.genesis().origin, size, root, Hash(state_root.0));
    let body = checkpoint
        .map_err(|e| Refusal::new(Code::InvalidReference, e))?
        .to_body();
    Ok(Head {
        size,
        root,
        state_root,
        at,
        body,
    })
}

fn other_line(ours: &Head, theirs: &str) -> Refusal {
    let what = match Checkpoint::parse(theirs) {
        Ok(theirs) if theirs.root() == ours.root => "the state differs from the one the log signed",
        Ok(_) | Err(_) => "the entries are not those the log signed",
    };
    Refusal::new(Code::Conflict, format!("at size {}: {what}", ours.size))
}
