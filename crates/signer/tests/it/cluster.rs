//! Writer, signers and witness on one virtual clock, with a bus that the test holds in its hand.

mod keys;

use crate::machine::Machine;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use strongroom_journal::Body;
use strongroom_journal::follower::Follower;
use strongroom_journal::state::Lookup as _;
use strongroom_journal::writer::{Offer, Orderer};
use strongroom_types::{ActBody, NodeId, Refusal, RegistryRecord, Tighten, UnixMs};
use strongroom_wire::envelope::Heading;
use strongroom_wire::frame::{FromSigner, ToSigner};
use strongroom_wire::{
    CoordinatorMessage, JournalBatch, Role, Senders as _, SignerMessage, WitnessCosignature, open,
    seal, topics,
};
use strongroom_world::{Ledger, Letter, Sender, ServiceKeys, Who, World, WorldOptions};

pub struct Cluster {
    pub world: World,
    pub now: UnixMs,
    pub machines: BTreeMap<NodeId, Machine>,
    /// Machines that get nothing of the journal.
    pub cut_off: BTreeSet<NodeId>,
    /// Whether cosignatures stay in `withheld` instead of reaching the other nodes.
    pub withhold: bool,
    pub withheld: Vec<(NodeId, Vec<u8>)>,
    /// Whether the writer appends no ticks.
    pub quiet: bool,
    /// What signers said to the coordinator, with the sealed record.
    pub said: Vec<(u16, SignerMessage, Vec<u8>)>,
    /// What nodes submitted to the writer, sealed.
    pub submitted: Vec<(NodeId, Vec<u8>)>,
    /// Every published batch, sealed.
    pub batches: Vec<(u64, Vec<u8>)>,
    writer: Follower,
    orderer: Orderer,
    pub sequence: u64,
}

impl Cluster {
    /// Signers and witnesses run; the journal has genesis and the tenant.
    pub fn new() -> Self {
        Self::with(WorldOptions::default())
    }

    pub fn with(options: WorldOptions) -> Self {
        let world = World::new(1, options);
        let ids: Vec<NodeId> = world.genesis.witness_keys().map(|(node, _)| node).collect();
        let machines = ids
            .into_iter()
            .map(|id| (id, Machine::new(&world, id)))
            .collect();
        let orderer = Orderer::new(&world.genesis, &world.log_key.to_bytes()).unwrap();
        let writer = Follower::new(world.genesis.clone()).unwrap();
        let mut cluster = Self {
            now: strongroom_world::START,
            machines,
            cut_off: BTreeSet::new(),
            withhold: false,
            quiet: false,
            withheld: Vec::new(),
            said: Vec::new(),
            submitted: Vec::new(),
            batches: Vec::new(),
            writer,
            orderer,
            sequence: 0,
            world,
        };
        let now = cluster.now;
        cluster
            .machines
            .values_mut()
            .for_each(|machine| machine.start(now).unwrap());
        let tenant = cluster.world.create_tenant(now);
        cluster.submit(Body::Act(tenant)).unwrap();
        cluster
    }

    /// A cluster with a key made by its signers, and a vault.
    pub fn ready() -> Self {
        Self::ready_with(WorldOptions::default())
    }

    pub fn ready_with(options: WorldOptions) -> Self {
        let mut cluster = Self::with(options);
        cluster.release_ceremony();
        let finished = cluster.run_ceremony(1);
        cluster.submit(Body::Finished(Box::new(finished))).unwrap();
        let vault = cluster.world.tenant.first_vault();
        cluster.act(
            ActBody::Put(RegistryRecord::Vault(vault)),
            &cluster.ledger().admins(),
        );
        cluster.said.clear();
        cluster
    }

    pub fn signer(&mut self, index: u16) -> &mut Machine {
        let id = self.world.signer(index).node;
        self.machines.get_mut(&id).unwrap()
    }

    pub fn signer_id(&self, index: u16) -> NodeId {
        self.world.signer(index).node
    }

    pub fn witness_id(&self) -> NodeId {
        self.world.witnesses[0].node
    }

    /// The writer's state as a ledger: for its short forms only.
    pub fn ledger(&self) -> Ledger {
        let mut ledger = Ledger::empty(self.world.clone());
        ledger.state = self.writer.state().clone();
        ledger.now = self.now;
        ledger
    }

    pub fn size(&self) -> u64 {
        self.writer.size()
    }

    pub fn writer(&self) -> &Follower {
        &self.writer
    }

    /// Orders a body and publishes it.
    pub fn submit(&mut self, body: Body) -> Result<u64, Refusal> {
        let seq = self.order(body)?;
        self.pump();
        self.settle();
        Ok(seq)
    }

