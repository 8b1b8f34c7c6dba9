//! A signer's refusal: one signer's word, of a signing request or of a ceremony's run.

use crate::ceremony::CeremonyEvent;
use crate::run::{Run, RunEvent, RunName};
use crate::stage::{CoordinatorStage, Records, SignerContext};
use strongroom_signing::runs::{RETRY_MS, pause_ms};
use strongroom_types::{Code, Cure, UnixMs};
use strongroom_wire::{Outcome, SignerRefusal};

impl CoordinatorStage {
    pub(crate) fn on_refusal(
        &mut self,
        from: SignerContext<'_>,
        refusal: SignerRefusal,
    ) -> Records {
        // A refusal names what it refuses by digest. One of an earlier try, or of a request for
        // commitments, fits nothing and changes nothing.
        if let Some(name) = self.run_asked(refusal.request) {
            return self.on_run_refused(from, name, refusal);
        }
        self.on_ceremony_refused(from, &refusal)
    }

    /// A participant cannot go on with the ceremony's present run: the next one starts sooner than
    /// after silence, but one hostile signer must not use up all runs within seconds.
    fn on_ceremony_refused(&mut self, from: SignerContext<'_>, refusal: &SignerRefusal) -> Records {
        let life_ms = self.genesis.bounds.ceremony_life_ms;
        for ceremony in self.ceremonies.values_mut() {
            let is_participant = ceremony.roster.contains(&from.signer);
            let run = ceremony.started_by(refusal.request);
            if let Some(number) = run.filter(|_| is_participant) {
                let retry_at = from.now.plus(pause_ms(RETRY_MS, number, life_ms));
                ceremony.apply(CeremonyEvent::RunRefused { retry_at })?;
            }
        }
        Ok(Vec::new())
    }

    /// Others are asked while t of them are left.
    fn on_run_refused(
        &mut self,
        from: SignerContext<'_>,
        name: RunName,
        refusal: SignerRefusal,
    ) -> Records {
        // A signer outside of the quorum must not end the try of those inside.
        let signer = from.signer;
        let Some(run) = self.runs.get_mut(&name).filter(|run| run.is_asked(signer)) else {
            return Ok(Vec::new());
        };

        // The refusal is kept in any case: if the run fails, its requester gets every signer's
        // reason.
        let code = refusal.code;
        run.refusals.insert(from.signer, refusal.bounded());

        if spoils_stock(code) {
            let key = (run.request.tenant, run.request.key);
            self.stock.clear(key, from.signer);
        }

        // One signer's word costs a pause at most. Then a quorum is chosen again among the signers
        // in service: the one asked now may contain a signer put into quarantine since.
        match AfterRefusal::of(code) {
            AfterRefusal::Pause => {
                let not_before = from.now.plus(self.pace.again_ms);
                run.apply(RunEvent::RefusedForNow { not_before })?;
                Ok(Vec::new())
            }

            // A hostile signer can refuse; it must not be able to end what t others would sign.
            AfterRefusal::Exclude => {
                run.excluded.insert(from.signer);
                if self.has_quorum_left(name) {
                    self.retry(from.now, name)
                } else {
                    self.fail(from.now, name)
                }
            }
        }
    }

    fn retry(&mut self, now: UnixMs, name: RunName) -> Records {
        if let Some(run) = self.runs.get_mut(&name) {
            run.apply(RunEvent::RefusedByOne { not_before: now })?;
        }
        self.advance(now, name)
    }

    /// No quorum can come together any more: the requester gets every signer's refusal.
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

/// Step after one signer's refusal of a signing request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum AfterRefusal {
    /// A quorum is asked again after a pause, this signer perhaps among it.
    Pause,
    /// The run goes on without this signer, if enough others are left.
    Exclude,
}

impl AfterRefusal {
    const fn of(code: Code) -> Self {
        match code.cure() {
            // The head is on its way, a lock opens, the signer has restarted. A signer with too much
            // to do is left out all the same: another one answers sooner than its quota recovers.
            Cure::Wait if matches!(code, Code::QuotaExceeded) => Self::Exclude,
            Cure::Wait => Self::Pause,
            // A refusal is one signer's word, which may be false: that people, another transaction
            // or another signer are needed is true only once no quorum is left that says otherwise.
            Cure::Approve | Cure::Rebuild | Cure::OtherSigner | Cure::Never => Self::Exclude,
        }
    }
}

/// Whether a refusal says that the signer restarted, or that its stock and this one disagree: what is
/// left of it here is useless.
const fn spoils_stock(code: Code) -> bool {
    matches!(code, Code::CommitmentUnknown | Code::NonceUsed)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each code, its cure, the step after it, and what becomes of the signer's stock.
    #[test]
    fn every_cure_has_its_step() {
        let mut table = format!("{:<29}{:<13}{:<8}stock\n", "code", "cure", "step");
        for code in Code::ALL {
            let (name, cure) = (code.as_str(), code.cure().name());
            let step = match AfterRefusal::of(*code) {
                AfterRefusal::Pause => "pause",
                AfterRefusal::Exclude => "exclude",
            };
            let stock = if spoils_stock(*code) { "clear" } else { "keep" };
            table += &format!("{name:<29}{cure:<13}{step:<8}{stock}\n");
        }
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/snapshots/cures.txt");
        strongroom_golden::snapshot(path, &table);
    }
}
