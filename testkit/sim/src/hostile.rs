//! Hostile parts: each holds its service's own valid key and uses it.

use crate::hub::{Inner, below};
use crate::kinds::{Hostile, NodeName};
use crate::plan::Plan;
use ed25519_dalek::SigningKey;
use rand_chacha::ChaCha20Rng;
use std::collections::{BTreeMap, BTreeSet};
use strongroom_chain_bitcoin::encode::Unsigned;
use strongroom_chain_bitcoin::{Network, address};
use strongroom_journal::Body;
use strongroom_ports::bus::{Headers, Record, Topic};
use strongroom_stage::post::first_half;
use strongroom_types::attempt::unsigned_digest;
use strongroom_types::{
    Act, Attempt, AttemptKind, ConflictKey, Digest, Document as _, KeyId, NodeId, SessionId,
    TenantId, digest,
};
use strongroom_wire::envelope::{Envelope, Heading, seal};
use strongroom_wire::{
    CoordinatorMessage, JournalSubmitted, NonceCommitment, Payload, Role, SigningRequest,
    SigningRequested, decode, encode, topics,
};
use strongroom_world::{FRIEND, STRANGER, World};

/// What hostile parts remember.
pub(crate) struct Tamper {
    world: World,
    active: BTreeSet<Hostile>,
    rng: ChaCha20Rng,
    /// Changed transactions by the digest of the honest ones.
    changed: BTreeMap<Digest, Vec<u8>>,
    /// Until then the writer leaves tightenings out.
    pub(crate) withhold_until: u64,
    number: u64,
    /// Hostile parts have stopped.
    pub(crate) over: bool,
}

impl Tamper {
    pub(crate) fn new(world: World, plan: &Plan) -> Self {
        let rng = world.seed.rng("hostile", 0);
        Self {
            world,
            active: plan.hostile.clone(),
            rng,
            changed: BTreeMap::new(),
            withhold_until: 0,
            number: 0,
            over: false,
        }
    }

    fn does(&self, what: Hostile) -> bool {
        !self.over && self.active.contains(&what)
    }

    fn key(&self, role: Role) -> (NodeId, SigningKey) {
        let service = self.world.service(role);
        (service.node, service.signing.clone())
    }

    pub(crate) fn withholds(&self, record: &Record) -> bool {
        if self.over || self.withhold_until == 0 {
            return false;
        }
        let registered = strongroom_journal::genesis::Registered::of(&self.world.genesis);
        let Ok(envelope) = strongroom_wire::open(&record.payload, &registered, &[Role::Api]) else {
            return false;
        };
        let Ok(submitted) = envelope.payload::<JournalSubmitted>() else {
            return false;
        };
        match decode::<Body>(&submitted.body) {
            Ok(Body::Act(signed)) => Act::parse(&signed.text).is_ok_and(|act| act.is_tightening()),
            _ => false,
        }
    }

    /// The same envelope with another payload, under the service's own key and a message id of its
    /// own.
    fn again<T: Payload>(
        &mut self,
        role: Role,
        record: &Record,
        envelope: &Envelope,
        payload: &T,
    ) -> Record {
        let (_, key) = self.key(role);
        let heading = Heading {
            genesis: envelope.genesis,
            from: envelope.from,
            to: envelope.to,
            session: envelope.session,
            sequence: envelope.sequence,
            created: envelope.created,
            deadline: envelope.deadline,
        };
        let mut record = record.clone();
        record.payload = seal(heading, payload, &key);
        record.headers.msg_id = first_half(digest(
            "strongroom/sim-hostile/v1",
            &[&encode(payload), &record.headers.msg_id],
        ));
        record
    }

    /// Another transaction: somebody else is paid, or somebody else gets the change.
    fn another(&self, unsigned: &[u8], change: bool) -> Option<Vec<u8>> {
        let mut form = Unsigned::decode(unsigned, Network::Regtest).ok()?;
        let at = form
            .outputs
            .iter()
            .position(|own| own.is_some() == change)?;
        let friend = address::parse(FRIEND, Network::Regtest).ok()?;
        let stranger = address::parse(STRANGER, Network::Regtest).ok()?;
        let output = form.transaction.output.get_mut(at)?;
        output.script_pubkey = if output.script_pubkey == friend {
            stranger
        } else {
            friend
        };
        form.encode(Network::Regtest).ok()
    }
}

impl Inner {
    /// What really leaves a node whose operator is hostile.
    pub(crate) fn tampered(&mut self, node: NodeName, record: &Record) -> Vec<Record> {
        let changed = match (node, record.topic.as_str()) {
            (NodeName::Transactions, topics::SIGNING_REQUESTED) => self.other_request(record),
            (NodeName::Transactions, topics::JOURNAL_SUBMITTED) => self.other_attempt(record),
            (NodeName::Coordinator, topic) if topic.ends_with(".inbox.v1") => self.swapped(record),
            _ => None,
        };
        vec![changed.unwrap_or_else(|| record.clone())]
    }

