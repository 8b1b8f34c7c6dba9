//! Key generation: joined only when the fresh witnessed head shows that the committee released it.

use crate::fatal::Fatal;
use crate::held::Asker;
use crate::judge::{Denied, Stop, fresh};
use crate::keys::{KeyName, Unstored};
use crate::node::SignerNode;
use std::collections::{BTreeMap, VecDeque};
use strongroom_journal::View;
use strongroom_journal::apply::ceremony::{certificate_digest, key_name, suite_id};
use strongroom_journal::model::KeyRecord;
use strongroom_journal::overlay::Overlay;
use strongroom_journal::state::Lookup as _;
use strongroom_mpc_core::KeyShareRecord;
use strongroom_mpc_core::dkg::{DkgEffect, DkgInput, DkgParameters, DkgSession};
use strongroom_mpc_core::seal::SealingSecret;
use strongroom_types::{Code, Digest, Refusal, UnixMs, digest};
use strongroom_wire::frame::FromSigner;
use strongroom_wire::{CeremonyMessage, Role, SignerMessage, open};

/// Most runs of one ceremony.
pub const RUNS_MAX: u32 = 16;
/// A run that has not ended by then ends without a key.
pub const RUN_MS_MAX: u64 = 120_000;
/// Most ceremonies at once.
pub const CEREMONIES_MAX: usize = 32;
/// Most messages kept for runs that have not begun here yet.
pub const EARLY_MAX: usize = 1_024;

type Out = Vec<FromSigner>;

struct Running {
    run: u32,
    session: DkgSession,
    asker: Asker,
    until: UnixMs,
    /// Public result, once there is one.
    public: Vec<u8>,
}

/// A message of a run that this node has not been told to join.
struct Early {
    name: KeyName,
    run: u32,
    from: u16,
    body: Vec<u8>,
    until: UnixMs,
}

#[derive(Default)]
pub(crate) struct Ceremonies {
    running: BTreeMap<KeyName, Running>,
    early: VecDeque<Early>,
}

impl Ceremonies {
    pub(crate) fn len(&self) -> usize {
        self.running.len()
    }

    pub(crate) fn end(&mut self, name: KeyName) {
        self.running.remove(&name);
    }

    fn take_early(&mut self, name: KeyName, run: u32) -> Vec<(u16, Vec<u8>)> {
        let mut taken = Vec::new();
        self.early.retain_mut(|early| {
            if early.name != name || early.run > run {
                return true;
            }
            if early.run == run {
                taken.push((early.from, std::mem::take(&mut early.body)));
            }
            false
        });
        taken
    }
}

/// The session of a run: digest of the journal's ceremony session and the run's number.
fn run_session(session: &Digest, run: u32) -> [u8; 32] {
    digest(
        "strongroom/ceremony-run/v1",
        &[&session.0, &run.to_be_bytes()],
    )
    .0
}

/// The key's ceremony is released, unfinished, and this signer is in its roster.
fn approved(view: &dyn View, name: KeyName, index: u16) -> Result<KeyRecord, Refusal> {
    let no = |what: &str| Refusal::new(Code::CeremonyNotApproved, format!("{}: {what}", name.1));
    let key = view
        .threshold_key(name.0, name.1)
        .map_err(|_| no("no committee released it"))?;
    if key.public.is_some() {
        return Err(no("it is finished"));
    }
    if key.revoked {
        return Err(no("the key is revoked"));
    }
    let quarantined = view.platform()?.quarantined.contains(&index);
    if quarantined || !key.plan.roster.contains(&index) {
        return Err(Refusal::new(Code::NotInRoster, format!("signer {index}")));
    }
    Ok(key)
}

impl SignerNode {
    /// Joins a run of a ceremony, or repeats the certificate of one that this signer has finished.
    pub(crate) fn join(
        &mut self,
        name: KeyName,
        run: u32,
        asker: &Asker,
        now: UnixMs,
        out: &mut Out,
    ) -> Result<Option<Denied>, Fatal> {
        let (refusal, hold) = match self.join_steps(name, run, asker, now, out) {
            Ok(()) => return Ok(None),
            Err(Stop::Fatal(fatal)) => return Err(fatal),
            Err(Stop::No(refusal)) => (refusal, false),
            Err(Stop::NotYet(refusal)) => (refusal, true),
        };
        Ok(Some(Denied {
            hold,
            ..self.denied(refusal)
        }))
    }

