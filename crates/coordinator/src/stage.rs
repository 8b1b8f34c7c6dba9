//! The stage: signing requests and signers' answers in, signatures out.

use crate::ceremony::Ceremony;
use crate::quorum::Chooser;
use crate::run::{Run, may_pass};
use crate::stock::Stock;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;
use strongroom_journal::Genesis;
use strongroom_journal::model::KeyRecord;
use strongroom_journal::state::Lookup as _;
use strongroom_mpc_core::PublicKeyRecord;
use strongroom_mpc_core::signing::PublicKeys;
use strongroom_ports::bus::{Delivered, Record, Topic};
use strongroom_ports::db::{Migration, Tx};
use strongroom_replica::SharedFollower;
use strongroom_signing::request_digest;
use strongroom_stage::post::{Cause, Post, first_half, open_record};
use strongroom_stage::{Stage, StageError};
use strongroom_types::{Code, Digest, KeyId, NodeId, TenantId, UnixMs};
use strongroom_wire::{
    CoordinatorMessage, JournalSubmitted, Layer, Outcome, Role, SignerMessage, SigningFinished,
    SigningRequested, encode, topics,
};

/// How long things may take.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// A quorum that has not answered after this time is replaced.
    pub try_ms: u64,
    /// A run ends without result after this time; it is asked for again.
    pub run_ms: u64,
    /// Pause before asking again after a refusal that may pass.
    pub again_ms: u64,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            try_ms: 1_500,
            run_ms: 30_000,
            again_ms: 200,
        }
    }
}

/// The coordinator.
pub struct CoordinatorStage {
    post: Post,
    journal: Arc<SharedFollower>,
    genesis: Arc<Genesis>,
    pace: Pace,
    stock: Stock,
    chooser: Chooser,
    keys: BTreeMap<KeyId, PublicKeys>,
    runs: BTreeMap<(Digest, u32), Run>,
    ceremonies: BTreeMap<KeyId, Ceremony>,
    ticks: u64,
}

type Step = Result<Vec<Record>, StageError>;

/// A record of a batch, opened.
enum Opened {
    Request(SigningRequested, Cause),
    Answer(u16, SignerMessage, Cause, Vec<u8>),
}

impl CoordinatorStage {
    /// The coordinator under its identity, reading its replica.
    #[must_use]
    pub fn new(post: Post, journal: Arc<SharedFollower>, pace: Pace) -> Self {
        let genesis = journal.read(|f| Arc::clone(f.genesis()));
        Self {
            post,
            journal,
            genesis,
            pace,
            stock: Stock::default(),
            chooser: Chooser::default(),
            keys: BTreeMap::new(),
            runs: BTreeMap::new(),
            ceremonies: BTreeMap::new(),
            ticks: 0,
        }
    }

    fn open(&self, delivered: &Delivered) -> Result<Opened, StageError> {
        let registered = self.journal.read(|f| Arc::clone(f.state().registered()));
        if delivered.topic.as_str() == topics::SIGNING_REQUESTED {
            let (envelope, request) = open_record::<SigningRequested>(
                delivered,
                registered.as_ref(),
                &[Role::Transactions],
            )?;
            return Ok(Opened::Request(request, Cause::of(delivered, &envelope)));
        }
        let (envelope, answer) =
            open_record::<SignerMessage>(delivered, registered.as_ref(), &[Role::Signer])?;
        let seat = self.genesis.signer_by_node(envelope.from);
        let seat = seat.ok_or_else(|| StageError::poison("not a signer"))?;
        // Each signer has its own topic: nobody speaks on another's.
        if delivered.topic.as_str() != topics::signer_outbox(envelope.from) {
            return Err(StageError::poison("a signer on another signer's topic"));
        }
        Ok(Opened::Answer(
            seat.index,
            answer,
            Cause::of(delivered, &envelope),
            delivered.record.payload.clone(),
        ))
    }

    fn key(&self, tenant: TenantId, key: KeyId) -> Option<KeyRecord> {
        self.journal
            .read(|f| f.state().threshold_key(tenant, key))
            .ok()
            .filter(|k| !k.revoked)
    }

    fn node(&self, index: u16) -> Result<NodeId, StageError> {
        self.genesis
            .signer(index)
            .map(|seat| seat.node)
            .ok_or_else(|| StageError::fatal("unknown signer"))
    }

    fn send(
        &mut self,
        now: UnixMs,
        index: u16,
        message: &CoordinatorMessage,
        cause: &Cause,
    ) -> Result<Record, StageError> {
        let node = self.node(index)?;
        self.post.record(
            now,
            (&topics::signer_inbox(node), &cause.session),
            Some(node),
            message,
            cause,
        )
    }

