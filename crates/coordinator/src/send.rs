//! Records out.

use crate::quorum::SignerIndex;
use crate::run::{Run, RunEvent, RunName};
use crate::stage::{CoordinatorStage, Records};
use strongroom_journal::Body;
use strongroom_ports::bus::Record;
use strongroom_stage::StageError;
use strongroom_stage::post::{Cause, first_half};
use strongroom_types::{Digest, TenantId, UnixMs};
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
    pub(crate) fn finish(
        &mut self,
        now: UnixMs,
        name: RunName,
        event: RunEvent,
        outcome: Outcome,
    ) -> Records {
        let Some(mut run) = self.runs.remove(&name) else {
            return Ok(Vec::new());
        };
        let covered_us = run.asked().map_or(0, |asked| asked.covered_us);
        run.apply(event)?;
        self.publish_finished(now, &run, outcome, covered_us)
    }

    /// The outcome of a run. `covered_us` is when a signer's head covered the attempt, for the
    /// timeline.
    fn publish_finished(
        &mut self,
        now: UnixMs,
        run: &Run,
        outcome: Outcome,
        covered_us: u64,
    ) -> Records {
        let marks = run
            .cause
            .marks
            .clone()
            .with(Layer::Journal, covered_us)
            .with(Layer::Mpc, micros(now));
        let cause = Cause {
            marks,
            ..run.cause.clone()
        };
        let (attempt, vault) = (&run.request.attempt, run.request.vault);
        let finished = SigningFinished {
            intent: attempt.intent,
            attempt: attempt.number,
            vault,
            outcome,
        };
        let to = (topics::SIGNING_FINISHED, vault.0.as_slice());
        Ok(vec![self.post.record(now, to, None, &finished, &cause)?])
    }

    /// The end of a ceremony, offered to the journal.
    pub(crate) fn publish_ceremony_end(
        &mut self,
        now: UnixMs,
        tenant: TenantId,
        transcript: Digest,
        body: &Body,
    ) -> Records {
        let submitted = JournalSubmitted {
            submission: first_half(transcript),
            body: encode(body),
        };
        let seed: [&[u8]; 3] = [b"finished", &transcript.0, &now.0.to_be_bytes()];
        let cause = Cause::own(&seed, now.plus(self.pace.run_ms));
        let to = (topics::JOURNAL_SUBMITTED, tenant.0.as_slice());
        Ok(vec![self.post.record(now, to, None, &submitted, &cause)?])
    }
}

/// Unix microseconds, as the timeline counts.
pub(crate) const fn micros(at: UnixMs) -> u64 {
    at.0.saturating_mul(1_000)
}
