//! A coordinator with its journal, its signers and its clock.

use crate::signers::Signers;
use std::collections::VecDeque;
use std::sync::{Arc, OnceLock};
use strongroom_coordinator::{CoordinatorStage, Pace};
use strongroom_journal::State;
use strongroom_journal::follower::Follower;
use strongroom_journal::state::Lookup as _;
use strongroom_ports::bus::{Delivered, Record};
use strongroom_ports::db::Db as _;
use strongroom_replica::SharedFollower;
use strongroom_stage::{Stage as _, StageError};
use strongroom_store_sqlite::SqliteDb;
use strongroom_tlog::{Checkpoint, Hash, NoteSigner, sign_note};
use strongroom_types::{CeremonyPlan, KeyId, NodeId, Suite, UnixMs};
use strongroom_wire::{
    CoordinatorMessage, NonceCommitment, Outcome, Payload, Role, SignerMessage, SigningFinished,
    SigningRequested, SigningSlot, topics,
};
use strongroom_world::{
    Ceremony, FRIEND, Ledger, Letter, Log, Sender, World, WorldOptions, delivered,
};

/// The key whose ceremony is released and not finished.
pub const NEW_KEY: KeyId = KeyId([0x55; 16]);

/// As signers seal their answers.
pub const ANSWER_LIFE_MS: u64 = 60_000;

pub const PACE: Pace = Pace {
    try_ms: 1_500,
    run_ms: 30_000,
    again_ms: 200,
    stock: 256,
};

pub struct Site {
    pub world: World,
    pub ledger: Ledger,
    pub journal: Arc<SharedFollower>,
    pub now: UnixMs,
    pub signers: Signers,
    pub stage: CoordinatorStage,
    db: SqliteDb,
    offset: u64,
}

impl Site {
    /// Three signers and one finished key, of which two sign; no ceremony.
    pub fn new() -> Self {
        static BASE: OnceLock<Base> = OnceLock::new();
        Self::on(BASE.get_or_init(|| Base::new(|_| {})))
    }

    /// The same, each signer with commitments in stock: a request goes to a quorum at once.
    pub fn stocked() -> Self {
        let mut site = Self::new();
        site.stock_up();
        site
    }

    /// As [`Self::new`], with the ceremony of [`NEW_KEY`] released.
    pub fn with_ceremony() -> Self {
        Self::on(with_ceremony())
    }

    /// With a ceremony of signers 1 and 2 alone, next to the finished key of all three.
    pub fn with_ceremony_of_two() -> Self {
        static BASE: OnceLock<Base> = OnceLock::new();
        Self::on(BASE.get_or_init(|| released(&[1, 2])))
    }

    /// With a second tenant whose ceremony, under the id of the first tenant's key, is released.
    pub fn with_twin_key() -> Self {
        static BASE: OnceLock<Base> = OnceLock::new();
        Self::on(BASE.get_or_init(|| {
            Base::new(|ledger| {
                let first = ledger.world.clone();
                ledger.world = first.for_tenant(1);
                ledger.create_tenant();
                ledger.world.tenant.key = first.tenant.key;
                ledger.put_and_release(ledger.world.ceremony_record());
                ledger.world = first;
            })
        }))
    }

    fn on(base: &Base) -> Self {
        let ledger = base.ledger.clone();
        let world = ledger.world.clone();
        let key = ledger
            .state
            .threshold_key(world.tenant.id, world.tenant.key)
            .unwrap();
        let journal = base.log.shared(ledger.now);
        Self {
            signers: Signers::new(&world, &base.ceremony, key),
            stage: stage(&world, &journal),
            now: ledger.now,
            world,
            ledger,
            journal,
            db: SqliteDb::open_in_memory().unwrap(),
            offset: 0,
        }
    }

    /// The process dies, and another one starts.
    pub fn restart(&mut self) {
        self.stage = self.new_stage();
    }

    pub fn new_stage(&self) -> CoordinatorStage {
        stage(&self.world, &self.journal)
    }