    fn requested(&mut self, now: UnixMs, request: SigningRequested, cause: Cause) -> Step {
        let name = (request.attempt.intent, request.attempt.number);
        // The same transaction again is a reminder; another one (its anchor was taken) replaces the
        // run.
        let known = self
            .runs
            .get(&name)
            .is_some_and(|run| run.request.unsigned == request.unsigned);
        if now >= cause.deadline || known {
            return Ok(Vec::new());
        }
        self.runs.insert(name, Run::new(request, cause, now));
        self.advance(now, name)
    }

    /// Asks a quorum, if none is asked and one is there.
    fn advance(&mut self, now: UnixMs, name: (Digest, u32)) -> Step {
        let Some(mut run) = self.runs.remove(&name) else {
            return Ok(Vec::new());
        };
        let mut records = Vec::new();
        if run.asked.is_none() && now >= run.not_before {
            records = self.ask(now, &mut run)?;
        }
        self.runs.insert(name, run);
        Ok(records)
    }

    fn ask(&mut self, now: UnixMs, run: &mut Run) -> Step {
        let (tenant, key) = (run.request.tenant, run.request.key);
        let Some(record) = self.key(tenant, key) else {
            return Ok(Vec::new());
        };
        let (slots, t) = (
            run.request.slots.len(),
            usize::from(record.plan.min_signers),
        );
        let stock = &self.stock;
        let ready = |signer| stock.count(key, signer) >= slots;
        let quorum = self
            .chooser
            .choose(&record.plan.roster, t, &run.excluded, ready, now);
        let Some(quorum) = quorum else {
            return self.refill(now, tenant, key, &record.plan.roster);
        };
        let stock = &mut self.stock;
        // By the signer's clock, which may be ahead of this one by the skew.
        let life_ms = self.pace.try_ms.saturating_add(self.genesis.bounds.skew_ms);
        let deadline = run.cause.deadline.min(now.plus(life_ms));
        run.cause.marks =
            std::mem::take(&mut run.cause.marks).with(Layer::Coordinator, now.0 * 1000);
        let cause = run.cause.clone().until(deadline);
        let Some(asked) = run.ask(quorum, now, |signer| stock.take(key, signer)) else {
            return Ok(Vec::new());
        };
        let cause = Cause {
            session: asked.session.0,
            ..cause
        };
        let (message, quorum) = (
            CoordinatorMessage::Sign(asked.request.clone()),
            asked.quorum.clone(),
        );
        quorum
            .iter()
            .map(|index| self.send(now, *index, &message, &cause))
            .collect()
    }

    fn refill(&mut self, now: UnixMs, tenant: TenantId, key: KeyId, roster: &[u16]) -> Step {
        let mut records = Vec::new();
        for index in roster {
            let Some(count) = self.stock.wanted(key, *index, now) else {
                continue;
            };
            let seed: [&[u8]; 3] = [b"prepare", &key.0, &now.0.to_be_bytes()];
            let cause = Cause::own(&seed, now.plus(self.pace.run_ms));
            records.push(self.send(
                now,
                *index,
                &CoordinatorMessage::Prepare { tenant, key, count },
                &cause,
            )?);
        }
        Ok(records)
    }

    fn answered(
        &mut self,
        now: UnixMs,
        index: u16,
        answer: SignerMessage,
        cause: &Cause,
        sealed: Vec<u8>,
    ) -> Step {
        self.chooser.heard(index);
        match answer {
            SignerMessage::Commitments {
                key, commitments, ..
            } => {
                self.stock.add(key, index, commitments);
                let open: Vec<_> = self
                    .runs
                    .iter()
                    .filter(|(_, r)| r.asked.is_none())
                    .map(|(n, _)| *n)
                    .collect();
                let mut records = Vec::new();
                for name in open {
                    records.extend(self.advance(now, name)?);
                }
                Ok(records)
            }
            SignerMessage::Shares {
                request,
                shares,
                covered_us,
                ..
            } => self.shares(now, index, request, shares, covered_us),
            SignerMessage::Refused(refusal) => {
                self.ceremonies
                    .values_mut()
                    .filter(|c| refusal.session.0 == [0; 16] && c.roster.contains(&index))
                    .for_each(|c| c.refused(now));
                self.refused(now, index, refusal)
            }
            SignerMessage::Ceremony(message) => {
                let relay = CoordinatorMessage::Relay(sealed);
                let Some(ceremony) = self.ceremonies.get(&message.key) else {
                    return Ok(Vec::new());
                };
                let to = |peer: &&u16| **peer != index && message.to.is_none_or(|to| to == **peer);
                let peers: Vec<u16> = ceremony.roster.iter().filter(to).copied().collect();
                peers
                    .iter()
                    .map(|peer| self.send(now, *peer, &relay, cause))
                    .collect()
            }
            SignerMessage::Certificate {
                key,
                signature,
                public,
                transcript,
                ..
            } => {
                let Ok(signature) = signature.as_slice().try_into() else {
                    return Ok(Vec::new());
                };
                let Some(ceremony) = self.ceremonies.get_mut(&key) else {
                    return Ok(Vec::new());
                };
                let tenant = ceremony.tenant;
                let Some(body) = ceremony.certified(key, index, signature, transcript, public)
                else {
                    return Ok(Vec::new());
                };
                let submitted = JournalSubmitted {
                    submission: first_half(transcript),
                    body: encode(&body),
                };
                let cause = Cause::own(
                    &[b"finished", &transcript.0, &now.0.to_be_bytes()],
                    now.plus(self.pace.run_ms),
                );
                let to = (topics::JOURNAL_SUBMITTED, tenant.0.as_slice());
                Ok(vec![self.post.record(now, to, None, &submitted, &cause)?])
            }
        }
    }

