//! Joining a run of a ceremony: only when the journal shows that the committee released it.

use crate::ceremonies::{RUN_MS_MAX, RUNS_MAX, Running};
use crate::fatal::Fatal;
use crate::held::Asker;
use crate::keys::KeyName;
use crate::node::SignerNode;
use crate::verdict::{Denied, Served, Stop};
use strongroom_journal::apply::ceremony::{key_name, suite_id};
use strongroom_journal::model::KeyRecord;
use strongroom_mpc_core::dkg::{DkgParameters, DkgSession};
use strongroom_mpc_core::seal::SealingSecret;
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
        name: KeyName,
        run: u32,
        asker: &Asker,
        now: UnixMs,
    ) -> Result<Served, Fatal> {
        match self.join_if_released(name, run, asker, now) {
            Ok(()) => Ok(Served::Done),
            Err(Stop::Refuse(refusal)) => Ok(Served::Refuse(Denied::unjudged(refusal))),
            Err(Stop::Wait(refusal)) => Ok(Served::Wait(Denied::unjudged(refusal))),
            Err(Stop::Fatal(fatal)) => Err(fatal),
        }
    }

    fn join_if_released(
        &mut self,
        name: KeyName,
        run: u32,
        asker: &Asker,
        now: UnixMs,
    ) -> Result<(), Stop> {
        self.judge(&[]).may_act()?;
        let index = self.identity.index()?;
        // Each run costs a polynomial and a row: a coordinator must not start runs without end.
        if !(1..=RUNS_MAX).contains(&run) {
            let detail = format!("runs are 1 to {RUNS_MAX}, not {run}");
            return Err(Refusal::new(Code::CeremonyFault, detail).into());
        }
        if run <= self.keys.run(name) {
            return self.repeat_certificate(name, run, asker, now);
        }

        let handed = self.journal.handed(now);
        let key = self.judge(&handed).judge_ceremony(name, now)?;
        if self.ceremonies.is_full_for(name) {
            return Err(Refusal::new(Code::QuotaExceeded, "too many ceremonies run here").into());
        }

        let parameters = self.parameters(name, run, &key)?;
        let sealing = SealingSecret::from_bytes(&self.identity.sealing.to_secret_bytes());
        let (session, effects) =
            DkgSession::start(parameters, index, sealing, &mut *self.entropy.rng())
                .map_err(|fault| Refusal::new(Code::CeremonyFault, fault))?;

        // The run's number is on disk before its first message leaves: begun again after a
        // restart, it would show peers a second polynomial under one name.
        self.keys.begin_run(name, run)?;
        let running = Running {
            run,
            session,
            asker: *asker,
            until: now.plus(RUN_MS_MAX),
            public: Vec::new(),
        };
        self.ceremonies.begin(name, running);
        tracing::info!(tenant = %name.0, key = %name.1, run, "joined a ceremony");

        self.perform(name, effects, now)?;
        for (from, body) in self.ceremonies.take_early(name, run) {
            self.on_ceremony_message(name, from, body, now)?;
        }
        Ok(())
    }

    /// A run that was joined before: nothing is begun again under its name.
    fn repeat_certificate(
        &mut self,
        name: KeyName,
        run: u32,
        asker: &Asker,
        now: UnixMs,
    ) -> Result<(), Stop> {
        if self.ceremonies.is_running(name, run) {
            return Ok(());
        }
        let Some(certified) = self.keys.certified(name, run)? else {
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

    fn parameters(
        &self,
        name: KeyName,
        run: u32,
        key: &KeyRecord,
    ) -> Result<DkgParameters, Refusal> {
        Ok(DkgParameters {
            suite: suite_id(key.plan.suite),
            session: run_session(&key.session, run),
            genesis: self.identity.hash.0,
            key_id: key_name(name.0, name.1),
            epoch: key.epoch,
            min_signers: key.plan.min_signers,
            roster: self.identity.roster(&key.plan.roster)?,
        })
    }
}
