//! This node's journal: replica and witness, in its database. A cosignature leaves only after it is
//! on disk.

use crate::fatal::{Fatal, NotTaken};
use crate::judge::Entries;
use std::sync::Arc;
use strongroom_guard::{G, guard};
use strongroom_journal::follower::Follower;
use strongroom_journal::witness::{EndedAct, HandedAct, Witness};
use strongroom_journal::{Delta, Entry, Genesis, State};
use strongroom_ports::db::{Db, Tx};
use strongroom_replica::{Replica, ReplicaError};
use strongroom_types::{Code, Digest, NodeId, Refusal, Signed, UnixMs};
use strongroom_wire::{JournalBatch, WitnessCosignature};

/// Least time between two answers to batches that were known already.
const ANSWER_EVERY_MS: u64 = 1_000;
/// Time between two submissions of an open handed tightening to the writer: the first may be lost,
/// or meet a quota.
const PASS_ON_EVERY_MS: u64 = 10_000;
/// Longest such time, to which it doubles while the journal does not grow: what a writer that is down
/// has not read yet needs no copies.
const PASS_ON_MOST_MS: u64 = 600_000;

pub(crate) struct LocalJournal {
    db: Arc<dyn Db>,
    replica: Replica,
    witness: Witness,
    /// Reason for which the last cosignature was withheld; none when it was given.
    silent: Option<Refusal>,
    /// Time of the last answer to a batch that was known already.
    answered_at: UnixMs,
    passed_on: PassedOn,
    /// Evidence of the split view for which this node is frozen.
    frozen: Option<Digest>,
}

/// The last submission of the open handed tightenings to the writer.
struct PassedOn {
    at: UnixMs,
    /// Size of this replica at that time, in entries.
    size: u64,
    /// Time until the next one, milliseconds.
    pause_ms: u64,
}

impl PassedOn {
    const NEVER: Self = Self {
        at: UnixMs(0),
        size: 0,
        pause_ms: PASS_ON_EVERY_MS,
    };
}

/// Outcome of a batch.
pub(crate) struct Appended {
    /// Number of new entries, or why the batch was not taken.
    pub(crate) result: Result<usize, Refusal>,
    /// A cosignature to publish.
    pub(crate) cosignature: Option<WitnessCosignature>,
}

impl LocalJournal {
    pub(crate) fn open(
        db: Arc<dyn Db>,
        genesis: Arc<Genesis>,
        node: NodeId,
        seed: &[u8; 32],
    ) -> Result<Self, Fatal> {
        let mut replica = Replica::open(db.as_ref(), genesis).map_err(fatal)?;
        let witness = replica.witness(node, seed)?;

        // A restart must not forget a split view that this node has seen.
        let frozen = replica
            .halt_if_frozen(db.begin()?.as_mut())
            .map_err(fatal)?;
        Ok(Self {
            db,
            replica,
            witness,
            silent: None,
            answered_at: UnixMs(0),
            passed_on: PassedOn::NEVER,
            frozen,
        })
    }

    pub(crate) const fn follower(&self) -> &Follower {
        self.replica.follower()
    }

    pub(crate) const fn is_retired(&self) -> bool {
        self.witness.is_retired()
    }

    /// Size of the head that this witness cosigned last, in entries.
    pub(crate) fn cosigned(&self) -> u64 {
        self.witness.last().map_or(0, |last| last.size)
    }

    /// Reason for which the witness is silent.
    pub(crate) const fn silent(&self) -> Option<&Refusal> {
        self.silent.as_ref()
    }

    /// Applies a batch and cosigns its end: both in one transaction, which is durable when this
    /// returns.
    pub(crate) fn append(&mut self, batch: &JournalBatch, now: UnixMs) -> Result<Appended, Fatal> {
        let db = Arc::clone(&self.db);
        let mut tx = db.begin()?;

        // People have judged this head already, so it must not freeze this node a second time.
        if Replica::is_losing_head(tx.as_mut(), &batch.note).map_err(fatal)? {
            let detail = "the head that lost when a freeze was lifted";
            return Ok(Appended {
                result: Err(Refusal::new(Code::Conflict, detail)),
                cosignature: None,
            });
        }

        // Duties that end by time are ended before the entries, so that no entry is taken for the
        // reason.
        self.settle_handed_in(tx.as_mut(), now)?;
        let witness = &mut self.witness;
        let mut watch = |state: &State, entry: &Entry| witness.on_entry(state, entry, now);
        let appended = self.replica.append_with(tx.as_mut(), batch, &mut watch);
        self.settle_handed_in(tx.as_mut(), now)?;

        let result = match appended {
            Ok(entries) => Ok(entries.len()),
            Err(ReplicaError::Refused(refusal)) => {
                self.freeze_in(tx.as_mut(), now)?;
                Err(refusal)
            }
            Err(error) => return Err(fatal(error)),
        };

        // One commit for entries and cosignature: after a crash neither is there without the other.
        let mut cosignature = self.cosign_in(tx.as_mut(), now)?;
        if cosignature.is_none() && matches!(result, Ok(0)) {
            cosignature = self.answer_in(tx.as_mut(), now)?;
        }
        commit_cosigned(tx)?;

        self.count_local(cosignature.as_ref(), now);
        Ok(Appended {
            result,
            cosignature,
        })
    }

