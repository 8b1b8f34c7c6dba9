//! The follower and its tables.

use crate::error::ReplicaError;
use crate::schema as sql;
use crate::witness::{self, Stored};
use rand_core::CryptoRngCore;
use std::collections::BTreeMap;
use std::sync::Arc;
use strongroom_journal::follower::Follower;
use strongroom_journal::state::Delta;
use strongroom_journal::writer::{Ordered, Orderer};
use strongroom_journal::{Body, Entry, Genesis, SealedEntry};
use strongroom_ports::db::{Arg, Db, DbErrorKind, Tx};
use strongroom_tlog::{Checkpoint, Frontier, Note};
use strongroom_types::{Code, Refusal, UnixMs};
use strongroom_wire::{JournalBatch, decode, encode};

/// A replica in a database.
///
/// Every call works in the caller's transaction, so that a batch and what its service does about it
/// are one commit. Memory moves with the call, not with the commit: whenever a transaction is not
/// committed, [`Self::reload`] must come before anything else is asked. (Should that be forgotten,
/// the next write is refused as [`ReplicaError::Stale`].) A stage calls it from its own `reload`.
#[derive(Debug)]
pub struct Replica {
    follower: Follower,
    pub(crate) stored: Stored,
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

    /// Loads the replica from its tables. The state's root is computed anew and compared with the
    /// checkpoint that the log signed, so a row edited by hand is noticed.
    ///
    /// # Errors
    /// `genesis_mismatch` when the tables are another installation's; `store_corrupt` when they
    /// contradict themselves, what the log signed or what this witness cosigned.
    pub fn load(tx: &mut dyn Tx, genesis: Arc<Genesis>) -> Result<Self, ReplicaError> {
        let hash = genesis.hash();
        let stored = witness::load(tx)?;
        let Some(meta) = tx.query_opt(sql::META, &[])? else {
            tx.execute(
                sql::NEW_META,
                &[(&hash.0).into(), (&encode(&Frontier::new())).into()],
            )?;
            stored.check_line(tx, 0)?;
            return Ok(Self {
                follower: Follower::new(genesis)?,
                stored,
            });
        };
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
        let last = follower.size().checked_sub(1);
        if last
            .map(|last| read_entry(tx, last))
            .transpose()?
            .is_some_and(|entry| entry.is_none())
        {
            return Err(corrupt("the last entry is missing").into());
        }
        stored.check_line(tx, follower.size())?;
        Ok(Self { follower, stored })
    }