    /// Before a batch of records leaves the transactions service: which transactions are changed.
    pub(crate) fn plan_changes(&mut self, node: NodeName, records: &[Record]) {
        if node != NodeName::Transactions {
            return;
        }
        let change = self.tamper.does(Hostile::ForeignChange);
        if !change && !self.tamper.does(Hostile::PaySomebodyElse) {
            return;
        }
        for record in records
            .iter()
            .filter(|r| r.topic.as_str() == topics::SIGNING_REQUESTED)
        {
            let Some((_, wanted)) = self.observer.read::<SigningRequested>(&record.payload) else {
                continue;
            };
            let name = unsigned_digest(&wanted.unsigned);
            // Every other intent, so that honest ones are signed beside.
            if name.0[0] & 1 == 0 || self.tamper.changed.contains_key(&name) {
                continue;
            }
            if let Some(other) = self.tamper.another(&wanted.unsigned, change) {
                self.tamper.changed.insert(name, other);
                let what = if change {
                    Hostile::ForeignChange
                } else {
                    Hostile::PaySomebodyElse
                };
                self.count_hostile(what);
                self.log(&format!("hostile: {what}"));
            }
        }
    }

    fn other_request(&mut self, record: &Record) -> Option<Record> {
        if self.tamper.changed.is_empty() {
            return None;
        }
        let (envelope, mut wanted) = self.observer.read::<SigningRequested>(&record.payload)?;
        let other = self
            .tamper
            .changed
            .get(&unsigned_digest(&wanted.unsigned))?
            .clone();
        wanted.attempt.unsigned_digest = unsigned_digest(&other);
        wanted.unsigned = other;
        Some(
            self.tamper
                .again(Role::Transactions, record, &envelope, &wanted),
        )
    }

    fn other_attempt(&mut self, record: &Record) -> Option<Record> {
        if self.tamper.changed.is_empty() {
            return None;
        }
        let (envelope, submitted) = self.observer.read::<JournalSubmitted>(&record.payload)?;
        let Ok(Body::Authorized(mut authorization)) = decode(&submitted.body) else {
            return None;
        };
        let other = self
            .tamper
            .changed
            .get(&authorization.attempt.unsigned_digest)?;
        authorization.attempt.unsigned_digest = unsigned_digest(other);
        let body = encode(&Body::Authorized(authorization));
        let submitted = JournalSubmitted { body, ..submitted };
        Some(
            self.tamper
                .again(Role::Transactions, record, &envelope, &submitted),
        )
    }

    fn swapped(&mut self, record: &Record) -> Option<Record> {
        if !self.tamper.does(Hostile::SwapTransaction) || below(&mut self.tamper.rng, 3) > 0 {
            return None;
        }
        let (envelope, message) = self.observer.read::<CoordinatorMessage>(&record.payload)?;
        let CoordinatorMessage::Sign(mut request) = message else {
            return None;
        };
        request.unsigned = self.tamper.another(&request.unsigned, false)?;
        self.count_hostile(Hostile::SwapTransaction);
        self.log("hostile: swap_transaction");
        Some(self.tamper.again(
            Role::Coordinator,
            record,
            &envelope,
            &CoordinatorMessage::Sign(request),
        ))
    }

    /// One act of a hostile part. `ForkedLog` is done at the link of its victim.
    pub(crate) fn act_hostile(&mut self, what: Hostile) {
        let done = match what {
            Hostile::ReplayRequests => self.replay_request(),
            Hostile::TwoQuorums => self.two_quorums(),
            Hostile::ReuseNonce => self.reuse_nonce(),
            Hostile::UnapprovedCeremony => self.unapproved_ceremony(),
            Hostile::OtherAnchor => self.other_anchor(),
            Hostile::SwapTransaction
            | Hostile::PaySomebodyElse
            | Hostile::ForeignChange
            | Hostile::WithholdTightening
            | Hostile::ForkedLog => None,
        };
        if done.is_some() {
            self.count_hostile(what);
            self.log(&format!("hostile: {what}"));
        }
    }

    fn replay_request(&mut self) -> Option<()> {
        let count = self.observer.asked.len() as u64;
        let request = self
            .observer
            .asked
            .get(below(&mut self.tamper.rng, count) as usize)?
            .clone();
        for index in [1, 2, 3] {
            self.command(index, &CoordinatorMessage::Sign(request.clone()));
        }
        Some(())
    }

    /// One of the newest wanted transactions, asked of all three pairs.
    fn two_quorums(&mut self) -> Option<()> {
        let back = 1 + below(&mut self.tamper.rng, 3) as usize;
        let count = self.observer.wanted.len();
        let wanted = self.observer.wanted.get(count.checked_sub(back)?)?.clone();
        for pair in [[1, 2], [1, 3], [2, 3]] {
            let mut commitments = Vec::new();
            for _ in &wanted.slots {
                let slot: Option<Vec<_>> = pair
                    .iter()
                    .map(|index| Some((*index, self.stolen(*index)?)))
                    .collect();
                commitments.push(slot?);
            }
            let request = self.request(&wanted, commitments);
            pair.iter()
                .for_each(|index| self.command(*index, &CoordinatorMessage::Sign(request.clone())));
        }
        Some(())
    }

