//! One transactions service with everything around it by script.

use crate::quorum;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use strongroom_bus_embedded::{EmbeddedBus, Options as BusOptions};
use strongroom_journal::state::Lookup as _;
use strongroom_journal::{Authorization, Body};
use strongroom_ports::bus::{Bus as _, Mode, Position, Record, Topic};
use strongroom_ports::chain::{ChainCodec, OwnPath, Registry as _};
use strongroom_ports::db::{Arg, Db as _};
use strongroom_replica::{SharedFollower, TenantVaults};
use strongroom_stage::post::{Cause, Post, message_id, session_of};
use strongroom_stage::{DeadLetter, NoFaults, Options, Shell, StopFlag};
use strongroom_store_sqlite::SqliteDb;
use strongroom_transactions::{TransactionsParts, TransactionsStage};
use strongroom_types::{Code, Digest, Document as _, Intent, UnixMs};
use strongroom_wire::{
    Decided, IntentDecided, IntentReturned, JournalResult, JournalSubmitted, Outcome, Payload,
    Role, SigningFinished, SigningRequested, TransactionChanged, TransactionState, decode, encode,
    topics,
};
use strongroom_world::{Ceremony, Gateway, INTENT_LIFE_MS, Ledger, Log, World, WorldOptions};

/// Patience of the service with journal and coordinator, milliseconds.
pub const RESEND_MS: u64 = 5_000;
/// What a payment of [`Service::intent`] pays, satoshi.
pub const AMOUNT: u64 = 1_000_000;
/// Amount of each coin of [`Service::funded`], satoshi.
pub const COIN: u64 = 3_000_000;

/// Time after which an intent of now is over by the witnessed time, milliseconds.
pub const OVER_MS: u64 = INTENT_LIFE_MS + 10_000;

/// Topics that the service publishes.
const OUT: [&str; 4] = [
    topics::JOURNAL_SUBMITTED,
    topics::SIGNING_REQUESTED,
    topics::TRANSACTION_CHANGED,
    topics::INTENT_RETURNED,
];

/// A journal with tenant, key and vault, and the shares of the key. Made once: a key generation
/// takes its time.
pub fn ready() -> &'static (Ledger, Ceremony) {
    static READY: OnceLock<(Ledger, Ceremony)> = OnceLock::new();
    READY.get_or_init(|| Ledger::ready_with_shares(World::new(1, WorldOptions::default())))
}

/// The codec of the world's chain.
pub fn codec() -> Arc<dyn ChainCodec> {
    strongroom_chains::network("regtest").unwrap().unwrap()
}

/// A service that runs.
pub struct Service {
    pub ledger: Ledger,
    pub gateway: Gateway,
    pub stop: StopFlag,
    codec: Arc<dyn ChainCodec>,
    pub journal: Arc<SharedFollower>,
    pub now: UnixMs,
    pub db: Arc<SqliteDb>,
    bus: Arc<EmbeddedBus>,
    shell: Option<Shell<TransactionsStage>>,
    read: BTreeMap<Topic, Position>,
    /// Message ids that were published before: a restart may publish again what it had published.
    seen: BTreeSet<(Topic, [u8; 16])>,
    orders: u64,
}

impl Service {
    /// A service whose vault holds nothing.
    pub fn new() -> Self {
        let mut ledger = ready().0.clone();
        ledger.wait(1_000);
        let journal = Log::of(&ledger).shared(ledger.now);
        Self::on(ledger, journal)
    }

    /// A service whose vault holds this many coins of [`COIN`] and has been looked at.
    pub fn funded(coins: usize) -> Self {
        let mut service = Self::new();
        for _ in 0..coins {
            service.fund(COIN);
        }
        service.wait(1_000);
        service
    }

    /// A service on this replica of the journal.
    pub fn on(ledger: Ledger, journal: Arc<SharedFollower>) -> Self {
        Self::with(ledger, journal, codec())
    }

    /// A service with a codec that has a flaw.
    pub fn with_codec(codec: Arc<dyn ChainCodec>) -> Self {
        let mut ledger = ready().0.clone();
        ledger.wait(1_000);
        let journal = Log::of(&ledger).shared(ledger.now);
        Self::with(ledger, journal, codec)
    }

