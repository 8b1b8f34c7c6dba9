//! Joining a run of a ceremony: only when the journal shows that the committee released it.

use crate::ceremonies::{CeremonyRun, RUN_MS_MAX, RunningCeremony};
use crate::fatal::Fatal;
use crate::generation::log_failed_step;
use crate::held::Asker;
use crate::node::SignerNode;
use crate::refusals::Cause;
use crate::verdict::{CheckEnd, JudgedRefusal, Served};
use strongroom_guard::{G, guard};
use strongroom_journal::model::KeyRecord;
use strongroom_mpc_core::dkg::{DkgParameters, DkgSession};
use strongroom_mpc_core::seal::SealingSecret;
use strongroom_signing::runs::{RUNS_MAX, earliest_ms};
use strongroom_types::ceremony::key_name;
use strongroom_types::{Code, Digest, Refusal, UnixMs, digest};

/// The session of a run: digest of the journal's ceremony session and the run's number.
fn run_session(session: &Digest, run: u32) -> [u8; 32] {
    digest(
        "strongroom/ceremony-run/v1",
        &[&session.0, &run.to_be_bytes()],
    )
    .0
}

impl SignerNode {
    /// Joins a run of a ceremony, or repeats the certificate of one that this signer has finished.
    pub(crate) fn join(
        &mut self,
        run: CeremonyRun,
        asker: &Asker,
        now: UnixMs,
    ) -> Result<Served, Fatal> {
        match self.join_if_released(run, asker, now) {
            Ok(()) => Ok(Served::Done),
            Err(CheckEnd::Refuse(refusal)) => Ok(Served::Refuse(JudgedRefusal::unjudged(refusal))),
            // The answer holds for the head that it was judged at: with another head the request is
            // judged again.
            Err(CheckEnd::Wait(refusal)) => {
                let head = self.journal.follower().fresh(now);
                let head = head.map_or(0, |head| head.size);
                Ok(Served::Wait(JudgedRefusal {
                    head,
                    ..JudgedRefusal::unjudged(refusal)
                }))
            }
            Err(CheckEnd::Fatal(fatal)) => Err(fatal),
        }
    }

    fn join_if_released(
        &mut self,
        run: CeremonyRun,
        asker: &Asker,
        now: UnixMs,
    ) -> Result<(), CheckEnd> {
        let CeremonyRun { name, number } = run;
        self.judge(&[]).may_act()?;
        let index = self.identity.index()?;

        // Each run costs a polynomial and a row, so a coordinator must not start runs without end.
        if !(1..=RUNS_MAX).contains(&number) {
            let detail = format!("runs are 1 to {RUNS_MAX}, not {number}");
            return Err(Refusal::new(Code::CeremonyFault, detail).into());
        }

        // This process or an earlier one has joined this run before. A second polynomial under one
        // name would let peers compute the difference of the two.
        let joined = number <= self.keys.run(name);
        if self.ceremonies.is_running(name, number) || guard(G::RunOnce, joined) {
            return self.repeat_certificate(run, asker, now);
        }

        let handed = self.journal.handed(now);
        let judged = self.judge(&handed).judge_ceremony(name, now);
        self.asked += 1;
        let key = judged?;
        self.check_not_early(&key, number, now)?;

        // Ceremonies at one time are bounded, because each session holds secret polynomials in
        // memory.
        if self.ceremonies.is_full_for(name) {
            return Err(Refusal::new(Code::QuotaExceeded, "too many ceremonies run here").into());
        }

        let parameters = self.parameters(run, &key)?;
        let sealing = SealingSecret::from_bytes(&self.identity.sealing.to_secret_bytes());
        let (session, effects) =
            DkgSession::start(parameters, index, sealing, &mut *self.entropy.rng()).map_err(
                |fault| {
                    log_failed_step(name, &fault);
                    Refusal::new(Code::CeremonyFault, fault)
                },
            )?;

        // The run's number is on disk before its first message leaves: begun again after a
        // restart, it would show peers a second polynomial under one name.
        self.keys.begin_run(name, number)?;
        let running = RunningCeremony {
            run: number,
            session,
            asker: *asker,
            until: now.plus(RUN_MS_MAX),
            public: Vec::new(),
        };
        self.ceremonies.begin(name, running);
        tracing::info!(tenant = %name.0, key = %name.1, run = number, "joined a ceremony");

        // Messages of fast peers that came before the coordinator's are taken in now.
        self.perform(name, effects, now)?;
        for message in self.early.take(name, number) {
            self.on_ceremony_message(name, message, now)?;
        }
        Ok(())
    }

    /// A number is used up with all below it: joined out of turn, the last one would end the whole
    /// ceremony by one message to one signer.
    fn check_not_early(&self, key: &KeyRecord, number: u32, now: UnixMs) -> Result<(), Refusal> {
        let bounds = &self.identity.genesis.bounds;
        let released = key.until.0.saturating_sub(bounds.ceremony_life_ms);

        // The witnesses' clocks at the release, and this one now, may each be off by the skew.
        let earliest = released
            .saturating_add(earliest_ms(number, bounds.ceremony_life_ms))
            .saturating_sub(bounds.skew_ms.saturating_mul(2));
        if now < UnixMs(earliest) {
            let detail = format!("run {number} cannot be due before {}", UnixMs(earliest));
            return Err(Refusal::new(Code::CeremonyFault, detail));
        }
        Ok(())
    }

    /// The certificate of a run that was joined before; nothing is begun again under its name.
    fn repeat_certificate(
        &mut self,
        run: CeremonyRun,
        asker: &Asker,
        now: UnixMs,
    ) -> Result<(), CheckEnd> {
        let CeremonyRun { name, number } = run;
        if self.ceremonies.is_running(name, number) {
            return Ok(());
        }

        // Each certificate costs a read of the share and a signature, so it is counted with the
        // refusals of its coordinator.
        let allowance = self.refusals.count((asker.node, Cause::Record), now);
        if !allowance.is_answered {
            self.unanswered += 1;
            return Ok(());
        }

        // A coordinator that lost the certificate may have it again, because it says nothing new.
        let Some(certified) = self.keys.certified(name, number)? else {
            let detail = format!(
                "run {} of {} was joined and is over: start the next",
                self.keys.run(name),
                name.1
            );
            return Err(Refusal::new(Code::Replayed, detail).into());
        };
        self.send_certificate(name, asker, certified, now);
        Ok(())
    }

    fn parameters(&self, run: CeremonyRun, key: &KeyRecord) -> Result<DkgParameters, Refusal> {
        let CeremonyRun { name, number } = run;
        Ok(DkgParameters {
            suite: key.plan.suite.into(),
            session: run_session(&key.session, number),
            genesis: self.identity.hash.0,
            key_id: key_name(name.0, name.1),
            epoch: key.epoch,
            min_signers: key.plan.min_signers,
            roster: self.identity.roster(&key.plan.roster)?,
        })
    }
}
