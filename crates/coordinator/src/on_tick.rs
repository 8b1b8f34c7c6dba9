//! Work that time makes due: deadlines, silent quorums, stock, next runs of ceremonies.

use crate::ceremony::{Ceremony, CeremonyEvent, ProtocolRun};
use crate::quorum::SignerIndex;
use crate::run::{RunEvent, RunName, Try};
use crate::stage::{CoordinatorStage, Records, UPKEEP_TICKS};
use crate::stock::KeyName;
use strongroom_journal::apply::ceremony::check_open;
use strongroom_journal::model::KeyRecord;
use strongroom_signing::message_digest;
use strongroom_signing::runs::{RUN_MS, pause_ms};
use strongroom_stage::StageError;
use strongroom_stage::post::Cause;
use strongroom_types::{TenantId, UnixMs};
use strongroom_wire::{CoordinatorMessage, encode};

impl CoordinatorStage {
    pub(crate) fn on_tick(&mut self, now: UnixMs) -> Records {
        self.ticks += 1;

        // Late runs are ended first: a quorum is not asked for a signature that is not wanted any
        // more.
        self.end_late_runs(now)?;
        let mut records = self.replace_silent_quorums(now)?;
        if self.ticks % UPKEEP_TICKS == 1 {
            records.extend(self.upkeep(now)?);
        }
        Ok(records)
    }

    /// Drops runs whose time is over: the requester asks again, or no longer wants the signature.
    fn end_late_runs(&mut self, now: UnixMs) -> Result<(), StageError> {
        let run_ms = self.pace.run_ms;
        for run in self.runs.values_mut() {
            if now >= run.cause.deadline || now.since(run.started) >= run_ms {
                run.apply(RunEvent::TimeOver)?;
            }
        }

        // This is what bounds the map: every run has an end.
        self.runs.retain(|_, run| !run.is_finished());
        Ok(())
    }

    /// A quorum that did not answer is replaced; one that waits for stock or a pause may go on.
    fn replace_silent_quorums(&mut self, now: UnixMs) -> Records {
        let names: Vec<RunName> = self.runs.keys().copied().collect();
        let mut records = Vec::new();
        for name in names {
            // Silent signers come last in the next choice, of every run: one that is down would
            // cost each of them a whole wait.
            for signer in self.end_silent_try(now, name)? {
                self.chooser.set_silent(signer, now);
            }
            records.extend(self.advance(now, name)?);
        }
        Ok(records)
    }

    /// Ends the try of a run whose quorum took too long; gives the signers that did not answer.
    fn end_silent_try(
        &mut self,
        now: UnixMs,
        name: RunName,
    ) -> Result<Vec<SignerIndex>, StageError> {
        let try_ms = self.pace.try_ms;
        let Some(run) = self.runs.get_mut(&name) else {
            return Ok(Vec::new());
        };

        let is_late = |asked: &&Try| now.since(asked.sent) >= try_ms;
        let Some(asked) = run.current_try().filter(is_late) else {
            return Ok(Vec::new());
        };

        // Those that did answer are not to blame for the others.
        let silent = asked
            .quorum
            .iter()
            .copied()
            .filter(|signer| !asked.shares.contains_key(signer))
            .collect();

        run.apply(RunEvent::QuorumSilent { not_before: now })?;
        Ok(silent)
    }

    /// Keeps every usable key's stock filled, and drives the ceremonies that the journal has
    /// released.
    fn upkeep(&mut self, now: UnixMs) -> Records {
        let mut records = Vec::new();
        for (tenant, key) in self.all_keys() {
            if key.public.is_none() {
                records.extend(self.start_next_run(now, tenant, &key)?);
                continue;
            }
            self.end_ceremony((tenant, key.plan.key))?;
            if !key.revoked {
                records.extend(self.refill(now, tenant, &key)?);
            }
        }
        Ok(records)
    }

    fn all_keys(&self) -> Vec<(TenantId, KeyRecord)> {
        self.journal.read(|f| {
            let of = |tenant: TenantId| {
                let keys = f.state().keys(tenant).into_iter();
                keys.map(move |key| (tenant, key))
            };
            let tenants = f.state().tenants().into_iter();
            tenants.flat_map(of).collect()
        })
    }

    fn end_ceremony(&mut self, key: KeyName) -> Result<(), StageError> {
        if let Some(mut ceremony) = self.ceremonies.remove(&key) {
            ceremony.apply(CeremonyEvent::KeyAppeared)?;
        }
        Ok(())
    }

    fn start_next_run(&mut self, now: UnixMs, tenant: TenantId, key: &KeyRecord) -> Records {
        let id = key.plan.key;
        let life_ms = self.genesis.bounds.ceremony_life_ms;

        // The journal says that the committee released it; that is all a coordinator has to know.
        let ceremony = self
            .ceremonies
            .entry((tenant, id))
            .or_insert_with(|| Ceremony::new(tenant, key));

        // A ceremony that has ended is given up, because signers would refuse every run of it. Its
        // end is judged by the witnessed time: until that is past it, the journal may still take a
        // result.
        let ended = self
            .journal
            .read(|f| check_open(f.state(), key, f.past(now)).err());
        if let Some(refusal) = ended {
            if ceremony.is_open() {
                tracing::warn!(%tenant, key = %id, code = %refusal.code, detail = refusal.detail, "ceremony given up");
                ceremony.apply(CeremonyEvent::Ended)?;
            }
            return Ok(Vec::new());
        }
        if ceremony.set_used_up(now) {
            tracing::warn!(%tenant, key = %id, "the last run of a ceremony had no result: the committee asks for another key");
        }
        let Some(number) = ceremony.due(now) else {
            return Ok(Vec::new());
        };

        let message = CoordinatorMessage::Ceremony {
            tenant,
            key: id,
            run: number,
        };
        let run = ProtocolRun {
            number,
            until: now.plus(pause_ms(RUN_MS, number, life_ms)),
            request: message_digest(&encode(&message)),
        };
        ceremony.apply(CeremonyEvent::RunStarted(run))?;

        let roster = ceremony.roster.clone();
        let seed: [&[u8]; 3] = [b"ceremony", &id.0, &now.0.to_be_bytes()];
        let cause = Cause::own(&seed, now.plus(self.pace.run_ms));
        self.send_all(now, &roster, &message, &cause)
    }
}
