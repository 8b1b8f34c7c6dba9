//! The follower and its tables.

use crate::error::ReplicaError;
use crate::memory;
use crate::rows::{NewBatch, corrupt, head_body, note_body, read_entry, state_map};
use crate::schema as sql;
use rand_core::CryptoRngCore;
use std::sync::Arc;
use strongroom_guard::{G, guard};
use strongroom_journal::follower::{Follower, Watch};
use strongroom_journal::witness::WitnessMemory;
use strongroom_journal::writer::{Offer, Ordered, Orderer};
use strongroom_journal::{Body, Delta, Entry, Genesis, SealedEntry, keyspace};
use strongroom_ports::db::{Arg, Db, DbErrorKind, Tx};
use strongroom_tlog::{Checkpoint, Frontier};
use strongroom_types::{Code, Refusal, UnixMs};
use strongroom_wire::{JournalBatch, decode, encode};

/// A replica in a database.
///
/// Every call works in the caller's transaction, so that one commit holds a batch and what its
/// service does about it. The call, not the commit, changes memory: whenever a transaction is not
/// committed, [`Self::reload`] must come before anything else is asked. (If a caller forgets it,
/// the next write is refused as [`ReplicaError::Stale`].) A stage calls it from its own `reload`.
#[derive(Debug)]
pub struct Replica {
    follower: Follower,
    pub(crate) stored: WitnessMemory,
}

impl Replica {
    /// Makes the tables and loads the replica.
    ///
    /// # Errors
    /// As [`Self::load`].
    pub fn open(db: &dyn Db, genesis: Arc<Genesis>) -> Result<Self, ReplicaError> {
        db.migrate(sql::MIGRATIONS)?;
        let mut tx = db.begin()?;
        let replica = Self::load(tx.as_mut(), genesis)?;
        tx.commit()?;
        Ok(replica)
    }

    /// Loads the replica from its tables. The state's root is computed again and compared with the
    /// checkpoint that the log signed, so that a row that was edited by hand is noticed.
    ///
    /// # Errors
    /// `genesis_mismatch` when the tables are another installation's; `store_corrupt` when they
    /// contradict themselves, what the log signed or what this witness cosigned.
    pub fn load(tx: &mut dyn Tx, genesis: Arc<Genesis>) -> Result<Self, ReplicaError> {
        let hash = genesis.hash();
        let stored = memory::load(tx)?;
        let Some(meta) = tx.query_opt(sql::META, &[])? else {
            tx.execute(
                sql::NEW_META,
                &[(&hash.0).into(), (&encode(&Frontier::new())).into()],
            )?;
            memory::check_line(&stored, tx, 0)?;
            return Ok(Self {
                follower: Follower::new(genesis)?,
                stored,
            });
        };

        // A folder that was copied from another installation would bring in that installation's
        // people and keys.
        if meta.blob(0)? != hash.0 {
            return Err(Refusal::from(Code::GenesisMismatch).into());
        }

        let frontier: Frontier =
            decode(meta.blob(2)?).map_err(|e| corrupt(&format!("frontier: {e}")))?;
        if meta.u64(1)? != frontier.size() {
            return Err(corrupt("size and frontier differ").into());
        }

        let map = state_map(tx)?;
        let follower = Follower::restore(genesis, map, frontier, meta.text_opt(3)?)?;

        // A signer reads entries back when it judges a share. A log whose last entry is missing was
        // truncated by hand.
        let last = follower.size().checked_sub(1);
        if last
            .map(|last| read_entry(tx, last))
            .transpose()?
            .is_some_and(|entry| entry.is_none())
        {
            return Err(corrupt("the last entry is missing").into());
        }

        memory::check_line(&stored, tx, follower.size())?;
        Ok(Self { follower, stored })
    }

    /// Makes memory agree with the tables after a transaction that was not committed; cheap when
    /// they agree already. A [`Witness`](strongroom_journal::witness::Witness) made from this
    /// replica must then be made again as well.
    ///
    /// # Errors
    /// As [`Self::load`]; the reason for which the replica halted (people must resolve it; another
    /// try does not help).
    pub fn reload(&mut self, tx: &mut dyn Tx) -> Result<(), ReplicaError> {
        // Loading again must not bring a halted replica back, because the reason is in the log.
        if let Some(halted) = self.follower.halted() {
            return Err(halted.clone().into());
        }

        if self.is_at(tx)? {
            self.stored = memory::load(tx)?;
            return Ok(());
        }
        *self = Self::load(tx, Arc::clone(self.follower.genesis()))?;
        Ok(())
    }

    /// The replica in memory.
    #[must_use]
    pub const fn follower(&self) -> &Follower {
        &self.follower
    }

    /// The replica in memory, to take in cosignatures. They are not stored: after a start the
    /// witnesses' next ones say the same.
    pub const fn follower_mut(&mut self) -> &mut Follower {
        &mut self.follower
    }

