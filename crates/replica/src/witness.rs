//! The witness of a replica: what it cosigns or takes in is stored before it is said.

use crate::error::ReplicaError;
use crate::memory::{compare_and_set, cosigned};
use crate::replica::Replica;
use crate::rows::head_body;
use crate::schema as sql;
use std::collections::BTreeSet;
use strongroom_journal::witness::{EndedAct, Witness};
use strongroom_ports::db::{Arg, Tx};
use strongroom_types::{Code, Digest, NodeId, Refusal, Signed, UnixMs};
use strongroom_wire::{WitnessCosignature, encode};

impl Replica {
    /// The witness with its stored memory. It must be made again after every [`Replica::reload`].
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
    /// What [`Witness::cosign`] refuses, the reason of a halt first; [`ReplicaError::Stale`] when
    /// the tables do not hold what memory relies on, or something else was cosigned in between.
    pub fn cosign(
        &mut self,
        tx: &mut dyn Tx,
        witness: &mut Witness,
        now: UnixMs,
    ) -> Result<WitnessCosignature, ReplicaError> {
        // A halt is reported first. A batch that contradicts the tables halts the replica while
        // memory is ahead of them; the answer must then show the log's fault with its evidence, and
        // not blame the store.
        if let Some(halted) = self.follower().halted() {
            return Err(halted.clone().into());
        }

        // After a transaction that was not committed, memory may be ahead of the tables. Nothing is
        // signed then, not even the same head again, because the tables do not hold what it rests
        // on.
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
        self.store_ended(tx, witness)?;
        let signed = signed?;

        // Without the rule, what was cosigned is stored after the signature is made.
        #[cfg(mutants)]
        if strongroom_guard::is_off(strongroom_guard::G::PersistThenCosign)
            && let Some(last) = witness.last()
            && here.as_ref().is_none_or(|here| here.body != last.body)
        {
            compare_and_set(tx, here.as_ref(), last)?;
        }
        self.stored.cosigned = witness.last().cloned();
        Ok(signed)
    }

    /// Takes a tightening that was handed to this witness. It is stored in this transaction; the
    /// caller acknowledges it after the commit.
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
        // `hand` may notice that older duties have ended. Their ends are stored first, even if the
        // new act is refused: the entry that ended a duty is not found a second time.
        let handed = witness.hand(self.follower(), signed, now);
        self.store_ended(tx, witness)?;

        if let Some(act) = handed? {
            let signed = encode(&act.signed);
            let row = [
                (&act.digest.0).into(),
                (&signed).into(),
                Arg::u64(act.since.0)?,
            ];
            tx.execute(sql::PUT_HANDED, &row)?;
            let again = |ended: &EndedAct| ended.digest == act.digest;
            self.stored.handed_ended.retain(|ended| !again(ended));
            self.stored
                .handed
                .retain(|known| known.digest != act.digest);
            self.stored.handed.push(act);
        }
        Ok(())
    }

    /// Tries the handed tightenings on the state at the tip, and stores each duty that has ended
    /// with its end.
    ///
    /// # Errors
    /// Database errors.
    pub fn settle_handed(
        &mut self,
        tx: &mut dyn Tx,
        witness: &mut Witness,
        now: UnixMs,
    ) -> Result<(), ReplicaError> {
        witness.settle_handed(self.follower(), now);
        self.store_ended(tx, witness)
    }

    /// Compares a cosignature under this witness's name with its memory and the stored heads. One
    /// that they do not explain retires the key, and the retirement is stored. See
    /// [`Witness::on_own_cosignature`].
    ///
    /// # Errors
    /// Database errors.
    pub fn on_own_cosignature(
        &mut self,
        tx: &mut dyn Tx,
        witness: &mut Witness,
        cosignature: &WitnessCosignature,
    ) -> Result<(), ReplicaError> {
        if witness.on_own_cosignature(cosignature, |size| head_body(tx, size))? {
            tracing::error!(node = %witness.node(), "a cosignature of this key is not of this disk: the witness key is retired");
            tx.execute(sql::RETIRE, &[true.into()])?;
            self.stored.retired = true;
        }
        Ok(())
    }

    /// Stores the ends of duties that the tables still hold as open, and deletes the oldest ends.
    fn store_ended(&mut self, tx: &mut dyn Tx, witness: &Witness) -> Result<(), ReplicaError> {
        let open: BTreeSet<Digest> = witness.handed().map(|act| act.digest).collect();
        let handed = std::mem::take(&mut self.stored.handed);
        let (kept, over): (Vec<_>, Vec<_>) = handed
            .into_iter()
            .partition(|act| open.contains(&act.digest));
        self.stored.handed = kept;
        if over.is_empty() {
            return Ok(());
        }

        let ends: Vec<EndedAct> = witness.handed_ended().cloned().collect();
        let stored = std::mem::replace(&mut self.stored.handed_ended, ends.clone());
        for ended in ends.iter().filter(|ended| !stored.contains(ended)) {
            let row = [
                Arg::u64(ended.at.0)?,
                ended.code.as_str().into(),
                ended.entry.map_or(Ok(Arg::I64(None)), Arg::u64)?,
                (&ended.digest.0).into(),
            ];
            tx.execute(sql::END_HANDED, &row)?;
        }

        // The rows of ends that the witness no longer keeps (beyond `HANDED_ENDED_MAX`) are deleted
        // as well.
        let gone = over.iter().map(|act| act.digest);
        let gone = gone.chain(stored.iter().map(|ended| ended.digest));
        for digest in gone.filter(|digest| ends.iter().all(|ended| ended.digest != *digest)) {
            tx.execute(sql::DROP_HANDED, &[(&digest.0).into()])?;
        }
        Ok(())
    }
}
