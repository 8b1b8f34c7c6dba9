//! The replica's rows: entries, heads and the state's map, read and written in the caller's
//! transaction.

use crate::error::ReplicaError;
use crate::schema as sql;
use std::collections::BTreeMap;
use strongroom_guard::{G, guard};
use strongroom_journal::state::Delta;
use strongroom_journal::writer::OrderedBatch;
use strongroom_journal::{Entry, SealedEntry};
use strongroom_ports::db::{Arg, Row, Tx};
use strongroom_tlog::{Checkpoint, Frontier, Note};
use strongroom_types::{Code, Refusal};
use strongroom_wire::{decode, encode};

pub(crate) fn corrupt(detail: &str) -> Refusal {
    Refusal::new(Code::StoreCorrupt, detail)
}

/// Body of a note whose signatures are not verified here; to be compared with a note that was
/// verified.
pub(crate) fn note_body(note: &str) -> Option<String> {
    Note::parse(note).ok().map(|note| note.body().to_owned())
}

/// Checkpoint body that was followed at this size, if a batch ended there.
pub(crate) fn head_body(tx: &mut dyn Tx, size: u64) -> Result<Option<String>, ReplicaError> {
    let row = tx.query_opt(sql::HEAD, &[Arg::u64(size)?])?;
    let body = row
        .map(|row| row.text(0).map(note_body))
        .transpose()?
        .flatten();

    // No signature covers the row's key, so the size is read from the signed body.
    Ok(body.filter(|body| Checkpoint::parse(body).is_ok_and(|head| head.size() == size)))
}

/// Entry at a position, if it is stored.
pub(crate) fn read_entry(tx: &mut dyn Tx, seq: u64) -> Result<Option<Entry>, ReplicaError> {
    let Some(row) = tx.query_opt(sql::ENTRY, &[Arg::u64(seq)?])? else {
        return Ok(None);
    };
    let sealed: SealedEntry =
        decode(row.blob(0)?).map_err(|e| corrupt(&format!("entry {seq}: {e}")))?;
    let entry = sealed
        .open()
        .map_err(|e| corrupt(&format!("entry {seq}: {e}")))?;

    // The entry's own position is compared, so that rows that were swapped by hand are noticed.
    if guard(G::ReadBack, entry.seq != seq) {
        Err(corrupt(&format!("entry {seq} is another one")).into())
    } else {
        Ok(Some(entry))
    }
}

/// The whole stored map of the state.
pub(crate) fn state_map(tx: &mut dyn Tx) -> Result<BTreeMap<Vec<u8>, Vec<u8>>, ReplicaError> {
    let rows = tx.query(sql::STATE, &[])?;
    let pair = |row: &Row| Ok((row.blob(0)?.to_vec(), row.blob(1)?.to_vec()));
    rows.iter().map(pair).collect()
}

/// One batch to store on top of the entries before it.
pub(crate) struct NewBatch<'a> {
    pub(crate) applied: &'a [(SealedEntry, Delta)],
    /// Signed checkpoint after the last entry.
    pub(crate) note: &'a str,
}

impl<'a> NewBatch<'a> {
    /// The rows of a batch that this replica ordered itself.
    pub(crate) fn of(ordered: &'a OrderedBatch) -> Self {
        Self {
            applied: &ordered.applied,
            note: &ordered.batch.note,
        }
    }

    /// Writes entries, state, checkpoint and size of a batch that follows `size` entries; `after`
    /// is the tree's right edge after the batch.
    pub(crate) fn insert(
        &self,
        tx: &mut dyn Tx,
        size: u64,
        after: &Frontier,
    ) -> Result<(), ReplicaError> {
        // The write is a compare-and-set: a second process on this database, or memory that is
        // ahead of a lost transaction, must not write a second history over the first.
        let edge = encode(after);
        let position = [
            Arg::u64(after.size())?,
            (&edge).into(),
            self.note.into(),
            Arg::u64(size)?,
        ];
        if tx.execute(sql::ADVANCE, &position)? != 1 {
            return Err(ReplicaError::Stale);
        }

        let sealed: Vec<Vec<u8>> = self
            .applied
            .iter()
            .map(|(sealed, _)| encode(sealed))
            .collect();
        let mut rows = Vec::with_capacity(sealed.len() * 2);
        for (seq, sealed) in (size..).zip(&sealed) {
            rows.extend([Arg::u64(seq)?, sealed.into()]);
        }
        tx.bulk(&sql::PUT_ENTRIES, &rows)?;
        let head = [Arg::u64(after.size())?, self.note.into()];
        tx.execute(sql::PUT_HEAD, &head)?;
        self.write_state(tx)
    }

    fn write_state(&self, tx: &mut dyn Tx) -> Result<(), ReplicaError> {
        // Only the last value of each key is written: most entries of a batch change the same
        // counters.
        let changes: BTreeMap<_, _> = self
            .applied
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
}