    fn shares(
        &mut self,
        now: UnixMs,
        index: u16,
        request: Digest,
        shares: Vec<Vec<u8>>,
        covered_us: u64,
    ) -> Step {
        let Some(name) = self.asked(request) else {
            return Ok(Vec::new());
        };
        let Some(mut run) = self.runs.remove(&name) else {
            return Ok(Vec::new());
        };
        let mut full = false;
        if let Some(asked) = run
            .asked
            .as_mut()
            .filter(|asked| asked.quorum.contains(&index))
        {
            asked.shares.insert(index, shares);
            asked.covered_us = asked.covered_us.max(covered_us);
            full = asked.shares.len() == asked.quorum.len();
        }
        if !full {
            self.runs.insert(name, run);
            return Ok(Vec::new());
        }
        match self.aggregate(&run) {
            Ok(signatures) => self.finish(now, &run, Outcome::Signed(signatures)),
            Err(culprits) => {
                tracing::warn!(?culprits, "invalid signature shares");
                run.excluded.extend(culprits);
                run.asked = None;
                self.runs.insert(name, run);
                self.advance(now, name)
            }
        }
    }

    fn aggregate(&mut self, run: &Run) -> Result<Vec<Vec<u8>>, Vec<u16>> {
        let key = self
            .key(run.request.tenant, run.request.key)
            .ok_or_else(Vec::new)?;
        let public = key.public.as_ref().ok_or_else(Vec::new)?;
        let keys = match self.keys.entry(run.request.key) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => {
                let opened = PublicKeyRecord::from_bytes(&public.record).and_then(PublicKeys::open);
                new.insert(opened.map_err(|_| Vec::new())?)
            }
        };
        run.aggregate(&key, keys)
    }

    fn finish(&mut self, now: UnixMs, run: &Run, outcome: Outcome) -> Step {
        let covered = run.asked.as_ref().map_or(0, |asked| asked.covered_us);
        let marks = run
            .cause
            .marks
            .clone()
            .with(Layer::Journal, covered)
            .with(Layer::Mpc, now.0 * 1000);
        let attempt = &run.request.attempt;
        let vault = run.request.vault;
        let finished = SigningFinished {
            intent: attempt.intent,
            attempt: attempt.number,
            vault,
            outcome,
        };
        let cause = Cause {
            marks,
            ..run.cause.clone()
        };
        Ok(vec![self.post.record(
            now,
            (topics::SIGNING_FINISHED, &vault.0),
            None,
            &finished,
            &cause,
        )?])
    }

    /// The run whose current request has this digest.
    fn asked(&self, request: Digest) -> Option<(Digest, u32)> {
        let current = |run: &Run| {
            run.asked
                .as_ref()
                .is_some_and(|asked| request_digest(&asked.request) == request)
        };
        self.runs
            .iter()
            .find(|(_, run)| current(run))
            .map(|(name, _)| *name)
    }

    /// One refusal is one signer's word: others are asked while t of them are left.
    fn refused(
        &mut self,
        now: UnixMs,
        index: u16,
        refusal: strongroom_wire::SignerRefusal,
    ) -> Step {
        let Some(name) = self.asked(refusal.request) else {
            return Ok(Vec::new());
        };
        let Some(mut run) = self.runs.remove(&name) else {
            return Ok(Vec::new());
        };
        let code = refusal.code;
        run.asked = None;
        run.refusals.insert(index, refusal);
        if matches!(code, Code::CommitmentUnknown | Code::NonceUsed) {
            self.stock.clear(run.request.key, index);
        }
        if may_pass(code) {
            run.not_before = now.plus(self.pace.again_ms);
            self.runs.insert(name, run);
            return Ok(Vec::new());
        }
        run.excluded.insert(index);
        if self.enough_left(&run) {
            self.runs.insert(name, run);
            return self.advance(now, name);
        }
        let refusals = run.refusals.values().cloned().collect();
        self.finish(now, &run, Outcome::Failed(refusals))
    }

    fn enough_left(&self, run: &Run) -> bool {
        let key = self.key(run.request.tenant, run.request.key);
        key.is_some_and(|key| {
            let left = key
                .plan
                .roster
                .iter()
                .filter(|signer| !run.excluded.contains(signer))
                .count();
            left >= usize::from(key.plan.min_signers)
        })
    }

    /// Replaces silent quorums and drops runs whose time is over.
    fn timeouts(&mut self, now: UnixMs) -> Step {
        let pace = self.pace;
        let over = |run: &Run| now >= run.cause.deadline || now.since(run.started) >= pace.run_ms;
        self.runs.retain(|_, run| !over(run));
        let mut records = Vec::new();
        for name in self.runs.keys().copied().collect::<Vec<_>>() {
            if let Some(run) = self.runs.get_mut(&name)
                && let Some(asked) = run
                    .asked
                    .take_if(|asked| now.since(asked.sent) >= pace.try_ms)
            {
                let silent = asked
                    .quorum
                    .iter()
                    .filter(|signer| !asked.shares.contains_key(signer));
                silent.for_each(|signer| self.chooser.silent(*signer, now));
            }
            records.extend(self.advance(now, name)?);
        }
        Ok(records)
    }

    /// Keeps every usable key's stock filled and starts released ceremonies.
    fn tend(&mut self, now: UnixMs) -> Step {
        let keys: Vec<(TenantId, KeyRecord)> = self.journal.read(|f| {
            let of = |tenant: TenantId| {
                f.state()
                    .keys(tenant)
                    .into_iter()
                    .map(move |key| (tenant, key))
            };
            f.state()
                .tenants()
                .into_iter()
                .flat_map(of)
                .filter(|(_, key)| !key.revoked)
                .collect()
        });
        let mut records = Vec::new();
        for (tenant, key) in keys {
            let id = key.plan.key;
            if key.public.is_some() {
                self.ceremonies.remove(&id);
                records.extend(self.refill(now, tenant, id, &key.plan.roster)?);
                continue;
            }
            let ceremony = self
                .ceremonies
                .entry(id)
                .or_insert_with(|| Ceremony::new(tenant, &key));
            let Some(run) = ceremony.due(now) else {
                continue;
            };
            let cause = Cause::own(
                &[b"ceremony", &id.0, &now.0.to_be_bytes()],
                now.plus(self.pace.run_ms),
            );
            let message = CoordinatorMessage::Ceremony {
                tenant,
                key: id,
                run,
            };
            for index in &key.plan.roster {
                records.push(self.send(now, *index, &message, &cause)?);
            }
        }
        Ok(records)
    }
}