    /// Applies a batch and stores it. Returns its new entries, each of which has been opened
    /// without an error. See [`Follower::append`].
    ///
    /// # Errors
    /// What the follower refuses; database errors.
    pub fn append(
        &mut self,
        tx: &mut dyn Tx,
        batch: &JournalBatch,
    ) -> Result<Vec<SealedEntry>, ReplicaError> {
        self.append_with(tx, batch, &mut |_, _| {})
    }

    /// As [`Self::append`]; calls `watch` with each new entry and the state after it.
    ///
    /// # Errors
    /// As [`Self::append`].
    pub fn append_with(
        &mut self,
        tx: &mut dyn Tx,
        batch: &JournalBatch,
        watch: Watch<'_>,
    ) -> Result<Vec<SealedEntry>, ReplicaError> {
        let applied = self.follower.append_with(batch, watch)?;

        // The follower knows these entries already, so nothing is written. But memory forgets older
        // heads, so the stored head shows whether the log signed another tree of that size.
        if applied.is_empty() {
            self.compare_with_stored(tx, batch)?;
            return Ok(Vec::new());
        }

        self.compare_witnessed(tx, &applied)?;

        let size = self.follower.size() - applied.len() as u64;
        let stored = NewBatch {
            applied: &applied,
            note: &batch.note,
        };
        stored.insert(tx, size, self.follower.frontier())?;
        Ok(applied.into_iter().map(|(sealed, _)| sealed).collect())
    }

    /// Orders submissions and stores the new batches (on the writer's replica). See
    /// [`Orderer::order`].
    ///
    /// # Errors
    /// The reason for which the follower halted; database errors.
    pub fn order(
        &mut self,
        tx: &mut dyn Tx,
        orderer: &Orderer,
        now: UnixMs,
        offers: &[Offer],
        rng: &mut dyn CryptoRngCore,
    ) -> Result<Ordered, ReplicaError> {
        let mut frontier = self.follower.frontier().clone();
        let ordered = orderer.order(&mut self.follower, now, offers, rng)?;

        // The follower is after the last batch already, so the last batch (usually the only one) is
        // stored with the follower's tree. The trees after the earlier batches are computed again
        // from their leaves.
        let Some((last, before)) = ordered.batches.split_last() else {
            return Ok(ordered);
        };
        for batch in before {
            let size = frontier.size();
            for (sealed, _) in &batch.applied {
                frontier.append(sealed.leaf_hash(&sealed.open()?));
            }
            NewBatch::of(batch).insert(tx, size, &frontier)?;
        }
        NewBatch::of(last).insert(tx, frontier.size(), self.follower.frontier())?;
        Ok(ordered)
    }

    /// Whether the tables hold the tip that is in memory.
    pub(crate) fn is_at(&self, tx: &mut dyn Tx) -> Result<bool, ReplicaError> {
        let Some(meta) = tx.query_opt(sql::META, &[])? else {
            return Ok(false);
        };
        let tip = self.follower.tip();
        Ok(meta.text_opt(3)?.and_then(note_body).as_deref()
            == (tip.size > 0).then_some(tip.body.as_str()))
    }

    /// Compares the checkpoints of `witnessed` entries with the stored heads, because memory keeps
    /// the newest heads only.
    fn compare_witnessed(
        &mut self,
        tx: &mut dyn Tx,
        applied: &[(SealedEntry, Delta)],
    ) -> Result<(), ReplicaError> {
        // A `witnessed` entry always changes the list of what waits, so an entry that leaves the
        // list unchanged need not be opened again.
        let waiting = keyspace::waiting();
        for (sealed, delta) in applied {
            if !delta.changes.contains_key(&waiting) {
                continue;
            }
            let Body::Witnessed(witnessed) = sealed.open()?.body else {
                continue;
            };
            let Some(size) = checkpoint_size(&witnessed.checkpoint) else {
                continue;
            };

            // Two bodies of one size under a quorum: more than f witnesses are hostile, or the
            // tables are another journal's.
            if let Some(ours) = head_body(tx, size)?.filter(|ours| *ours != witnessed.checkpoint) {
                return Err(self.follower.witnessed_elsewhere(&ours, &witnessed).into());
            }
        }
        Ok(())
    }

    /// Compares the checkpoint of a batch that the follower skipped as known with the stored one.
    fn compare_with_stored(
        &mut self,
        tx: &mut dyn Tx,
        batch: &JournalBatch,
    ) -> Result<(), ReplicaError> {
        let size = batch.first_seq + batch.entries.len() as u64;
        let Some(ours) = head_body(tx, size)? else {
            return Ok(());
        };
        let is_other = note_body(&batch.note).is_some_and(|theirs| theirs != ours);
        if guard(G::OneTreePerSize, is_other) {
            return Err(self.follower.split_view(ours, &batch.note).into());
        }

        // Without the rule, what the log signed last is the tree.
        #[cfg(mutants)]
        if is_other && size == self.follower.size() {
            let note = batch.note.as_str();
            tx.execute(sql::OTHER_TIP, &[note.into()])?;
            tx.execute(sql::OTHER_HEAD, &[note.into(), Arg::u64(size)?])?;
        }
        Ok(())
    }
}

