//! The witness's memory on disk: stored before its signature exists.

use crate::error::ReplicaError;
use crate::replica::Replica;
use crate::rows::{corrupt, head_body};
use crate::schema as sql;
use std::collections::BTreeSet;
use strongroom_journal::witness::{Cosigned, HandedAct, Witness, WitnessMemory};
use strongroom_ports::db::{Arg, Tx};
use strongroom_types::{Code, Digest, NodeId, Refusal, Signed, UnixMs};
use strongroom_wire::{WitnessCosignature, decode, encode};

pub(crate) fn load(tx: &mut dyn Tx) -> Result<WitnessMemory, ReplicaError> {
    let Some((cosigned, retired)) = cosigned(tx)? else {
        tx.execute(sql::NEW_WITNESS, &[false.into()])?;
        return Ok(WitnessMemory::default());
    };
    let mut handed = Vec::new();
    for act in tx.query(sql::HANDED, &[])? {
        let signed = decode(act.blob(1)?).map_err(|e| corrupt(&format!("handed act: {e}")))?;
        handed.push(HandedAct {
            digest: Digest(act.array(0)?),
            signed,
            since: UnixMs(act.u64(2)?),
        });
    }
    Ok(WitnessMemory {
        cosigned,
        retired,
        handed,
    })
}

/// Newest cosigned head, and whether the key is retired; `None` before the row exists.
fn cosigned(tx: &mut dyn Tx) -> Result<Option<(Option<Cosigned>, bool)>, ReplicaError> {
    let Some(row) = tx.query_opt(sql::WITNESS, &[])? else {
        return Ok(None);
    };
    let cosigned = Cosigned {
        size: row.u64(0)?,
        body: row.text(1)?.to_owned(),
        time_s: row.u64(2)?,
    };
    Ok(Some((Some(cosigned).filter(|c| c.size > 0), row.bool(3)?)))
}

/// The newest cosigned head must be a head of the stored log of `size` entries: a log that was put
/// back behind it would let this witness cosign a second history.
pub(crate) fn check_line(
    memory: &WitnessMemory,
    tx: &mut dyn Tx,
    size: u64,
) -> Result<(), ReplicaError> {
    let Some(cosigned) = &memory.cosigned else {
        return Ok(());
    };

    if cosigned.size > size || head_body(tx, cosigned.size)?.as_ref() != Some(&cosigned.body) {
        return Err(corrupt("what was cosigned last is not in the stored log").into());
    }
    Ok(())
}

impl Replica {
    /// The witness as it was stored. Make it again after every [`Replica::reload`].
    ///
    /// # Errors
    /// `invalid_reference` when genesis has no such witness with this key.
    pub fn witness(&self, node: NodeId, seed: &[u8; 32]) -> Result<Witness, Refusal> {
        Witness::new(self.follower(), node, seed, self.stored.clone())
    }

    /// Whether the witness key never cosigns again.
    #[must_use]
    pub const fn is_retired(&self) -> bool {
        self.stored.retired
    }

    /// Cosigns the tip in this transaction: what is cosigned is stored (compare-and-set on size and
    /// body) before the signature is made. The cosignature must leave this process only after the
    /// transaction is committed: as a record of a stage's outbox, or after `commit` returned.
    ///
    /// # Errors
    /// What [`Witness::cosign`] refuses, the reason of a halt first; [`ReplicaError::Stale`] when the tables do not hold what
    /// memory relies on, or something else was cosigned in between.
    pub fn cosign(
        &mut self,
        tx: &mut dyn Tx,
        witness: &mut Witness,
        now: UnixMs,
    ) -> Result<WitnessCosignature, ReplicaError> {
        // A batch that contradicts the tables stops the replica with memory ahead of them: that is the
        // log's fault, to be shown with its evidence, and not a store that is corrupt.
        if let Some(halted) = self.follower().halted() {
            return Err(halted.clone().into());
        }

        // Memory may be ahead of the tables after a transaction that was lost; then nothing is
        // signed upon it, not even the same head again.
        let (here, retired) = cosigned(tx)?.unwrap_or_default();
        if retired {
            return Err(Refusal::from(Code::SignerRetired).into());
        }

        let same = here.as_ref().map(|c| &c.body) == witness.last().map(|c| &c.body);
        if !same || !self.is_at(tx)? {
            return Err(ReplicaError::Stale);
        }

        let signed = witness.cosign(self.follower(), now, |old, new| {
            compare_and_set(tx, old, new)
        });
        self.drop_ended(tx, witness)?;
        let signed = signed?;
        self.stored.cosigned = witness.last().cloned();
        Ok(signed)
    }

    /// Takes a tightening that was handed over; it is stored before it is acknowledged (by the
    /// commit).
    ///
    /// # Errors
    /// As [`Witness::hand`].
    pub fn hand(
        &mut self,
        tx: &mut dyn Tx,
        witness: &mut Witness,
        signed: &Signed,
        now: UnixMs,
    ) -> Result<(), ReplicaError> {
        if let Some(act) = witness.hand(self.follower(), signed, now)? {
            let signed = encode(&act.signed);
            let row = [
                (&act.digest.0).into(),
                (&signed).into(),
                Arg::u64(act.since.0)?,
            ];
            tx.execute(sql::PUT_HANDED, &row)?;
            self.stored.handed.push(act);
        }
        self.drop_ended(tx, witness)
    }

    /// Looks at a cosignature under this witness's own name; one beyond its memory retires the key,
    /// stored. See [`Witness::on_own_cosignature`].
    ///
    /// # Errors
    /// Database errors.
    pub fn on_own_cosignature(
        &mut self,
        tx: &mut dyn Tx,
        witness: &mut Witness,
        cosignature: &WitnessCosignature,
    ) -> Result<(), ReplicaError> {
        if witness.on_own_cosignature(cosignature) {
            tracing::error!(node = %witness.node(), "a cosignature of this key is newer than this disk: the witness key is retired");
            tx.execute(sql::RETIRE, &[true.into()])?;
            self.stored.retired = true;
        }
        Ok(())
    }

    /// Forgets handed acts whose duty has ended.
    fn drop_ended(&mut self, tx: &mut dyn Tx, witness: &Witness) -> Result<(), ReplicaError> {
        let open: BTreeSet<Digest> = witness.handed().map(|act| act.digest).collect();
        for ended in self
            .stored
            .handed
            .iter()
            .filter(|act| !open.contains(&act.digest))
        {
            tx.execute(sql::DROP_HANDED, &[(&ended.digest.0).into()])?;
        }
        self.stored.handed.retain(|act| open.contains(&act.digest));
        Ok(())
    }
}

fn compare_and_set(
    tx: &mut dyn Tx,
    old: Option<&Cosigned>,
    new: &Cosigned,
) -> Result<(), ReplicaError> {
    // Two processes on one database would otherwise both cosign, each unaware of the other's head.
    let (old_size, old_body) = old.map_or((0, ""), |old| (old.size, old.body.as_str()));
    let row = [
        Arg::u64(new.size)?,
        (&new.body).into(),
        Arg::u64(new.time_s)?,
        Arg::u64(old_size)?,
        old_body.into(),
        false.into(),
    ];

    if tx.execute(sql::COSIGN, &row)? == 1 {
        Ok(())
    } else {
        Err(ReplicaError::Stale)
    }
}