    fn join_steps(
        &mut self,
        name: KeyName,
        run: u32,
        asker: &Asker,
        now: UnixMs,
        out: &mut Out,
    ) -> Result<(), Stop> {
        self.may_act()?;
        let index = self.identity.index()?;
        if !(1..=RUNS_MAX).contains(&run) {
            return Err(Refusal::new(
                Code::CeremonyFault,
                format!("runs are 1 to {RUNS_MAX}, not {run}"),
            )
            .into());
        }
        let joined = self.keys.run(name);
        if run <= joined {
            return self.repeat(name, run, joined, asker, now, out);
        }
        let key = self.released(name, index, now)?;
        if self.ceremonies.running.len() >= CEREMONIES_MAX
            && !self.ceremonies.running.contains_key(&name)
        {
            return Err(Refusal::new(Code::QuotaExceeded, "too many ceremonies run here").into());
        }
        let fault = |e| Refusal::new(Code::CeremonyFault, e);
        let parameters = self.parameters(name, run, &key)?;
        let sealing = SealingSecret::from_bytes(&self.identity.sealing.to_secret_bytes());
        let rng = &mut *self.entropy.rng();
        let (session, effects) =
            DkgSession::start(parameters, index, sealing, rng).map_err(fault)?;
        self.keys.begin_run(name, run)?;
        let until = now.plus(RUN_MS_MAX);
        let running = Running {
            run,
            session,
            asker: *asker,
            until,
            public: Vec::new(),
        };
        self.ceremonies.running.insert(name, running);
        tracing::info!(tenant = %name.0, key = %name.1, run, "joined a ceremony");
        self.perform(name, effects, now, out)?;
        for (from, body) in self.ceremonies.take_early(name, run) {
            self.received(name, from, body, now, out)?;
        }
        Ok(())
    }

    /// A run that was joined before: nothing is begun again under its name.
    fn repeat(
        &mut self,
        name: KeyName,
        run: u32,
        joined: u32,
        asker: &Asker,
        now: UnixMs,
        out: &mut Out,
    ) -> Result<(), Stop> {
        if self
            .ceremonies
            .running
            .get(&name)
            .is_some_and(|running| running.run == run)
        {
            return Ok(());
        }
        let Some((transcript, public)) = self.keys.certified(name, run)? else {
            let detail = format!(
                "run {joined} of {} was joined and is over: start the next",
                name.1
            );
            return Err(Refusal::new(Code::Replayed, detail).into());
        };
        self.certify(name, asker, transcript, public, now, out);
        Ok(())
    }