    pub fn wait(&mut self, ms: u64) {
        self.now = self.now.plus(ms);
    }

    /// A transaction with two inputs for attempt 1 of the `n`th payment.
    pub fn request(&self, n: u64) -> SigningRequested {
        let intent = self.world.intent(self.now, 1_000_000 + n, FRIEND);
        SigningRequested {
            tenant: self.world.tenant.id,
            vault: self.world.tenant.first_vault().id,
            key: self.world.tenant.key,
            attempt: self.world.attempt(&intent),
            unsigned: vec![n as u8; 20],
            slots: vec![slot(1), slot(2)],
        }
    }

    pub fn requested(&self, request: &SigningRequested) -> Record {
        self.record(
            Sender::Service(Role::Transactions),
            topics::SIGNING_REQUESTED,
            request,
        )
    }

    /// The same, wanted until a time.
    pub fn requested_until(&self, request: &SigningRequested, deadline: UnixMs) -> Record {
        let letter = Letter::new(topics::SIGNING_REQUESTED, self.now).until(deadline);
        self.world
            .record(Sender::Service(Role::Transactions), letter, request)
    }

    /// A signer's answer to this coordinator.
    pub fn said(&self, index: u16, message: &SignerMessage) -> Record {
        let deadline = self.now.plus(ANSWER_LIFE_MS);
        self.said_to(self.coordinator(), index, message, deadline)
    }

    /// A signer's answer to a node, of use until a time.
    pub fn said_to(
        &self,
        to: NodeId,
        index: u16,
        message: &SignerMessage,
        deadline: UnixMs,
    ) -> Record {
        let topic = topics::signer_outbox(self.world.signer(index).node);
        let letter = Letter::new(&topic, self.now).to(to).until(deadline);
        self.world.record(Sender::Seat(index), letter, message)
    }

    /// The node of this coordinator.
    pub fn coordinator(&self) -> NodeId {
        self.world.service(Role::Coordinator).node
    }

    pub fn record<T: Payload>(&self, sender: Sender, topic: &str, payload: &T) -> Record {
        let letter = Letter::new(topic, self.now);
        self.world.record(sender, letter, payload)
    }

    pub fn deliver(&mut self, records: Vec<Record>) -> Result<Vec<Record>, StageError> {
        let batch: Vec<Delivered> = records
            .into_iter()
            .map(|record| {
                self.offset += 1;
                delivered(record, self.offset)
            })
            .collect();
        let mut tx = self.db.begin().unwrap();
        self.stage.handle(self.now.0, tx.as_mut(), &batch)
    }

    /// One record that must be handled; the records that it leads to.
    pub fn give(&mut self, record: Record) -> Vec<Record> {
        self.deliver(vec![record]).unwrap()
    }

    /// One tick.
    pub fn tick(&mut self) -> Vec<Record> {
        let mut tx = self.db.begin().unwrap();
        self.stage.tick(self.now.0, tx.as_mut()).unwrap()
    }

    /// As many ticks as it takes for all upkeep to be done once.
    pub fn ticks(&mut self) -> Vec<Record> {
        (0..5).flat_map(|_| self.tick()).collect()
    }

    /// Messages to signers among these records, by signer.
    pub fn messages(&self, records: &[Record]) -> Vec<(u16, CoordinatorMessage)> {
        let mut messages = Vec::new();
        for record in records {
            for signer in &self.world.signers {
                if record.topic.as_str() == topics::signer_inbox(signer.node) {
                    let (envelope, message) = self.world.open(record);
                    assert_eq!(envelope.to, Some(signer.node));
                    messages.push((signer.index, message));
                }
            }
        }
        messages
    }

    /// The quorum that these records ask to sign.
    pub fn asked(&self, records: &[Record]) -> Vec<u16> {
        let messages = self.messages(records).into_iter();
        messages
            .filter(|(_, message)| matches!(message, CoordinatorMessage::Sign(_)))
            .map(|(index, _)| index)
            .collect()
    }

    pub fn finished(&self, records: &[Record]) -> Vec<SigningFinished> {
        self.world.payloads(records, topics::SIGNING_FINISHED)
    }