    /// Ends duties in the transaction that has the reason: after a crash in between, nothing would
    /// know the entry any more.
    fn settle_handed_in(&mut self, tx: &mut dyn Tx, now: UnixMs) -> Result<(), Fatal> {
        let settled = self.replica.settle_handed(tx, &mut self.witness, now);
        settled.map_err(fatal)
    }

    /// Keeps evidence of a split view, in the transaction of the batch that showed it.
    fn freeze_in(&mut self, tx: &mut dyn Tx, now: UnixMs) -> Result<(), Fatal> {
        for evidence in self.replica.freeze(tx, now).map_err(fatal)? {
            tracing::error!(%evidence, "the log signed two trees of one size: frozen until `unfreeze`");
            self.frozen.get_or_insert(evidence);
        }
        Ok(())
    }

    /// Evidence of the split view for which this node is frozen.
    pub(crate) const fn frozen(&self) -> Option<Digest> {
        self.frozen
    }

    /// Lifts a freeze on disk; the process goes on frozen until it is started again.
    pub(crate) fn unfreeze(&self, evidence: &Digest, now: UnixMs) -> Result<(), NotTaken> {
        let mut tx = self.db.begin()?;
        let lifted = Replica::unfreeze(tx.as_mut(), evidence, now).map_err(fatal)?;
        tx.commit()?;

        let detail = || {
            Refusal::new(
                Code::NotFound,
                format!("no freeze by {evidence} is in force"),
            )
        };
        if lifted {
            Ok(())
        } else {
            Err(NotTaken::Refused(detail()))
        }
    }

    /// Cosigns the tip, if a cosignature is due.
    pub(crate) fn cosign(&mut self, now: UnixMs) -> Result<Option<WitnessCosignature>, Fatal> {
        if !self.witness.due(self.replica.follower(), now) {
            return Ok(None);
        }

        let db = Arc::clone(&self.db);
        let mut tx = db.begin()?;
        let cosignature = self.cosign_in(tx.as_mut(), now)?;
        commit_cosigned(tx)?;

        self.count_local(cosignature.as_ref(), now);
        Ok(cosignature)
    }

    /// Answers a batch that this replica has already: a writer that was started publishes its newest
    /// one again, and appends nothing until enough witnesses have shown how far they are.
    fn answer_in(
        &mut self,
        tx: &mut dyn Tx,
        now: UnixMs,
    ) -> Result<Option<WitnessCosignature>, Fatal> {
        // One answer per second is enough: records come twice, and a link that connects sends some
        // of them again.
        let is_soon = now.0.abs_diff(self.answered_at.0) < ANSWER_EVERY_MS;
        if is_soon || self.witness.is_retired() {
            return Ok(None);
        }
        self.answered_at = now;

        // A tip that may not be cosigned now (too old, or without a handed tightening) must not keep
        // the writer waiting: only an entry of its own can mend either. The newest cosignature says
        // as much about how far this witness is.
        match self.cosign_tip_in(tx, now)? {
            Some(cosignature) => Ok(Some(cosignature)),
            None => Ok(self.witness.repeat()?),
        }
    }

    fn cosign_in(
        &mut self,
        tx: &mut dyn Tx,
        now: UnixMs,
    ) -> Result<Option<WitnessCosignature>, Fatal> {
        if !self.witness.due(self.replica.follower(), now) {
            return Ok(None);
        }
        self.cosign_tip_in(tx, now)
    }

    fn cosign_tip_in(
        &mut self,
        tx: &mut dyn Tx,
        now: UnixMs,
    ) -> Result<Option<WitnessCosignature>, Fatal> {
        match self.replica.cosign(tx, &mut self.witness, now) {
            Ok(cosignature) => {
                self.silent = None;
                Ok(Some(cosignature))
            }

            // Here it is the witness's duty not to cosign, so the process goes on.
            Err(ReplicaError::Refused(refusal)) => {
                // The same reason is logged once: while the replica catches up, every batch meets
                // it.
                if self
                    .silent
                    .as_ref()
                    .is_none_or(|known| known.code != refusal.code)
                {
                    tracing::warn!(%refusal, "not cosigned");
                }
                self.silent = Some(refusal);
                Ok(None)
            }
            Err(error) => Err(fatal(error)),
        }
    }

    /// This witness's cosignature counts here as it does everywhere else.
    fn count_local(&mut self, cosignature: Option<&WitnessCosignature>, now: UnixMs) {
        let Some(cosignature) = cosignature else {
            return;
        };

        // This cosignature is verified like any other: a key that signs what peers refuse is
        // noticed here first.
        let node = self.witness.node();
        if let Err(refusal) = self
            .replica
            .follower_mut()
            .cosignature(node, cosignature, now)
        {
            tracing::error!(%refusal, "this witness's cosignature does not verify");
        }
    }