    /// Has the writer append what the witnesses' words settle, a second later.
    fn settle(&mut self) {
        let Some(offer) = Orderer::witnessed_due(&self.writer) else {
            return;
        };
        self.now = self.now.plus(1000);
        self.order_offer(offer).unwrap();
        self.pump();
    }

    /// Orders a body; it is in `batches` and nowhere else.
    pub fn order(&mut self, body: Body) -> Result<u64, Refusal> {
        self.order_offer(strongroom_world::offer(&body, self.world.scope()))
    }

    /// Orders and publishes a body with a stamp of the writer's choice, and nothing of what the
    /// witnesses then say.
    pub fn back_date(&mut self, body: Body, stamp: UnixMs) {
        let now = std::mem::replace(&mut self.now, stamp);
        self.order(body).unwrap();
        self.now = now;
    }

    fn order_offer(&mut self, offer: Offer) -> Result<u64, Refusal> {
        let rng = &mut self.world.seed.rng("salts", self.writer.size());
        let ordered = self
            .orderer
            .order(&mut self.writer, self.now, &[offer], rng)?;
        for batch in ordered.batches {
            let sealed = self.seal_batch(&batch.batch);
            self.batches.push((batch.batch.first_seq, sealed));
        }
        ordered.results.into_iter().next().unwrap()
    }

    pub fn seal_batch(&mut self, batch: &JournalBatch) -> Vec<u8> {
        self.seal(Role::Writer, None, batch, 60_000)
    }

    /// Any payload as a service's record.
    pub fn seal<T: strongroom_wire::Payload>(
        &mut self,
        role: Role,
        to: Option<NodeId>,
        payload: &T,
        life_ms: u64,
    ) -> Vec<u8> {
        let service = self.world.service(role).clone();
        self.seal_as(&service, to, payload, life_ms)
    }

    /// As [`Self::seal`], of one instance of a service.
    pub fn seal_as<T: strongroom_wire::Payload>(
        &mut self,
        service: &ServiceKeys,
        to: Option<NodeId>,
        payload: &T,
        life_ms: u64,
    ) -> Vec<u8> {
        self.sequence += 1;
        let heading = Heading {
            genesis: self.world.genesis.hash(),
            from: service.node,
            to,
            session: [0; 16],
            cause: u128::from(self.sequence).to_be_bytes(),
            sequence: self.sequence,
            created: self.now,
            deadline: self.now.plus(life_ms),
        };
        seal(heading, payload, &service.signing)
    }

    /// A witness's word over any body, under its own keys.
    pub fn cosigned(&self, seat: u16, body: &str) -> Vec<u8> {
        let cosignature = self.world.cosignature(seat, body, self.now);
        let topic = topics::cosignatures(self.world.seat(seat).node);
        let letter = Letter::new(&topic, self.now);
        let record = self.world.record(Sender::Seat(seat), letter, &cosignature);
        record.payload
    }

    /// Appends an act of the tenant.
    pub fn act(&mut self, body: ActBody, who: &[Who]) -> u64 {
        let act = self.ledger().signed_act(body, who);
        self.submit(Body::Act(act)).unwrap()
    }

    /// Appends the platform's quarantine of a signer.
    pub fn quarantine(&mut self, index: u16) {
        let signed = self.quarantine_act(index);
        self.submit(Body::Act(signed)).unwrap();
    }

    /// The same act, which the writer does not have yet.
    pub fn quarantine_act(&self, index: u16) -> strongroom_types::Signed {
        let version = self.writer.state().platform().unwrap().version;
        let body = ActBody::Tighten(Tighten::Quarantine(index));
        let scope = strongroom_types::Scope::Platform;
        let act = self.world.act(self.now, scope, body, version);
        self.world.sign(&act, &[Who::PlatformAdmin])
    }

    pub fn tighten(&mut self, what: Tighten) -> u64 {
        let who = self.ledger().admins();
        self.act(ActBody::Tighten(what), &who)
    }

    /// Brings every machine that is not cut off to the end of the journal, and every cosignature
    /// around.
    pub fn pump(&mut self) {
        loop {
            let mut queue = VecDeque::new();
            let ids: Vec<NodeId> = self.machines.keys().copied().collect();
            for id in ids.iter().filter(|id| !self.cut_off.contains(id)) {
                let Some(node) = self
                    .machines
                    .get_mut(id)
                    .and_then(|machine| machine.node.as_mut())
                else {
                    continue;
                };
                if node.halted().is_some() {
                    continue;
                }
                let FromSigner::Hello { next_seq } = node.hello() else {
                    panic!("hello says hello")
                };
                let due = self.batches.iter().filter(|(first, _)| *first >= next_seq);
                queue.extend(due.map(|(_, sealed)| (*id, ToSigner::Batch(sealed.clone()))));
            }
            if queue.is_empty() {
                return;
            }
            self.run(queue);
        }
    }