    /// Lets the signers answer, and the coordinator go on, until no record is left; every record
    /// that the coordinator made.
    pub fn settle(&mut self, records: Vec<Record>, slots: &[SigningSlot]) -> Vec<Record> {
        let (mut queue, mut made) = (VecDeque::from(records), Vec::new());
        while let Some(record) = queue.pop_front() {
            for (index, message) in self.messages(std::slice::from_ref(&record)) {
                if let Some(answer) = self.signers.answer(index, &message, slots) {
                    let answer = self.said(index, &answer);
                    queue.extend(self.give(answer));
                }
            }
            made.push(record);
        }
        made
    }

    pub fn request_signing(&mut self, request: &SigningRequested) -> Vec<Record> {
        let record = self.requested(request);
        self.give(record)
    }

    pub fn give_said(&mut self, index: u16, message: &SignerMessage) -> Vec<Record> {
        let record = self.said(index, message);
        self.give(record)
    }

    /// The quorum that one tick asks.
    pub fn asked_at_tick(&mut self) -> Vec<u16> {
        let records = self.tick();
        self.asked(&records)
    }

    /// Brings the replica to the ledger's tip.
    pub fn catch_up(&mut self) {
        let log = Log::of(&self.ledger);
        let next = self.journal.read(|f| f.size());
        self.journal.write(|follower| {
            for batch in log.batches.iter().filter(|batch| batch.first_seq >= next) {
                follower.append(batch).unwrap();
            }
        });
    }

    /// Fills the stock of every signer.
    pub fn stock_up(&mut self) {
        let prepares = self.ticks();
        self.settle(prepares, &[]);
    }

    /// A signer sends so many commitments, 16 at most.
    pub fn stock_of(&mut self, index: u16, count: u32) -> Vec<Record> {
        let commitments = self.commitments(index, count);
        self.give_commitments(index, self.world.tenant.key, commitments)
    }

    /// New commitments of a signer, 16 at most.
    pub fn commitments(&mut self, index: u16, count: u32) -> Vec<NonceCommitment> {
        let prepare = CoordinatorMessage::Prepare {
            tenant: self.world.tenant.id,
            key: self.world.tenant.key,
            count,
        };
        match self.signers.answer(index, &prepare, &[]) {
            Some(SignerMessage::Commitments { commitments, .. }) => commitments,
            other => panic!("{other:?}"),
        }
    }

    /// A signer sends these commitments for a key.
    pub fn give_commitments(
        &mut self,
        index: u16,
        key: KeyId,
        commitments: Vec<NonceCommitment>,
    ) -> Vec<Record> {
        let tenant = self.world.tenant.id;
        let message = SignerMessage::Commitments {
            tenant,
            key,
            commitments,
        };
        self.give_said(index, &message)
    }

    /// The key is revoked in the journal.
    pub fn revoke_key(&mut self) {
        let revoke = strongroom_types::Tighten::revoke(self.world.tenant.key);
        let who = self.ledger.committee();
        self.ledger.tighten(revoke, &who).unwrap();
        self.catch_up();
    }

    /// The platform puts a signer in quarantine.
    pub fn quarantine(&mut self, index: u16) {
        let what = strongroom_types::Tighten::Quarantine(index);
        let act = strongroom_types::ActBody::Tighten(what);
        self.ledger.platform_act(act).unwrap();
        self.catch_up();
    }

    /// The replica goes on with a state whose platform record does not decode.
    pub fn spoil_platform_record(&mut self) {
        self.journal.write(|follower| {
            let mut map = follower.state().map().clone();
            map.insert(strongroom_journal::keyspace::platform(), vec![0xff]);
            let frontier = follower.frontier().clone();
            let state = State::from_map(Arc::clone(follower.genesis()), map.clone());
            let root = Hash(state.root().0);
            let origin = &self.world.genesis.origin;
            let checkpoint =
                Checkpoint::with_state(origin, frontier.size(), frontier.root(), root).unwrap();
            let signer = NoteSigner::new(origin, &self.world.log_key.to_bytes()).unwrap();
            let note = sign_note(&checkpoint.to_body(), &signer).unwrap();
            let genesis = Arc::clone(follower.genesis());
            *follower = Follower::restore(genesis, map, frontier, Some(&note)).unwrap();
        });
    }

