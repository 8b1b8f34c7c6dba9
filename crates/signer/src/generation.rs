//! A key generation under way: peers' messages in, this signer's messages and certificate out.

use crate::ceremonies::RUN_MS_MAX;
use crate::early::{EarlyMessage, PeerMessage};
use crate::fatal::Fatal;
use crate::held::Asker;
use crate::keys::{Certified, KeyName, StoreShareError};
use crate::node::SignerNode;
use crate::verdict::{CheckEnd, JudgedRefusal};
use std::collections::VecDeque;
use std::sync::Arc;
use strongroom_guard::{G, guard};
use strongroom_mpc_core::KeyShareRecord;
use strongroom_mpc_core::dkg::{DkgEffect, DkgFault, DkgInput};
use strongroom_signing::runs::RUNS_MAX;
use strongroom_types::ceremony::certificate_digest;
use strongroom_types::{Code, Digest, Refusal, UnixMs};
use strongroom_wire::{CeremonyMessage, Role, SignerMessage, open};

/// Logs the cause of a step that failed by no peer's fault. The refusal goes to other machines and
/// has the step's own words only; a run ends by it, so a line is as rare as a run.
pub(crate) fn log_failed_step(name: KeyName, fault: &DkgFault) {
    if let DkgFault::Failed { .. } = fault {
        let error: &dyn std::error::Error = fault;
        tracing::error!(key = %name.1, error, "a step of a ceremony failed");
    }
}

impl SignerNode {
    /// Another signer's message, forwarded by a coordinator as it was sealed.
    pub(crate) fn on_relay(&mut self, record: &[u8], now: UnixMs) -> Result<(), Fatal> {
        // A node that was stopped in the middle of a run takes no further part in it.
        if self.judge(&[]).may_act().is_err() {
            return Ok(());
        }

        // The coordinator only carries the message: its sender is the node that sealed it.
        let registered = Arc::clone(self.journal.follower().state().registered());
        let opened = open(record, registered.as_ref(), &[Role::Signer]).and_then(|envelope| {
            envelope.in_time(now)?;
            Ok((envelope.from, envelope.payload::<SignerMessage>()?))
        });
        let (from, message) = match opened {
            Ok((from, SignerMessage::Ceremony(message))) => (from, message),
            Ok((
                _,
                SignerMessage::Commitments { .. }
                | SignerMessage::Shares { .. }
                | SignerMessage::Refused(_)
                | SignerMessage::Certificate { .. },
            )) => return Ok(()),
            Err(refusal) => {
                self.ignore("relay", &refusal);
                return Ok(());
            }
        };

        // A message to another recipient is sealed to that one: its relay to this node is a mistake
        // or a probe.
        let seat = self.identity.genesis.signer_by_node(from);
        let (Some(from), Ok(me)) = (seat.map(|seat| seat.index), self.identity.index()) else {
            return Ok(());
        };
        if from == me || message.to.is_some_and(|to| to != me) {
            return Ok(());
        }

        self.on_peer_message(from, message, now)
    }

    fn on_peer_message(
        &mut self,
        from: u16,
        message: CeremonyMessage,
        now: UnixMs,
    ) -> Result<(), Fatal> {
        let (name, run) = ((message.tenant, message.key), message.run);
        let running = self.ceremonies.get(name).map(|running| running.run);
        if running.is_some_and(|running| !guard(G::Session, running != run)) {
            let body = message.body;
            return self.on_ceremony_message(name, PeerMessage { from, body }, now);
        }

        // Without the rule, a message that does not fit is its sender's fault: one of an older run,
        // relayed again, ends this one.
        #[cfg(mutants)]
        if running.is_some_and(|running| run < running) && !guard(G::IgnoreNotBlame, true) {
            let detail = format!("a message of run {run}; by signers [{from}]");
            self.fail_run(name, Refusal::new(Code::CeremonyFault, detail), now);
            return Ok(());
        }

        // A fast peer may be told of a run before this node is. What it sends to this node alone
        // needs this node's round 1 first, so that is never early.
        let may_begin = run > self.keys.run(name) && run <= RUNS_MAX;
        if may_begin && message.to.is_none() {
            let early = EarlyMessage {
                name,
                run,
                body: message.body,
                until: now.plus(RUN_MS_MAX),
            };
            self.early.keep(from, early);
        }
        Ok(())
    }

    pub(crate) fn on_ceremony_message(
        &mut self,
        name: KeyName,
        message: PeerMessage,
        now: UnixMs,
    ) -> Result<(), Fatal> {
        let Some(running) = self.ceremonies.get_mut(name) else {
            return Ok(());
        };

        // The session names the culprits of a fault; the run then ends here, without a key.
        let input = DkgInput::Received {
            from: message.from,
            bytes: message.body,
        };
        match running.session.step(input, &mut *self.entropy.rng()) {
            Ok(effects) => self.perform(name, effects, now),
            Err(fault) => {
                log_failed_step(name, &fault);
                let detail = format!("{fault}; by signers {:?}", fault.culprits());
                self.fail_run(name, Refusal::new(Code::CeremonyFault, detail), now);
                Ok(())
            }
        }
    }

