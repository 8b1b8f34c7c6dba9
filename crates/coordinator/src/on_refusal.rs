//! A signer's refusal: one signer's word, of a signing request or of a ceremony's run.

use crate::ceremony::{CeremonyEvent, RETRY_MS};
use crate::run::{Run, RunEvent, RunName};
use crate::stage::{CoordinatorStage, Records, Step};
use strongroom_types::{Code, Cure, UnixMs};
use strongroom_wire::{Outcome, SignerRefusal};

impl CoordinatorStage {
    pub(crate) fn on_refusal(&mut self, step: Step<'_>, refusal: SignerRefusal) -> Records {
        // A refusal names what it refuses by digest. One of an earlier try, or of a request for
        // commitments, fits nothing and changes nothing.
        if let Some(name) = self.run_asked(refusal.request) {
            return self.on_run_refused(step, name, refusal);
        }
        self.on_ceremony_refused(step, &refusal)
    }

    /// A participant cannot go on with the ceremony's present run: the next one starts soon.
    fn on_ceremony_refused(&mut self, step: Step<'_>, refusal: &SignerRefusal) -> Records {
        let retry_at = step.now.plus(RETRY_MS);
        for ceremony in self.ceremonies.values_mut() {
            let is_participant = ceremony.roster.contains(&step.signer);
            if is_participant && ceremony.is_started_by(refusal.request) {
                ceremony.apply(CeremonyEvent::RunRefused { retry_at })?;
            }
        }
        Ok(Vec::new())
    }

    /// Others are asked while t of them are left.
    fn on_run_refused(&mut self, step: Step<'_>, name: RunName, refusal: SignerRefusal) -> Records {
        // A signer outside of the quorum must not end the try of those inside.
        let signer = step.signer;
        let Some(run) = self.runs.get_mut(&name).filter(|run| run.is_asked(signer)) else {
            return Ok(Vec::new());
        };

        // Kept whatever follows: if the run fails, its requester gets the signed reasons.
        let code = refusal.code;
        run.refusals.insert(step.signer, refusal);

        // The signer restarted, or its stock and this one disagree: what is left of it is useless.
        if matches!(code, Code::CommitmentUnknown | Code::NonceUsed) {
            let key = (run.request.tenant, run.request.key);
            self.stock.clear(key, step.signer);
        }

        // One signer's word costs a pause at most. Then a quorum is chosen again among the signers
        // in service: the one asked now may contain a signer put into quarantine since.
        if may_pass(code) {
            let not_before = step.now.plus(self.pace.again_ms);
            run.apply(RunEvent::RefusedForNow { not_before })?;
            return Ok(Vec::new());
        }

        // A hostile signer can refuse; it must not be able to end what t others would sign.
        run.excluded.insert(step.signer);
        if self.has_quorum_left(name) {
            self.retry(step.now, name)
        } else {
            self.fail(step.now, name)
        }
    }

    fn retry(&mut self, now: UnixMs, name: RunName) -> Records {
        if let Some(run) = self.runs.get_mut(&name) {
            run.apply(RunEvent::RefusedByOne { not_before: now })?;
        }
        self.advance(now, name)
    }

    /// No quorum can come together any more: the requester gets every refusal as it was signed.
    fn fail(&mut self, now: UnixMs, name: RunName) -> Records {
        let refusals = self
            .runs
            .get(&name)
            .map(|run| run.refusals.values().cloned().collect());
        let outcome = Outcome::Failed(refusals.unwrap_or_default());
        self.finish(now, name, outcome)
    }

    /// Whether t signers are left that have neither refused nor sent wrong shares.
    fn has_quorum_left(&self, name: RunName) -> bool {
        let left = |run: &Run| {
            let key = self.key(run.request.tenant, run.request.key)?;

            let left = self
                .in_service(&key)
                .iter()
                .filter(|signer| !run.excluded.contains(signer))
                .count();
            Some(left >= usize::from(key.plan.min_signers))
        };
        self.runs.get(&name).and_then(left).unwrap_or_default()
    }
}

/// Whether the same request may get shares later: the head is on its way, a lock opens, the signer
/// has restarted.
fn may_pass(code: Code) -> bool {
    // A signer with too much to do is left out of this run: another one answers sooner.
    code.cure() == Cure::Wait && code != Code::QuotaExceeded
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of what waiting cures, a signer never says these to a signing request.
    const NOT_OF_SIGNERS: [Code; 4] = [
        Code::ReleaseTooEarly,
        Code::NotWitnessed,
        Code::ActWaiting,
        Code::InsufficientBalance,
    ];

    #[test]
    fn refusals_that_pass_are_the_reviewed_ones() {
        let passing: Vec<Code> = Code::ALL
            .iter()
            .copied()
            .filter(|code| may_pass(*code) && !NOT_OF_SIGNERS.contains(code))
            .collect();
        assert_eq!(
            passing,
            [
                Code::DeadlineExpired,
                Code::Paused,
                Code::TimeLocked,
                Code::AttemptUnknown,
                Code::JournalStale,
                Code::ClockSkew,
                Code::HeadBelowFloor,
                Code::CommitmentUnknown,
                Code::NonceUsed,
                Code::NotReady,
            ]
        );
    }
}