    fn with(ledger: Ledger, journal: Arc<SharedFollower>, codec: Arc<dyn ChainCodec>) -> Self {
        let bus = EmbeddedBus::open_in_memory(Mode::Dev, BusOptions::default(), [1; 16]).unwrap();
        let mut service = Self {
            now: ledger.now,
            ledger,
            gateway: Gateway::new(),
            stop: StopFlag::new(),
            codec,
            journal,
            db: Arc::new(SqliteDb::open_in_memory().unwrap()),
            bus: Arc::new(bus),
            shell: None,
            read: BTreeMap::new(),
            seen: BTreeSet::new(),
            orders: 0,
        };
        service.restart();
        service
    }

    pub fn world(&self) -> &World {
        &self.ledger.world
    }

    /// A new process on the same database and bus.
    pub fn restart(&mut self) {
        self.shell = None;
        let codec = Arc::clone(&self.codec);
        let stop = self.stop.clone();
        let parts = parts(self.world(), &self.journal, &self.gateway, codec);
        let stage = TransactionsStage::new(TransactionsParts { stop, ..parts });
        let shell = Shell::new(
            stage,
            self.db.clone(),
            self.bus.clone(),
            Options::default(),
            Box::new(NoFaults),
        );
        self.shell = Some(shell.unwrap());
    }

    /// Own address of the vault on the receive branch.
    pub fn address(&self, index: u32) -> String {
        let path = OwnPath { change: 0, index };
        self.address_at(path)
    }

    pub fn address_at(&self, path: OwnPath) -> String {
        let tenant = &self.world().tenant;
        let key = self
            .journal
            .read(|f| TenantVaults::new(f.state(), tenant.id).vault_key(tenant.vault))
            .unwrap();
        codec().derive_address(&key, path).unwrap()
    }

    /// A confirmed deposit.
    pub fn fund(&mut self, amount: u64) {
        self.gateway.fund(&self.address(0), amount);
    }

    /// The next order: [`AMOUNT`] to a friend.
    pub fn intent(&mut self) -> Intent {
        self.orders += 1;
        let name = format!("order {}", self.orders);
        self.world().order(self.now, AMOUNT, &name)
    }

    /// Lets time pass; gives what the service published in it.
    pub fn wait(&mut self, ms: u64) -> Sent {
        self.now = self.now.plus(ms);
        self.settle()
    }

    /// Lets time pass for the journal, too: its newest entry is of now, and witnessed.
    pub fn live(&mut self, ms: u64) -> Sent {
        self.now = self.now.plus(ms);
        self.append(vec![Body::Tick]);
        self.ledger.world.witness_tip(&self.journal, self.now);
        self.settle()
    }

    /// Steps until nothing is left to do at this instant.
    pub fn settle(&mut self) -> Sent {
        for _ in 0..200 {
            let step = self
                .shell
                .as_mut()
                .unwrap()
                .step(self.now.0, Duration::ZERO);
            let progress = step.expect("the service stays up");
            if progress.idle() || progress.blocked.is_some() {
                break;
            }
        }
        self.published()
    }

    /// Hands records to the service; gives what it published then.
    pub fn send(&mut self, records: &[Record]) -> Sent {
        self.bus.publish(records).unwrap();
        self.settle()
    }

    fn published(&mut self) -> Sent {
        let mut names: Vec<Topic> = OUT.iter().map(|name| Topic::new(name).unwrap()).collect();
        names.extend(inputs().iter().map(|topic| topic.dead_letter().unwrap()));
        let mut records = Vec::new();
        for topic in names {
            let start = self.bus.start(&topic).unwrap();
            let position = *self.read.entry(topic.clone()).or_insert(start);
            let wants = [(topic.clone(), position)];
            let found = self.bus.fetch(&wants, 10_000, Duration::ZERO).unwrap();
            if let Some(last) = found.last() {
                let next = last.offset + 1;
                self.read.insert(topic, Position { next, ..position });
            }
            let new = found.into_iter().map(|delivered| delivered.record);
            records.extend(
                new.filter(|record| self.seen.insert((record.topic.clone(), message_id(record)))),
            );
        }
        Sent {
            world: self.world().clone(),
            records,
        }
    }