    /// The quorum that each of these payments asks, one after the other.
    pub fn next_quorums(&mut self, payments: std::ops::Range<u64>) -> Vec<Vec<u16>> {
        payments
            .map(|n| {
                let asked = self.request_signing(&self.request(n));
                self.asked(&asked)
            })
            .collect()
    }

    /// A payment through to its outcome.
    pub fn sign(&mut self, request: &SigningRequested) -> Vec<Outcome> {
        let asked = self.request_signing(request);
        self.outcomes(asked, &request.slots)
    }

    /// The outcomes that signers and coordinator reach from these records.
    pub fn outcomes(&mut self, records: Vec<Record>, slots: &[SigningSlot]) -> Vec<Outcome> {
        let made = self.settle(records, slots);
        self.finished(&made)
            .into_iter()
            .map(|finished| finished.outcome)
            .collect()
    }
}

/// A journal as it was made once for all tests.
struct Base {
    ledger: Ledger,
    log: Log,
    /// The end of the finished key's ceremony, with its shares.
    ceremony: Ceremony,
}

impl Base {
    fn new(change: impl FnOnce(&mut Ledger)) -> Self {
        let world = World::new(1, WorldOptions::default());
        let (mut ledger, ceremony) = Ledger::ready_with_shares(world);
        change(&mut ledger);
        let log = Log::of(&ledger);
        Self {
            ledger,
            log,
            ceremony,
        }
    }
}

fn with_ceremony() -> &'static Base {
    static BASE: OnceLock<Base> = OnceLock::new();
    BASE.get_or_init(|| released(&[1, 2, 3]))
}

/// A journal that has released the ceremony of [`NEW_KEY`] among these signers.
fn released(roster: &[u16]) -> Base {
    Base::new(|ledger| release_new_key(ledger, roster))
}

/// Releases the ceremony of [`NEW_KEY`] in the ledger.
pub fn release_new_key(ledger: &mut Ledger, roster: &[u16]) {
    ledger.put_and_release(strongroom_types::RegistryRecord::Ceremony(CeremonyPlan {
        key: NEW_KEY,
        suite: Suite::FrostSecp256k1Tr,
        min_signers: 2,
        roster: roster.to_vec(),
    }));
}

/// The end of [`NEW_KEY`]'s ceremony, as its signers would certify it.
pub fn new_ceremony() -> &'static Ceremony {
    static CEREMONY: OnceLock<Ceremony> = OnceLock::new();
    CEREMONY.get_or_init(|| {
        let ledger = &with_ceremony().ledger;
        let key = ledger
            .state
            .threshold_key(ledger.world.tenant.id, NEW_KEY)
            .unwrap();
        ledger.world.run_ceremony(&key)
    })
}

fn stage(world: &World, journal: &Arc<SharedFollower>) -> CoordinatorStage {
    let post = world.post(Sender::Service(Role::Coordinator));
    CoordinatorStage::new(post, Arc::clone(journal), PACE)
}

fn slot(n: u8) -> SigningSlot {
    SigningSlot {
        path: vec![86, 1, 0, 0, u32::from(n)],
        tweak: strongroom_types::Tweak::Bip341,
        message: vec![n; 32],
    }
}

/// The signing requests among messages to signers.
pub fn sign_requests(
    messages: Vec<(u16, CoordinatorMessage)>,
) -> Vec<(u16, strongroom_wire::SigningRequest)> {
    messages
        .into_iter()
        .filter_map(|(index, message)| match message {
            CoordinatorMessage::Sign(request) => Some((index, request)),
            CoordinatorMessage::Prepare { .. }
            | CoordinatorMessage::Ceremony { .. }
            | CoordinatorMessage::Relay(_) => None,
        })
        .collect()
}