    /// Takes in a cosignature that arrived. One under this witness's name that this disk does not
    /// remember retires the key: another copy of it is running.
    pub(crate) fn take_cosignature(
        &mut self,
        node: NodeId,
        cosignature: &WitnessCosignature,
        now: UnixMs,
    ) -> Result<(), NotTaken> {
        if node == self.witness.node() {
            let db = Arc::clone(&self.db);
            let mut tx = db.begin()?;
            self.replica
                .on_own_cosignature(tx.as_mut(), &mut self.witness, cosignature)
                .map_err(fatal)?;
            tx.commit()?;

            // A cosignature under this node's name is checked before it counts: that of a retired
            // key must not complete a quorum here, neither the one that retired it nor a later one.
            if self.witness.is_retired() {
                return Err(NotTaken::Refused(Code::SignerRetired.into()));
            }
        }

        self.replica
            .follower_mut()
            .cosignature(node, cosignature, now)
            .map_err(NotTaken::Refused)
    }

    /// Takes a tightening that was handed over; it is durable when this returns `Ok`.
    pub(crate) fn take_tightening(&mut self, signed: &Signed, now: UnixMs) -> Result<(), NotTaken> {
        let db = Arc::clone(&self.db);
        let mut tx = db.begin()?;
        let handed = self
            .replica
            .hand(tx.as_mut(), &mut self.witness, signed, now);

        match handed {
            // The act is acknowledged only after this commit, because an operator who was told
            // "done" relies on it.
            Ok(()) => {
                tx.commit()?;
                self.passed_on = PassedOn::NEVER;
                Ok(())
            }

            // Duties that ended on the way are stored as ended: memory has them so already, and
            // notices no end a second time.
            Err(ReplicaError::Refused(refusal)) => {
                tx.commit()?;
                Err(NotTaken::Refused(refusal))
            }
            Err(error) => Err(fatal(error).into()),
        }
    }

    /// Changes that the open handed tightenings would make at the tip.
    pub(crate) fn handed(&mut self, now: UnixMs) -> Vec<Delta> {
        self.witness
            .handed_overlay(self.replica.follower(), now)
            .cloned()
            .collect()
    }

    /// Handed tightenings to submit to the writer now: at once when one was taken, then again for as
    /// long as it is owed.
    pub(crate) fn take_due_handed(&mut self, now: UnixMs) -> Vec<HandedAct> {
        // The journal has grown: a writer that appends has read what came before, and may have
        // refused it.
        let size = self.replica.follower().size();
        let (pause_ms, next_ms) = if size > self.passed_on.size {
            (PASS_ON_EVERY_MS, PASS_ON_EVERY_MS)
        } else {
            let pause_ms = self.passed_on.pause_ms;
            (pause_ms, pause_ms.saturating_mul(2).min(PASS_ON_MOST_MS))
        };

        // The distance counts and not the order: a clock that was set back must not silence the
        // submissions.
        if now.0.abs_diff(self.passed_on.at.0) < pause_ms {
            return Vec::new();
        }
        self.passed_on = PassedOn {
            at: now,
            size,
            pause_ms: next_ms,
        };
        self.owed().cloned().collect()
    }

    /// Tightenings that were handed over and are not in the journal yet.
    pub(crate) fn owed(&self) -> impl Iterator<Item = &HandedAct> {
        self.witness.handed()
    }

    /// How the last of them ended, oldest first.
    pub(crate) fn ended(&self) -> impl Iterator<Item = &EndedAct> {
        self.witness.handed_ended()
    }
}

impl Entries for LocalJournal {
    fn entry(&self, seq: u64) -> Result<Entry, Fatal> {
        let mut tx = self.db.begin()?;
        let entry = self.replica.entry(tx.as_mut(), seq).map_err(fatal)?;
        let missing = || Refusal::new(Code::StoreCorrupt, format!("entry {seq} is missing"));
        entry.ok_or_else(|| missing().into())
    }
}

/// Commits what a cosignature covers: it leaves the process only when this has returned `Ok`.
fn commit_cosigned(tx: Box<dyn Tx + '_>) -> Result<(), Fatal> {
    if let Err(error) = tx.commit()
        && guard(G::PersistThenCosign, true)
    {
        return Err(error.into());
    }
    Ok(())
}

/// A replica's error as the end of the process.
pub(crate) fn fatal(error: ReplicaError) -> Fatal {
    match error {
        ReplicaError::Db(error) => Fatal::Store(error),
        ReplicaError::Refused(refusal) => Fatal::Refused(refusal),
        ReplicaError::Stale => {
            Refusal::new(Code::StoreCorrupt, "another process writes this database").into()
        }
        ReplicaError::Marker(error) => {
            Refusal::new(Code::Internal, format!("boot marker: {error}")).into()
        }
        ReplicaError::Bus(error) => Refusal::new(Code::Internal, error).into(),
    }
}