    /// Takes an intent on and gives its name and what was published.
    pub fn approve(&mut self, intent: &Intent) -> Sent {
        let record = self.mail().decided(intent, Decided::Approved);
        self.send(&[record])
    }

    /// A payment that was just offered, with its submission and signing request.
    pub fn offered(&mut self) -> Payment {
        let intent = self.intent();
        let sent = self.approve(&intent);
        Payment::new(&sent, &intent)
    }

    /// A payment that is signed and not broadcast yet.
    pub fn signed(&mut self) -> Payment {
        let payment = self.offered();
        let record = self.mail().signed(&payment.request);
        let sent = self.send(&[record]);
        assert_eq!(sent.states(), [TransactionState::Signed]);
        payment
    }

    /// Other services' records, made now.
    pub fn mail(&self) -> Mail<'_> {
        Mail {
            ledger: &self.ledger,
            now: self.now,
            tag: 0,
        }
    }

    /// A number from a payment's row; `None` when there is no row.
    pub fn number(&self, intent: &Intent, sql: &'static str) -> Option<i64> {
        let mut tx = self.db.begin().unwrap();
        let row = tx.query_opt(sql, &[Arg::from(&intent.digest().0)]).unwrap();
        row.map(|row| row.i64(0).unwrap())
    }

    /// State number of a payment's row.
    pub fn state(&self, intent: &Intent) -> Option<i64> {
        self.number(intent, "SELECT state FROM payment WHERE intent = $1")
    }

    /// How many rows a query counts.
    pub fn count(&self, sql: &'static str) -> i64 {
        let mut tx = self.db.begin().unwrap();
        tx.query(sql, &[]).unwrap()[0].i64(0).unwrap()
    }

    /// Changes the database behind the service's back.
    pub fn execute(&self, sql: &'static str, args: &[Arg<'_>]) {
        let mut tx = self.db.begin().unwrap();
        tx.execute(sql, args).unwrap();
        tx.commit().unwrap();
    }

    /// The journal takes these bodies, and the service's replica follows.
    pub fn append(&mut self, bodies: Vec<Body>) {
        for body in bodies {
            self.ledger.push(body, self.now).unwrap();
            if !self.ledger.state.waiting().unwrap().items.is_empty() {
                self.ledger.now = self.now;
                self.ledger.witness();
            }
        }
        let log = Log::of(&self.ledger);
        let size = self.journal.read(|f| f.size());
        self.journal.write(|f| {
            for batch in log.batches.iter().filter(|batch| batch.first_seq >= size) {
                f.append(batch).unwrap();
            }
        });
    }
}

/// Parts of a world's stage.
pub fn parts(
    world: &World,
    journal: &Arc<SharedFollower>,
    gateway: &Gateway,
    codec: Arc<dyn ChainCodec>,
) -> TransactionsParts {
    TransactionsParts {
        post: post(world, Role::Transactions),
        journal: Arc::clone(journal),
        codec,
        gateway: Arc::new(gateway.clone()),
        clock: Arc::new(gateway.clone()),
        stop: StopFlag::new(),
        resend_ms: RESEND_MS,
    }
}

fn post(world: &World, role: Role) -> Post {
    let keys = world.service(role);
    Post::new(world.genesis.hash(), keys.node, &keys.signing.to_bytes())
}

fn inputs() -> Vec<Topic> {
    let names = [
        topics::INTENT_DECIDED,
        topics::JOURNAL_RESULTS,
        topics::SIGNING_FINISHED,
    ];
    names.iter().map(|name| Topic::new(name).unwrap()).collect()
}

/// A payment as journal and coordinator got it.
#[derive(Clone, Debug)]
pub struct Payment {
    pub intent: Intent,
    pub submitted: JournalSubmitted,
    pub request: SigningRequested,
}

impl Payment {
    pub fn new(sent: &Sent, intent: &Intent) -> Self {
        Self {
            intent: intent.clone(),
            submitted: sent.only(topics::JOURNAL_SUBMITTED),
            request: sent.only(topics::SIGNING_REQUESTED),
        }
    }

    pub fn digest(&self) -> Digest {
        self.intent.digest()
    }

    /// What was offered to the journal.
    pub fn authorization(&self) -> Authorization {
        match decode(&self.submitted.body).unwrap() {
            Body::Authorized(authorization) => *authorization,
            other => panic!("not an authorization: {other:?}"),
        }
    }

