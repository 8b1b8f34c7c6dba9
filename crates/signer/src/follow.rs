//! Following the journal: entries and cosignatures in, this witness's cosignatures out.

use crate::fatal::{Fatal, NotTaken};
use crate::node::SignerNode;
use std::sync::Arc;
use strongroom_journal::Body;
use strongroom_types::{Act, Code, Refusal, UnixMs};
use strongroom_wire::frame::FromSigner;
use strongroom_wire::{JournalBatch, JournalSubmitted, Role, WitnessCosignature, encode, open};

impl SignerNode {
    /// A batch of entries. The record's deadline plays no part: an entry stays true.
    pub(crate) fn on_batch(&mut self, record: &[u8], now: UnixMs) -> Result<(), Fatal> {
        let registered = Arc::clone(self.journal.follower().state().registered());
        let opened = open(record, registered.as_ref(), &[Role::Writer]);
        let batch: JournalBatch = match opened.and_then(|envelope| envelope.payload()) {
            Ok(batch) => batch,
            Err(refusal) => {
                self.ignore("batch", &refusal);
                return Ok(());
            }
        };

        // After a gap the link must send again what is missing; every other reason was dealt with
        // by the replica itself.
        let appended = self.journal.append(&batch, now)?;
        if let Err(refusal) = appended.result {
            if refusal.code == Code::NotReady {
                let size = self.journal.follower().size();
                self.gap.on_batch_ahead(size, now);
            }
            self.ignore("batch", &refusal);
        }

        // The cosignature may leave only now: it is durable since `append` returned.
        if let Some(cosignature) = appended.cosignature {
            self.publish_cosignature(&cosignature, now);
        }

        self.on_new_head(now)
    }

    /// A witness's cosignature, from that witness itself.
    pub(crate) fn on_cosignature(&mut self, record: &[u8], now: UnixMs) -> Result<(), Fatal> {
        let registered = Arc::clone(self.journal.follower().state().registered());
        let opened = open(record, registered.as_ref(), &[Role::Signer, Role::Witness]);
        let received = opened.and_then(|envelope| {
            let cosignature: WitnessCosignature = envelope.payload()?;
            Ok((envelope.from, cosignature))
        });
        let (witness, cosignature) = match received {
            Ok(received) => received,
            Err(refusal) => {
                self.ignore("cosignature", &refusal);
                return Ok(());
            }
        };

        match self.journal.take_cosignature(witness, &cosignature, now) {
            Ok(()) => {}
            Err(NotTaken::Refused(refusal)) => self.ignore("cosignature", &refusal),
            Err(NotTaken::Fatal(fatal)) => return Err(fatal),
        }

        // This cosignature may have completed a quorum, which makes the head witnessed.
        self.on_new_head(now)
    }

    /// There may be a new fresh head: key shares come into use, and what waits is judged again.
    fn on_new_head(&mut self, now: UnixMs) -> Result<(), Fatal> {
        // What the tip forbids ends a ceremony's run at once, whether it is witnessed or not.
        self.end_forbidden_runs(now);

        // Only a fresh head lets anything pass. Entries that no quorum has seen do not move it, so a
        // writer that makes thousands of them makes nothing be judged again.
        let follower = self.journal.follower();
        let Ok(head) = follower.fresh(now) else {
            return Ok(());
        };
        let size = head.size;
        if self.head_served != Some(size) {
            self.coverage.note(size, now);
            self.asked += 1;
            let view = follower.head_view(size)?;
            for name in self.keys.activate(&view, &mut *self.entropy.rng())? {
                self.ceremonies.remove(name);
            }
            self.keys.give_up(&view, follower.past(now))?;
            self.head_served = Some(size);
        }
        self.serve_held(size, now)
    }

    fn publish_cosignature(&mut self, cosignature: &WitnessCosignature, now: UnixMs) {
        let sealed = self.sealer.announce(cosignature, now);
        self.out.push(FromSigner::Cosignature(sealed));
    }

    /// Passes handed tightenings on to the writer. A hostile one may drop them: that they are owed,
    /// and forbid, does not rest on it.
    pub(crate) fn pass_on_tightenings(&mut self, now: UnixMs) -> Result<(), Fatal> {
        for handed in self.journal.take_due_handed(now) {
            let (act, digest) = handed.signed.open::<Act>().map_err(Refusal::from)?;
            let submitted = JournalSubmitted {
                submission: digest.0.first_chunk().copied().unwrap_or_default(),
                scope: act.scope,
                body: encode(&Body::Act(handed.signed)),
            };
            let sealed = self.sealer.announce(&submitted, now);
            self.out.push(FromSigner::Submission(sealed));
        }
        Ok(())
    }

    /// Cosigns again when nothing was appended for a while, so that the head stays fresh.
    pub(crate) fn cosign_quiet_journal(&mut self, now: UnixMs) -> Result<(), Fatal> {
        if let Some(cosignature) = self.journal.cosign(now)? {
            self.publish_cosignature(&cosignature, now);
            self.on_new_head(now)?;
        }
        Ok(())
    }
}
