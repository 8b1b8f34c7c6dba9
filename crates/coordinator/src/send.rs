//! Records that the coordinator sends.

use crate::quorum::SignerIndex;
use crate::run::{Run, RunEvent, RunName};
use crate::stage::{CoordinatorStage, Records};
use strongroom_journal::entry::{Body, Finished};
use strongroom_ports::bus::Record;
use strongroom_stage::StageError;
use strongroom_stage::post::{Cause, id_from};
use strongroom_types::{Scope, TenantId, UnixMs};
use strongroom_wire::{
    CoordinatorMessage, JournalSubmitted, Layer, Outcome, SigningFinished, encode, topics,
};

impl CoordinatorStage {
    /// One message to one signer's inbox.
    pub(crate) fn send(
        &mut self,
        now: UnixMs,
        signer: SignerIndex,
        message: &CoordinatorMessage,
        cause: &Cause,
    ) -> Result<Record, StageError> {
        let node = self
            .genesis
            .signer(signer.0)
            .map(|seat| seat.node)
            .ok_or_else(|| StageError::fatal("unknown signer"))?;

        // The envelope names the receiver too: an inbox is a topic, and topics can be written to by
        // others.
        let to = topics::signer_inbox(node);
        self.post
            .record(now, (&to, &cause.session), Some(node), message, cause)
    }

    /// The same message to several signers.
    pub(crate) fn send_all(
        &mut self,
        now: UnixMs,
        signers: &[SignerIndex],
        message: &CoordinatorMessage,
        cause: &Cause,
    ) -> Records {
        signers
            .iter()
            .map(|signer| self.send(now, *signer, message, cause))
            .collect()
    }

    /// Ends a run with its outcome.
    pub(crate) fn finish(&mut self, now: UnixMs, name: RunName, outcome: Outcome) -> Records {
        let Some(mut run) = self.runs.remove(&name) else {
            return Ok(Vec::new());
        };

        // The timeline gets the latest head of the quorum's signers: it decides nothing.
        let covered_us = run.current_try().map_or(0, |asked| asked.covered_us);
        let marks = std::mem::take(&mut run.cause.marks);
        run.cause.marks = marks
            .with(Layer::Journal, covered_us)
            .with(Layer::Mpc, now.micros());

        run.apply(match &outcome {
            Outcome::Signed(_) => RunEvent::SharesValid,
            Outcome::Failed(_) => RunEvent::RefusedByTooMany,
        })?;
        self.publish_finished(now, &run, outcome)
    }

    fn publish_finished(&mut self, now: UnixMs, run: &Run, outcome: Outcome) -> Records {
        let (attempt, vault) = (&run.request.attempt, run.request.vault);
        let finished = SigningFinished {
            intent: attempt.intent,
            attempt: attempt.number,
            vault,
            outcome,
        };

        // The record's key is the vault, so that one vault's results keep their order.
        let to = (topics::SIGNING_FINISHED, vault.0.as_slice());
        let record = self.post.record(now, to, None, &finished, &run.cause)?;
        Ok(vec![record])
    }

    /// The end of a ceremony, offered to the journal.
    pub(crate) fn publish_ceremony_end(
        &mut self,
        now: UnixMs,
        tenant: TenantId,
        finished: Finished,
    ) -> Records {
        // The submission is named by the transcript: the same result offered twice is one
        // submission.
        let transcript = finished.transcript;
        let submitted = JournalSubmitted {
            submission: id_from(transcript),
            scope: Scope::Tenant(tenant),
            body: encode(&Body::Finished(Box::new(finished))),
        };

        let seed: [&[u8]; 3] = [b"finished", &transcript.0, &now.0.to_be_bytes()];
        let cause = Cause::own(&seed, now.plus(self.pace.run_ms));
        let to = (topics::JOURNAL_SUBMITTED, tenant.0.as_slice());
        Ok(vec![self.post.record(now, to, None, &submitted, &cause)?])
    }
}