    /// Does what the protocol asks, in its order. A share is durable before its certificate exists.
    pub(crate) fn perform(
        &mut self,
        name: KeyName,
        effects: Vec<DkgEffect>,
        now: UnixMs,
    ) -> Result<(), Fatal> {
        // Persisting a share gives more effects: they are done after those that are due already.
        let mut effects = VecDeque::from(effects);
        while let Some(effect) = effects.pop_front() {
            match effect {
                DkgEffect::Broadcast(body) => self.send_ceremony(name, None, body, now),
                DkgEffect::Send { to, bytes } => self.send_ceremony(name, Some(to), bytes, now),

                // The run ends when its share is not durable, because only a durable share may be
                // certified.
                DkgEffect::Persist(record) => match self.persist(name, &record, now) {
                    Ok(more) => effects.extend(more),
                    Err(CheckEnd::Fatal(fatal)) => return Err(fatal),
                    Err(CheckEnd::Refuse(refusal) | CheckEnd::Wait(refusal)) => {
                        self.fail_run(name, refusal, now);
                        return Ok(());
                    }
                },

                DkgEffect::Done { transcript } => self.finish_run(name, Digest(transcript), now),
                DkgEffect::Finished(_) => {}
                DkgEffect::Ignored(reason) => {
                    tracing::debug!(key = %name.1, ?reason, "ceremony message ignored");
                }
            }
        }
        Ok(())
    }

    fn persist(
        &mut self,
        name: KeyName,
        record: &KeyShareRecord,
        now: UnixMs,
    ) -> Result<Vec<DkgEffect>, CheckEnd> {
        let gone = || Refusal::new(Code::Internal, "the run is over");
        let run = self.ceremonies.get(name).ok_or_else(gone)?.run;

        // A quarantine or a revocation may have been handed over since the run began.
        let handed = self.journal.handed(now);
        self.judge(&handed).may_go_on(name)?;

        // The share is stored before the session goes on to certify: a certificate without a
        // durable share would make a key that too few can sign with.
        self.keys
            .persist(name, run, record)
            .map_err(|error| match error {
                StoreShareError::Fatal(fatal) => CheckEnd::Fatal(fatal),
                StoreShareError::Protector(error) => {
                    CheckEnd::Refuse(Refusal::new(Code::Internal, error))
                }
            })?;

        let running = self.ceremonies.get_mut(name).ok_or_else(gone)?;
        running.public = record.public().to_bytes();
        running
            .session
            .step(DkgInput::Persisted, &mut *self.entropy.rng())
            .map_err(|fault| {
                log_failed_step(name, &fault);
                Refusal::new(Code::CeremonyFault, fault).into()
            })
    }

    /// The run is over here: the journal's certificates take the place of the session's own.
    fn finish_run(&mut self, name: KeyName, transcript: Digest, now: UnixMs) {
        if let Some(running) = self.ceremonies.remove(name) {
            let certified = Certified {
                transcript,
                public: running.public,
            };
            self.send_certificate(name, &running.asker, certified, now);
        }
    }

    /// Ends a run without a key, and says why to the coordinator that started it.
    fn fail_run(&mut self, name: KeyName, refusal: Refusal, now: UnixMs) {
        if let Some(running) = self.ceremonies.remove(name) {
            self.send_refusal(&running.asker, JudgedRefusal::unjudged(refusal), now);
        }
    }

    fn send_ceremony(&mut self, name: KeyName, to: Option<u16>, body: Vec<u8>, now: UnixMs) {
        let Some(running) = self.ceremonies.get(name) else {
            return;
        };
        let (asker, run) = (running.asker, running.run);
        let message = CeremonyMessage {
            tenant: name.0,
            key: name.1,
            run,
            to,
            body,
        };
        self.send_answer(&asker, &SignerMessage::Ceremony(message), now);
    }

    /// The certificate: this signer's share of this result is durable.
    pub(crate) fn send_certificate(
        &mut self,
        name: KeyName,
        asker: &Asker,
        certified: Certified,
        now: UnixMs,
    ) {
        // The envelope key signs the certificate, because every replica can check that one against
        // genesis.
        let Certified { transcript, public } = certified;
        let signature = self
            .sealer
            .sign(&certificate_digest(&transcript, &public))
            .to_vec();

        let (tenant, key) = name;
        let message = SignerMessage::Certificate {
            tenant,
            key,
            signature,
            public,
            transcript,
        };
        self.send_answer(asker, &message, now);
    }

    /// Ends runs that the journal, or what was handed over, forbids by now.
    pub(crate) fn end_forbidden_runs(&mut self, now: UnixMs) {
        let names = self.ceremonies.names();
        if names.is_empty() {
            return;
        }

        let handed = self.journal.handed(now);
        for name in names {
            if let Err(refusal) = self.judge(&handed).may_go_on(name) {
                self.fail_run(name, refusal, now);
            }
        }
    }

    /// Ends runs that took too long, and forgets messages of runs that never began.
    pub(crate) fn end_late_runs(&mut self, now: UnixMs) {
        self.early.drop_late(now);
        for name in self.ceremonies.late(now) {
            let detail = format!("the run of {} took longer than {RUN_MS_MAX} ms", name.1);
            self.fail_run(name, Refusal::new(Code::CeremonyFault, detail), now);
        }
    }
}