fn checkpoint_size(body: &str) -> Option<u64> {
    Checkpoint::parse(body)
        .ok()
        .map(|checkpoint| checkpoint.size())
}

/// Reading what was stored.
impl Replica {
    /// The entry at a position, e.g. an authorization with its texts and signatures. A caller that
    /// relies on a text must compare its digest with the one in the state: the state root does not
    /// cover this row.
    ///
    /// # Errors
    /// `store_corrupt` when the row does not decode or is another entry.
    pub fn entry(&self, tx: &mut dyn Tx, seq: u64) -> Result<Option<Entry>, ReplicaError> {
        read_entry(tx, seq)
    }

    /// Number of stored entries; 0 before entry 0. Needs no replica in memory.
    ///
    /// # Errors
    /// Database errors.
    pub fn stored_size(tx: &mut dyn Tx) -> Result<u64, ReplicaError> {
        let row = tx.query_opt(sql::META, &[])?;
        Ok(row.map(|row| row.u64(1)).transpose()?.unwrap_or(0))
    }

    /// Head and last batch of the tables; `None` before entry 0. Needs no replica in memory.
    ///
    /// # Errors
    /// As [`Self::batch_after`].
    pub fn stored_tip(tx: &mut dyn Tx) -> Result<Option<StoredTip>, ReplicaError> {
        let size = Self::stored_size(tx)?;
        let before = tx.query_opt(sql::HEAD_BEFORE, &[Arg::u64(size)?])?;
        let before = before.map(|row| row.u64(0)).transpose()?;
        let Some(batch) = Self::batch_after(tx, before.unwrap_or(0))? else {
            return Ok(None);
        };
        let body = note_body(&batch.note).ok_or_else(|| corrupt("a checkpoint is not a note"))?;
        Ok(Some(StoredTip { size, batch, body }))
    }

    /// The head that was stored at this size; `None` when no batch ended there. Needs no replica in
    /// memory.
    ///
    /// # Errors
    /// Database errors.
    pub fn stored_head(tx: &mut dyn Tx, size: u64) -> Result<Option<StoredHead>, ReplicaError> {
        let Some(row) = tx.query_opt(sql::HEAD, &[Arg::u64(size)?])? else {
            return Ok(None);
        };
        let note = row.text(0)?.to_owned();
        let body = head_body(tx, size)?;
        Ok(body.map(|body| StoredHead { note, body }))
    }

    /// The first stored batch that ends after `size` entries, exactly as it was published.
    ///
    /// # Errors
    /// Database errors; `store_corrupt` when entries are missing.
    pub fn batch_after(tx: &mut dyn Tx, size: u64) -> Result<Option<JournalBatch>, ReplicaError> {
        let Some(head) = tx.query_opt(sql::NEXT_HEAD, &[Arg::u64(size)?])? else {
            return Ok(None);
        };
        let (end, note) = (head.u64(0)?, head.text(1)?.to_owned());

        // Every replica would refuse a batch with a hole. This error names the missing entries.
        let rows = tx.query(sql::ENTRIES, &[Arg::u64(size)?, Arg::u64(end)?])?;
        let entries = rows
            .iter()
            .map(|row| row.blob(0).map(<[u8]>::to_vec))
            .collect::<Result<Vec<_>, _>>()?;
        if entries.len() as u64 != end - size {
            return Err(corrupt(&format!("entries between {size} and {end} are missing")).into());
        }
        Ok(Some(JournalBatch {
            first_seq: size,
            entries,
            note,
        }))
    }
}

/// Head of a stored journal, with the batch that ends there.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StoredTip {
    /// Number of entries up to this head.
    pub size: u64,
    /// The last batch, exactly as it was published.
    pub batch: JournalBatch,
    /// Checkpoint body (C2SP tlog-checkpoint) after that batch.
    pub body: String,
}

/// A stored head: the checkpoint after one batch.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StoredHead {
    /// The checkpoint as a signed note, as the log signed it.
    pub note: String,
    /// The body of that note.
    pub body: String,
}

impl From<ReplicaError> for Refusal {
    /// For callers that only forward a code: a full disk has its own code, every other failure is
    /// `internal`.
    fn from(error: ReplicaError) -> Self {
        match error {
            ReplicaError::Refused(refusal) => refusal,
            ReplicaError::Db(db) if db.kind() == DbErrorKind::Full => Code::DiskFull.into(),
            ReplicaError::Db(_)
            | ReplicaError::Stale
            | ReplicaError::Marker(_)
            | ReplicaError::Bus(_) => Refusal::new(Code::NotReady, error),
        }
    }
}