    /// The released record at the fresh head; the own tip and what was handed over may only forbid.
    fn released(&mut self, name: KeyName, index: u16, now: UnixMs) -> Result<KeyRecord, Stop> {
        let head = fresh(self, now)?;
        let handed = self.journal.handed(now);
        let follower = self.journal.follower();
        let wait = |refusal: Refusal| match follower.state().threshold_key(name.0, name.1) {
            // Not in the own log, or there and not witnessed yet: the journal may still bring it.
            Ok(key) if key.public.is_some() || key.revoked => Stop::No(refusal),
            Ok(_) | Err(_) => Stop::NotYet(refusal),
        };
        let at_head = approved(&follower.head_view(head)?, name, index);
        let key = at_head.map_err(|refusal| match refusal.code {
            Code::CeremonyNotApproved => wait(refusal),
            _ => Stop::No(refusal),
        })?;
        approved(follower.state(), name, index)?;
        for delta in &handed {
            let view = Overlay::new(follower.state()).with(delta);
            approved(&view, name, index)
                .map_err(|why| Refusal::new(Code::TighteningPending, why))?;
        }
        Ok(key)
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

    /// Another signer's message, forwarded by a coordinator as it was sealed. A node that was
    /// stopped meanwhile takes no further part.
    pub(crate) fn relay(&mut self, record: &[u8], now: UnixMs, out: &mut Out) -> Result<(), Fatal> {
        if self.may_act().is_err() {
            return Ok(());
        }
        let registered = std::sync::Arc::clone(self.journal.follower().state().registered());
        let opened = open(record, registered.as_ref(), &[Role::Signer]).and_then(|envelope| {
            envelope.in_time(now)?;
            Ok((envelope.from, envelope.payload::<SignerMessage>()?))
        });
        let (from, message) = match opened {
            Ok((from, SignerMessage::Ceremony(message))) => (from, message),
            Ok(_) => return Ok(()),
            Err(refusal) => {
                self.ignore("relay", &refusal);
                return Ok(());
            }
        };
        let from = self
            .identity
            .genesis
            .signer_by_node(from)
            .map(|seat| seat.index);
        let (Some(from), Ok(me)) = (from, self.identity.index()) else {
            return Ok(());
        };
        let CeremonyMessage {
            tenant,
            key,
            run,
            to,
            body,
        } = message;
        if from == me || to.is_some_and(|to| to != me) {
            return Ok(());
        }
        let name = (tenant, key);
        if self
            .ceremonies
            .running
            .get(&name)
            .is_some_and(|running| running.run == run)
        {
            self.received(name, from, body, now, out)
        } else {
            self.keep_early(Early {
                name,
                run,
                from,
                body,
                until: now.plus(RUN_MS_MAX),
            });
            Ok(())
        }
    }

    /// A fast peer may be told of a run before this node is.
    fn keep_early(&mut self, early: Early) {
        let over = early.run <= self.keys.run(early.name) || early.run > RUNS_MAX;
        if !over && self.ceremonies.early.len() < EARLY_MAX {
            self.ceremonies.early.push_back(early);
        }
    }

    fn received(
        &mut self,
        name: KeyName,
        from: u16,
        bytes: Vec<u8>,
        now: UnixMs,
        out: &mut Out,
    ) -> Result<(), Fatal> {
        let rng = &mut *self.entropy.rng();
        let Some(running) = self.ceremonies.running.get_mut(&name) else {
            return Ok(());
        };
        match running
            .session
            .step(DkgInput::Received { from, bytes }, rng)
        {
            Ok(effects) => self.perform(name, effects, now, out),
            Err(fault) => {
                let detail = format!("{fault}; by signers {:?}", fault.culprits());
                self.fail(name, Refusal::new(Code::CeremonyFault, detail), now, out);
                Ok(())
            }
        }
    }

    /// Ends a run without a key, and says why to whoever started it.
    fn fail(&mut self, name: KeyName, refusal: Refusal, now: UnixMs, out: &mut Out) {
        if let Some(running) = self.ceremonies.running.remove(&name) {
            self.say_no(&running.asker, self.denied(refusal), now, out);
        }
    }

    /// Does what the protocol asks, in its order. A share is durable before its certificate exists.
    fn perform(
        &mut self,
        name: KeyName,
        effects: Vec<DkgEffect>,
        now: UnixMs,
        out: &mut Out,
    ) -> Result<(), Fatal> {
        let mut effects = VecDeque::from(effects);
        while let Some(effect) = effects.pop_front() {
            match effect {
                DkgEffect::Broadcast(body) => self.send(name, None, body, now, out),
                DkgEffect::Send { to, bytes } => self.send(name, Some(to), bytes, now, out),
                DkgEffect::Persist(record) => match self.persist(name, &record) {
                    Ok(more) => effects.extend(more),
                    Err(Stop::Fatal(fatal)) => return Err(fatal),
                    Err(Stop::No(refusal) | Stop::NotYet(refusal)) => {
                        self.fail(name, refusal, now, out);
                        return Ok(());
                    }
                },
                DkgEffect::Done { transcript } => {
                    // The journal's own certificates take the place of the session's: the run is
                    // over here.
                    if let Some(Running { asker, public, .. }) =
                        self.ceremonies.running.remove(&name)
                    {
                        self.certify(name, &asker, Digest(transcript), public, now, out);
                    }
                }
                DkgEffect::Finished(_) => {}
                DkgEffect::Ignored(reason) => {
                    tracing::debug!(key = %name.1, ?reason, "ceremony message ignored")
                }
            }
        }
        Ok(())
    }

    fn persist(&mut self, name: KeyName, record: &KeyShareRecord) -> Result<Vec<DkgEffect>, Stop> {
        let gone = || Refusal::new(Code::Internal, "the run is over");
        let run = self.ceremonies.running.get(&name).ok_or_else(gone)?.run;
        self.keys
            .persist(name, run, record)
            .map_err(|error| match error {
                Unstored::Fatal(fatal) => Stop::Fatal(fatal),
                Unstored::Protector(error) => Stop::No(Refusal::new(Code::Internal, error)),
            })?;
        let rng = &mut *self.entropy.rng();
        let running = self.ceremonies.running.get_mut(&name).ok_or_else(gone)?;
        running.public = record.public().to_bytes();
        running
            .session
            .step(DkgInput::Persisted, rng)
            .map_err(|fault| Refusal::new(Code::CeremonyFault, fault).into())
    }

    fn send(&mut self, name: KeyName, to: Option<u16>, body: Vec<u8>, now: UnixMs, out: &mut Out) {
        let Some(running) = self.ceremonies.running.get(&name) else {
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
        self.answer(&asker, &SignerMessage::Ceremony(message), now, out);
    }

    /// The certificate: this signer's share of this result is durable.
    fn certify(
        &mut self,
        name: KeyName,
        asker: &Asker,
        transcript: Digest,
        public: Vec<u8>,
        now: UnixMs,
        out: &mut Out,
    ) {
        let signature = self
            .outbox
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
        self.answer(asker, &message, now, out);
    }

    /// Runs that took too long, and messages nobody waited for.
    pub(crate) fn end_late_runs(&mut self, now: UnixMs, out: &mut Out) {
        self.ceremonies.early.retain(|early| now < early.until);
        let late = |(name, running): (&KeyName, &Running)| (now >= running.until).then_some(*name);
        let names: Vec<KeyName> = self.ceremonies.running.iter().filter_map(late).collect();
        for name in names {
            let detail = format!("the run of {} took longer than {RUN_MS_MAX} ms", name.1);
            self.fail(name, Refusal::new(Code::CeremonyFault, detail), now, out);
        }
    }
}