    /// A commitment that was published and not used yet, as far as the coordinator knows: from the
    /// newest end.
    fn stolen(&mut self, index: u16) -> Option<NonceCommitment> {
        self.observer.commitments.get_mut(&index)?.pop()
    }

    /// The commitments of a request that was answered, under another package.
    fn reuse_nonce(&mut self) -> Option<()> {
        let answered = |request: &&SigningRequest| {
            self.observer
                .shared
                .contains(&strongroom_signer_core::request_digest(request))
        };
        let used = self.observer.asked.iter().rev().find(answered)?.clone();
        let newest = self.observer.wanted.last()?.clone();
        let fits =
            newest.slots.len() == used.commitments.len() && newest.attempt.intent != used.intent;
        let mut request = if fits {
            self.request(&newest, used.commitments.clone())
        } else {
            used.clone()
        };
        if !fits {
            // The same transaction with another partner's commitment.
            let partner = request.commitments.first()?.last()?.0;
            let other = self.stolen(partner)?;
            request.commitments.first_mut()?.last_mut()?.1 = other;
        }
        for (index, _) in used.commitments.first()? {
            self.command(*index, &CoordinatorMessage::Sign(request.clone()));
        }
        Some(())
    }

    fn unapproved_ceremony(&mut self) -> Option<()> {
        self.tamper.number += 1;
        let key = KeyId(
            self.tamper
                .world
                .seed
                .id("unapproved key", self.tamper.number),
        );
        let tenant: TenantId = self.tamper.world.tenant.id;
        for index in [1, 2, 3] {
            self.command(
                index,
                &CoordinatorMessage::Ceremony {
                    tenant,
                    key,
                    run: 1,
                },
            );
        }
        Some(())
    }

    /// A second attempt on another anchor: offered to the journal, and signers are asked for it
    /// directly.
    fn other_anchor(&mut self) -> Option<()> {
        let wanted = self.observer.wanted.last()?.clone();
        let anchor = ConflictKey(format!("{}:7", wanted.attempt.intent));
        let attempt = Attempt {
            number: 2,
            kind: AttemptKind::Pay,
            anchor: anchor.clone(),
            conflict_keys: vec![anchor],
            ..wanted.attempt.clone()
        };
        let submission = first_half(digest(
            "strongroom/sim-other-anchor/v1",
            &[&encode(&attempt)],
        ));
        let submitted = JournalSubmitted {
            submission,
            body: encode(&Body::Attempt(attempt.clone())),
        };
        self.say(
            Role::Transactions,
            (topics::JOURNAL_SUBMITTED, &wanted.tenant.0),
            None,
            &submitted,
        );
        let mut commitments = Vec::new();
        for _ in &wanted.slots {
            commitments.push(vec![(1, self.stolen(1)?), (2, self.stolen(2)?)]);
        }
        let request = SigningRequest {
            attempt: 2,
            ..self.request(&wanted, commitments)
        };
        [1, 2]
            .iter()
            .for_each(|index| self.command(*index, &CoordinatorMessage::Sign(request.clone())));
        Some(())
    }

    fn request(
        &mut self,
        wanted: &SigningRequested,
        commitments: Vec<Vec<(u16, NonceCommitment)>>,
    ) -> SigningRequest {
        self.tamper.number += 1;
        SigningRequest {
            session: SessionId(
                self.tamper
                    .world
                    .seed
                    .id("hostile session", self.tamper.number),
            ),
            tenant: wanted.tenant,
            intent: wanted.attempt.intent,
            attempt: wanted.attempt.number,
            key: wanted.key,
            unsigned: wanted.unsigned.clone(),
            commitments,
        }
    }

    /// A message of the coordinator to one signer.
    fn command(&mut self, index: u16, message: &CoordinatorMessage) {
        let node = self.tamper.world.signer(index).node;
        self.say(
            Role::Coordinator,
            (&topics::signer_inbox(node), &[]),
            Some(node),
            message,
        );
    }

    /// A record of a service, under its own key.
    fn say<T: Payload>(
        &mut self,
        role: Role,
        (topic, key): (&str, &[u8]),
        to: Option<NodeId>,
        payload: &T,
    ) {
        self.tamper.number += 1;
        let (from, signing) = self.tamper.key(role);
        let now = strongroom_types::UnixMs(self.now);
        let (genesis, deadline) = (self.tamper.world.genesis.hash(), now.plus(8_000));
        let heading = Heading {
            genesis,
            from,
            to,
            session: [0; 16],
            sequence: self.tamper.number,
            created: now,
            deadline,
        };
        let payload_bytes = seal(heading, payload, &signing);
        let msg_id = first_half(digest("strongroom/sim-hostile/v1", &[&payload_bytes]));
        let headers = Headers {
            msg_id,
            schema: T::SCHEMA.0,
            deadline_ms: deadline.0,
            ..Headers::default()
        };
        let record = Record {
            topic: Topic::new(topic).unwrap(),
            key: key.to_vec(),
            headers,
            payload: payload_bytes,
        };
        self.saw_published(NodeName::Coordinator, &record);
        self.send(record);
    }
}