    /// Name of the coin that the payment stands on.
    pub fn anchor(&self) -> String {
        self.request.attempt.anchor.to_string()
    }
}

/// Valid records of other services. The same call gives the same record.
#[derive(Clone, Copy)]
pub struct Mail<'a> {
    pub ledger: &'a Ledger,
    pub now: UnixMs,
    pub tag: u64,
}

impl Mail<'_> {
    /// The same records under other message ids.
    pub fn again(self, tag: u64) -> Self {
        Self { tag, ..self }
    }

    /// A record of a service, in the session of an intent.
    pub fn seal<T: Payload>(
        &self,
        (role, topic): (Role, &str),
        intent: &Digest,
        payload: &T,
    ) -> Record {
        let world = &self.ledger.world;
        let seed: [&[u8]; 3] = [topic.as_bytes(), &encode(payload), &self.tag.to_be_bytes()];
        let cause = Cause {
            session: session_of(*intent),
            ..Cause::own(&seed, self.now.plus(60_000))
        };
        let to = (topic == topics::JOURNAL_RESULTS).then(|| world.service(Role::Transactions).node);
        post(world, role)
            .record(self.now, (topic, b"key"), to, payload, &cause)
            .unwrap()
    }

    /// What approvals says of an intent.
    pub fn decision(&self, intent: &Intent, decided: Decided) -> IntentDecided {
        let core = self.ledger.core(intent).to_text();
        self.ledger.world.intent_decided(intent, core, decided)
    }

    pub fn decided(&self, intent: &Intent, decided: Decided) -> Record {
        let from = (Role::Approvals, topics::INTENT_DECIDED);
        self.seal(from, &intent.digest(), &self.decision(intent, decided))
    }

    /// The writer's answer to a submission.
    pub fn answer(&self, payment: &Payment, result: Result<u64, Code>) -> Record {
        let result = JournalResult {
            submission: payment.submitted.submission,
            result: result.map_err(|code| (code, code.meaning().to_owned())),
        };
        let from = (Role::Writer, topics::JOURNAL_RESULTS);
        self.seal(from, &payment.digest(), &result)
    }

    /// The coordinator's result.
    pub fn finished(&self, request: &SigningRequested, outcome: Outcome) -> Record {
        let finished = SigningFinished {
            intent: request.attempt.intent,
            attempt: request.attempt.number,
            vault: request.vault,
            outcome,
        };
        let from = (Role::Coordinator, topics::SIGNING_FINISHED);
        self.seal(from, &request.attempt.intent, &finished)
    }

    /// Valid signatures of the tenant's signers.
    pub fn signed(&self, request: &SigningRequested) -> Record {
        let signatures = quorum::sign(&ready().1, request);
        self.finished(request, Outcome::Signed(signatures))
    }
}

/// What the service published.
pub struct Sent {
    world: World,
    pub records: Vec<Record>,
}

impl Sent {
    /// Payloads of one topic, in order.
    pub fn all<T: Payload>(&self, topic: &str) -> Vec<T> {
        self.world.payloads(&self.records, topic)
    }

    /// The one payload of a topic.
    pub fn only<T: Payload>(&self, topic: &str) -> T {
        let mut all = self.all(topic);
        assert_eq!(all.len(), 1, "one record on {topic}");
        all.remove(0)
    }

    pub fn changed(&self) -> Vec<TransactionChanged> {
        self.all(topics::TRANSACTION_CHANGED)
    }

    /// New states, in order.
    pub fn states(&self) -> Vec<TransactionState> {
        self.changed().iter().map(|changed| changed.state).collect()
    }

    pub fn returned(&self) -> Vec<IntentReturned> {
        self.all(topics::INTENT_RETURNED)
    }

    /// Causes of dead letters.
    pub fn dead_letters(&self) -> Vec<String> {
        let dead = |record: &&Record| record.topic.as_str().ends_with(".dlq");
        self.records
            .iter()
            .filter(dead)
            .map(|record| {
                borsh::from_slice::<DeadLetter>(&record.payload)
                    .unwrap()
                    .cause
            })
            .collect()
    }

    /// Nothing came out.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }
}