impl Stage for CoordinatorStage {
    fn name(&self) -> &'static str {
        "coordinator"
    }

    fn topics(&self) -> Vec<Topic> {
        let outboxes = self
            .genesis
            .signers
            .iter()
            .map(|seat| topics::signer_outbox(seat.node));
        let names = outboxes.chain([topics::SIGNING_REQUESTED.to_owned()]);
        names.filter_map(|name| Topic::new(&name).ok()).collect()
    }

    fn migrations(&self) -> &'static [Migration] {
        &[]
    }

    /// Opens the whole batch before anything is done, so that a poison record leaves memory as it
    /// was.
    fn handle(&mut self, now_ms: u64, _: &mut dyn Tx, batch: &[Delivered]) -> Step {
        let now = UnixMs(now_ms);
        let opened: Vec<Opened> = batch
            .iter()
            .map(|delivered| self.open(delivered))
            .collect::<Result<_, _>>()?;
        let mut records = Vec::new();
        for record in opened {
            records.extend(match record {
                Opened::Request(request, cause) => self.requested(now, request, cause)?,
                Opened::Answer(index, answer, cause, sealed) => {
                    self.answered(now, index, answer, &cause, sealed)?
                }
            });
        }
        Ok(records)
    }

    fn tick(&mut self, now_ms: u64, _: &mut dyn Tx) -> Step {
        let now = UnixMs(now_ms);
        self.ticks += 1;
        let mut records = self.timeouts(now)?;
        if self.ticks % 5 == 1 {
            records.extend(self.tend(now)?);
        }
        Ok(records)
    }

    fn tick_every_ms(&self) -> u64 {
        20
    }

    fn stateless(&self) -> bool {
        true
    }
}