    /// Gives memory the tables' truth back after a transaction that was not committed; cheap when
    /// nothing differs. A [`Witness`](strongroom_journal::witness::Witness) made from this replica
    /// must be made again, too.
    ///
    /// # Errors
    /// As [`Self::load`]; whatever stopped the replica (that needs people, not another try).
    pub fn reload(&mut self, tx: &mut dyn Tx) -> Result<(), ReplicaError> {
        if let Some(halted) = self.follower.halted() {
            return Err(halted.clone().into());
        }
        if self.is_at(tx)? {
            self.stored = witness::load(tx)?;
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

    /// The replica in memory, to take in cosignatures (they are not stored: after a start the
    /// witnesses' next ones tell the same).
    pub const fn follower_mut(&mut self) -> &mut Follower {
        &mut self.follower
    }

    /// Applies a batch and stores it; gives its new entries, which open. See [`Follower::append`].
    ///
    /// # Errors
    /// What the follower refuses; database errors.
    pub fn append(
        &mut self,
        tx: &mut dyn Tx,
        batch: &JournalBatch,
    ) -> Result<Vec<SealedEntry>, ReplicaError> {
        let applied = self.follower.append(batch)?;
        if applied.is_empty() {
            self.compare_with_stored(tx, batch)?;
            return Ok(Vec::new());
        }
        let size = self.follower.size() - applied.len() as u64;
        write_batch(tx, &applied, &batch.note, self.follower.frontier(), size)?;
        Ok(applied.into_iter().map(|(sealed, _)| sealed).collect())
    }

    /// Orders submissions and stores the new batches (the writer's own replica). See
    /// [`Orderer::order`].
    ///
    /// # Errors
    /// Whatever stopped the follower; database errors.
    pub fn order(
        &mut self,
        tx: &mut dyn Tx,
        orderer: &Orderer,
        now: UnixMs,
        bodies: &[Body],
        rng: &mut dyn CryptoRngCore,
    ) -> Result<Ordered, ReplicaError> {
        let (mut size, mut frontier) = (self.follower.size(), self.follower.frontier().clone());
        let ordered = orderer.order(&mut self.follower, now, bodies, rng)?;
        if let Some((last, before)) = ordered.batches.split_last() {
            for batch in before {
                store_batch(
                    tx,
                    &batch.applied,
                    &batch.batch.note,
                    &mut frontier,
                    &mut size,
                )?;
            }
            write_batch(
                tx,
                &last.applied,
                &last.batch.note,
                self.follower.frontier(),
                size,
            )?;
        }
        Ok(ordered)
    }

    /// Whether the tables stand at the tip in memory.
    pub(crate) fn is_at(&self, tx: &mut dyn Tx) -> Result<bool, ReplicaError> {
        let Some(meta) = tx.query_opt(sql::META, &[])? else {
            return Ok(false);
        };
        let tip = self.follower.tip();
        Ok(meta.text_opt(3)?.and_then(note_body).as_deref()
            == (tip.size > 0).then_some(tip.body.as_str()))
    }

    /// A batch that the follower skipped as known: its checkpoint must be the stored one.
    fn compare_with_stored(
        &mut self,
        tx: &mut dyn Tx,
        batch: &JournalBatch,
    ) -> Result<(), ReplicaError> {
        let size = batch.first_seq + batch.entries.len() as u64;
        let Some(ours) = head_body(tx, size)? else {
            return Ok(());
        };
        if note_body(&batch.note).is_some_and(|theirs| theirs != ours) {
            return Err(self.follower.split_view(ours, &batch.note).into());
        }
        Ok(())
    }
}

/// Reading what was stored.
impl Replica {
    /// The entry at a position, e.g. an authorization with its texts and signatures. Whoever relies
    /// on a text compares its digest with the one that the state holds: the root covers the state,
    /// not this row.
    ///
    /// # Errors
    /// `store_corrupt` when the row does not decode or is another entry.
    pub fn entry(&self, tx: &mut dyn Tx, seq: u64) -> Result<Option<Entry>, ReplicaError> {
        read_entry(tx, seq)
    }

    /// Number of entries stored; 0 before the first start. Needs no replica in memory.
    ///
    /// # Errors
    /// Database errors.
    pub fn stored_size(tx: &mut dyn Tx) -> Result<u64, ReplicaError> {
        let row = tx.query_opt(sql::META, &[])?;
        Ok(row.map(|row| row.u64(1)).transpose()?.unwrap_or(0))
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

pub(crate) fn corrupt(detail: &str) -> Refusal {
    Refusal::new(Code::StoreCorrupt, detail)
}

/// The body of a note, not verified: for comparing with a note that was.
fn note_body(note: &str) -> Option<String> {
    Note::parse(note).ok().map(|note| note.body().to_owned())
}

/// The checkpoint body that was followed at this size, if a batch ended there.
pub(crate) fn head_body(tx: &mut dyn Tx, size: u64) -> Result<Option<String>, ReplicaError> {
    let row = tx.query_opt(sql::HEAD, &[Arg::u64(size)?])?;
    let body = row
        .map(|row| row.text(0).map(note_body))
        .transpose()?
        .flatten();
    Ok(body.filter(|body| Checkpoint::parse(body).is_ok_and(|head| head.size() == size)))
}

fn read_entry(tx: &mut dyn Tx, seq: u64) -> Result<Option<Entry>, ReplicaError> {
    let Some(row) = tx.query_opt(sql::ENTRY, &[Arg::u64(seq)?])? else {
        return Ok(None);
    };
    let sealed: SealedEntry =
        decode(row.blob(0)?).map_err(|e| corrupt(&format!("entry {seq}: {e}")))?;
    let entry = sealed
        .open()
        .map_err(|e| corrupt(&format!("entry {seq}: {e}")))?;
    if entry.seq == seq {
        Ok(Some(entry))
    } else {
        Err(corrupt(&format!("entry {seq} is another one")).into())
    }
}

fn state_map(tx: &mut dyn Tx) -> Result<BTreeMap<Vec<u8>, Vec<u8>>, ReplicaError> {
    let rows = tx.query(sql::STATE, &[])?;
    let pair = |row: &strongroom_ports::db::Row| Ok((row.blob(0)?.to_vec(), row.blob(1)?.to_vec()));
    rows.iter().map(pair).collect()
}

/// Writes one of several batches: the tree after it is recomputed from its leaves.
fn store_batch(
    tx: &mut dyn Tx,
    applied: &[(SealedEntry, Delta)],
    note: &str,
    frontier: &mut Frontier,
    size: &mut u64,
) -> Result<(), ReplicaError> {
    for (sealed, _) in applied {
        frontier.append(sealed.leaf_hash(&sealed.open()?));
    }
    write_batch(tx, applied, note, frontier, *size)?;
    *size = frontier.size();
    Ok(())
}

/// Entries, state, checkpoint and position of one batch on top of `size` entries.
fn write_batch(
    tx: &mut dyn Tx,
    applied: &[(SealedEntry, Delta)],
    note: &str,
    frontier: &Frontier,
    size: u64,
) -> Result<(), ReplicaError> {
    let edge = encode(frontier);
    let position = [
        Arg::u64(frontier.size())?,
        (&edge).into(),
        note.into(),
        Arg::u64(size)?,
    ];
    if tx.execute(sql::ADVANCE, &position)? != 1 {
        return Err(ReplicaError::Stale);
    }
    let sealed: Vec<Vec<u8>> = applied.iter().map(|(sealed, _)| encode(sealed)).collect();
    let mut rows = Vec::with_capacity(sealed.len() * 2);
    for (seq, sealed) in (size..).zip(&sealed) {
        rows.extend([Arg::u64(seq)?, sealed.into()]);
    }
    tx.bulk(&sql::PUT_ENTRIES, &rows)?;
    tx.execute(sql::PUT_HEAD, &[Arg::u64(frontier.size())?, note.into()])?;
    write_state(tx, applied)
}

fn write_state(tx: &mut dyn Tx, applied: &[(SealedEntry, Delta)]) -> Result<(), ReplicaError> {
    let changes: BTreeMap<_, _> = applied
        .iter()
        .flat_map(|(_, delta)| &delta.changes)
        .collect();
    let mut puts = Vec::with_capacity(changes.len() * 2);
    for (key, value) in changes {
        match value {
            Some(value) => puts.extend([Arg::from(key), Arg::from(value)]),
            None => {
                tx.execute(sql::DROP_STATE, &[key.into()])?;
            }
        }
    }
    tx.bulk(&sql::PUT_STATE, &puts)?;
    Ok(())
}

impl From<ReplicaError> for Refusal {
    /// For callers that only pass a code on: a full disk is one, any other failure is internal.
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