    /// Hands frames to nodes until no node has anything more to say.
    pub fn run(&mut self, mut queue: VecDeque<(NodeId, ToSigner)>) {
        while let Some((id, frame)) = queue.pop_front() {
            let now = self.now;
            let Some(node) = self
                .machines
                .get_mut(&id)
                .and_then(|machine| machine.node.as_mut())
            else {
                continue;
            };
            let out = node.handle(frame, now).unwrap();
            self.take(id, out, &mut queue);
        }
    }

    /// One frame to one node; gives what the signers then said to the coordinator.
    pub fn give(&mut self, id: NodeId, frame: ToSigner) -> Vec<SignerMessage> {
        let before = self.said.len();
        self.run([(id, frame)].into());
        self.said[before..]
            .iter()
            .map(|(_, message, _)| message.clone())
            .collect()
    }

    fn take(
        &mut self,
        from: NodeId,
        out: Vec<FromSigner>,
        queue: &mut VecDeque<(NodeId, ToSigner)>,
    ) {
        for frame in out {
            match frame {
                FromSigner::Hello { .. } => panic!("hello is the first frame only"),
                FromSigner::Cosignature(sealed) if self.withhold => {
                    self.withheld.push((from, sealed))
                }
                FromSigner::Cosignature(sealed) => self.spread(from, &sealed, queue),
                FromSigner::Submission(sealed) => self.submitted.push((from, sealed)),
                FromSigner::Outbox(sealed) => {
                    let registered = self.writer.state().registered().clone();
                    let envelope =
                        open(&sealed, registered.as_ref(), &[Role::Signer, Role::Witness]).unwrap();
                    assert_eq!(envelope.from, from);
                    let to = envelope.to.and_then(|to| registered.sender(to));
                    assert_eq!(to.map(|to| to.role), Some(Role::Coordinator));
                    let index = self
                        .world
                        .genesis
                        .signer_by_node(from)
                        .map_or(0, |seat| seat.index);
                    self.said.push((index, envelope.payload().unwrap(), sealed));
                }
            }
        }
    }

    fn spread(&mut self, from: NodeId, sealed: &[u8], queue: &mut VecDeque<(NodeId, ToSigner)>) {
        let registered = self.writer.state().registered().clone();
        let envelope = open(sealed, registered.as_ref(), &[Role::Signer, Role::Witness]).unwrap();
        let cosignature: WitnessCosignature = envelope.payload().unwrap();
        self.writer
            .cosignature(envelope.from, &cosignature, self.now)
            .unwrap();
        assert_eq!(registered.genesis(), envelope.genesis);
        let others = self
            .machines
            .keys()
            .filter(|id| **id != from && !self.cut_off.contains(id));
        queue.extend(others.map(|id| (*id, ToSigner::Cosignature(sealed.to_vec()))));
    }

    /// Lets the first `n` withheld cosignatures through.
    pub fn let_through(&mut self, n: usize) {
        let mut queue = VecDeque::new();
        for (from, sealed) in self.withheld.drain(..n).collect::<Vec<_>>() {
            self.spread(from, &sealed, &mut queue);
        }
        self.run(queue);
        self.settle();
    }

    /// Time passes; every node ticks, the writer when its newest entry grows old.
    pub fn wait(&mut self, ms: u64) {
        self.now = self.now.plus(ms);
        let ids: Vec<NodeId> = self.machines.keys().copied().collect();
        let mut queue = VecDeque::new();
        for id in ids {
            let now = self.now;
            let Some(node) = self
                .machines
                .get_mut(&id)
                .and_then(|machine| machine.node.as_mut())
            else {
                continue;
            };
            let out = node.tick(now).unwrap();
            self.take(id, out, &mut queue);
        }
        self.run(queue);

        let quiet_ms = self.world.genesis.bounds.tick_max_ms / 2;
        if !self.quiet && self.now.since(self.writer.tip().at) >= quiet_ms {
            self.submit(Body::Tick).unwrap();
        }
    }

    pub fn to(&mut self, index: u16, message: &CoordinatorMessage) -> Vec<SignerMessage> {
        let id = self.signer_id(index);
        let sealed = self.seal(Role::Coordinator, Some(id), message, 30_000);
        self.give(id, ToSigner::Inbox(sealed))
    }

    pub fn status(&mut self, index: u16) -> BTreeMap<String, String> {
        let now = self.now;
        let reply = self
            .signer(index)
            .node()
            .admin(strongroom_wire::frame::AdminRequest::Status, now);
        let strongroom_wire::frame::AdminReply::Status(text) = reply else {
            panic!("a status")
        };
        let pair = |line: &str| {
            line.split_once(": ")
                .map(|(k, v)| (k.to_owned(), v.to_owned()))
                .unwrap()
        };
        text.lines().map(pair).collect()
    }
}
