//! The freeze after a split view: two trees of one size, both signed by the log.
//!
//! A restart must not remove it: a node that has seen both histories would otherwise follow one of
//! them again as if there were no other. People find out which history is the valid one. On a node
//! that followed it, the operator lifts the freeze by naming the evidence; the node refuses the
//! other head permanently.

use crate::error::ReplicaError;
use crate::replica::Replica;
use crate::rows::{corrupt, note_body};
use crate::schema as sql;
use strongroom_guard::{G, guard};
use strongroom_journal::follower::SplitView;
use strongroom_ports::db::{Arg, Tx};
use strongroom_types::{Code, Digest, Refusal, UnixMs, digest};

impl Replica {
    /// Stores the log's contradictions that this replica holds in memory, in the transaction of the
    /// batch that showed them. Returns the digests of those that are new.
    ///
    /// # Errors
    /// Database errors.
    pub fn freeze(&self, tx: &mut dyn Tx, now: UnixMs) -> Result<Vec<Digest>, ReplicaError> {
        let mut new = Vec::new();
        for evidence in self.follower().evidence() {
            // A witness that contradicts itself freezes nothing: it is one of the f hostile
            // witnesses that the quorum bears.
            let SplitView::Log { ours, note } = evidence else {
                continue;
            };

            let theirs = note_body(note).ok_or_else(|| corrupt("evidence is not a note"))?;
            let name = evidence_digest(ours, &theirs);
            let args = [
                (&name.0).into(),
                ours.as_str().into(),
                theirs.as_str().into(),
                note.as_str().into(),
                Arg::u64(now.0)?,
            ];

            // The same evidence is stored once, under its digest, so that an operator lifts it
            // once.
            if tx.execute(sql::PUT_FREEZE, &args)? > 0 {
                new.push(name);
            }
        }
        Ok(new)
    }

    /// Halts this replica while a freeze is in force and returns the evidence's digest. To be
    /// called after each load.
    ///
    /// # Errors
    /// Database errors.
    pub fn halt_if_frozen(&mut self, tx: &mut dyn Tx) -> Result<Option<Digest>, ReplicaError> {
        let row = tx.query_opt(sql::FROZEN, &[])?;
        let Some(row) = row.filter(|_| guard(G::DurableFreeze, true)) else {
            return Ok(None);
        };
        let evidence = Digest(row.array(0)?);
        let detail = format!("frozen since the log signed two trees of one size: {evidence}");
        self.follower_mut()
            .halt(Refusal::new(Code::Conflict, detail));
        Ok(Some(evidence))
    }

    /// Whether a note signs the losing head of a freeze that was lifted.
    ///
    /// # Errors
    /// Database errors.
    pub fn is_losing_head(tx: &mut dyn Tx, note: &str) -> Result<bool, ReplicaError> {
        let Some(body) = note_body(note) else {
            return Ok(false);
        };
        let row = tx.query_opt(sql::LOSING_HEAD, &[body.as_str().into()])?;
        Ok(row.is_some())
    }

    /// Lifts the freeze of this evidence, from the next load on. Returns `false` when no such
    /// freeze is in force.
    ///
    /// # Errors
    /// Database errors.
    pub fn unfreeze(tx: &mut dyn Tx, evidence: &Digest, now: UnixMs) -> Result<bool, ReplicaError> {
        let args = [Arg::u64(now.0)?, (&evidence.0).into()];
        Ok(tx.execute(sql::LIFT_FREEZE, &args)? > 0)
    }
}

/// Digest of both checkpoint bodies, this replica's first. An operator who types it has looked at
/// exactly this contradiction.
fn evidence_digest(ours: &str, theirs: &str) -> Digest {
    digest(
        "strongroom/split-view/v1",
        &[ours.as_bytes(), theirs.as_bytes()],
    )
}
