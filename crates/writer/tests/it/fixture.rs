//! A writer in its shell, beside a database, a bus and an API that submits.

use rand_chacha::ChaCha20Rng;
use rand_core::{CryptoRngCore, SeedableRng as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use strongroom_bus_embedded::EmbeddedBus;
use strongroom_journal::Body;
use strongroom_ports::bus::{Bus, Mode as BusMode, Record, Topic};
use strongroom_ports::db::Db;
use strongroom_ports::host::Entropy;
use strongroom_replica::{Feed, Replica, SharedFollower};
use strongroom_stage::post::Post;
use strongroom_stage::{NoFaults, Options, Shell, ShellError, StopFlag};
use strongroom_store_sqlite::SqliteDb;
use strongroom_types::{NodeId, Scope, UnixMs};
use strongroom_wire::{JournalResult, JournalSubmitted, Payload, Role, encode, topics};
use strongroom_world::{Letter, Sender, World};
use strongroom_writer::{
    BoundedWriter, ReadyStart, Start, StartCheck, StartError, StartParts, Writer,
};

pub use strongroom_world::small::*;

pub const API: Sender = Sender::Service(Role::Api);

struct Seeded(AtomicU64);

impl Entropy for Seeded {
    fn rng(&self) -> Box<dyn CryptoRngCore + Send> {
        Box::new(ChaCha20Rng::seed_from_u64(
            self.0.fetch_add(1, Ordering::SeqCst),
        ))
    }
}

pub fn post() -> Post {
    world().post(Sender::Service(Role::Writer))
}

pub fn api_node() -> NodeId {
    world().service(Role::Api).node
}

pub fn bus() -> Arc<dyn Bus> {
    let options = strongroom_bus_embedded::Options::default();
    Arc::new(EmbeddedBus::open_in_memory(BusMode::Dev, options, [1; 16]).unwrap())
}

/// A start of the writer at a time. Its randomness depends on `seed`.
pub fn open_start(
    db: &Arc<SqliteDb>,
    bus: &Arc<dyn Bus>,
    at: (UnixMs, u64),
) -> Result<StartCheck, StartError> {
    open_start_until(db, bus, at, &StopFlag::new())
}

/// The same, of a process that is asked to stop by a flag.
pub fn open_start_until(
    db: &Arc<SqliteDb>,
    bus: &Arc<dyn Bus>,
    (now, seed): (UnixMs, u64),
    stop: &StopFlag,
) -> Result<StartCheck, StartError> {
    let parts = start_parts(&world(), db, bus, (seed, stop));
    StartCheck::open(parts, &log_seed(), now)
}

/// What a start of a world's writer is given.
pub fn start_parts(
    world: &World,
    db: &Arc<SqliteDb>,
    bus: &Arc<dyn Bus>,
    (seed, stop): (u64, &StopFlag),
) -> StartParts {
    StartParts {
        genesis: Arc::clone(&world.genesis),
        db: Arc::clone(db) as Arc<dyn Db>,
        bus: Arc::clone(bus),
        post: world.post(Sender::Service(Role::Writer)),
        entropy: Arc::new(Seeded(AtomicU64::new(seed * 1_000_000))),
        stop: stop.clone(),
    }
}

/// A start whose witnesses answer at once.
fn ready(db: &Arc<SqliteDb>, bus: &Arc<dyn Bus>, seed: u64) -> ReadyStart {
    let mut check = open_start(db, bus, (START, seed)).unwrap();
    for n in 1..=3 {
        state(bus.as_ref(), n, &stored_body(db), at(1));
    }
    when_ready(check.step(at(1)).unwrap())
}

/// The start that a check found ready.
pub fn when_ready(start: Start) -> ReadyStart {
    match start {
        Start::Ready(ready) => ready,
        Start::Waits => panic!("the start waits"),
    }
}

/// Checkpoint body of a database.
pub fn stored_body(db: &SqliteDb) -> String {
    let mut tx = db.begin().unwrap();
    Replica::stored_tip(tx.as_mut()).unwrap().unwrap().body
}

/// A witness publishes a cosignature in a record made at a time.
pub fn state(bus: &dyn Bus, n: u16, body: &str, made: UnixMs) {
    let topic = topics::cosignatures(node(n));
    let letter = Letter::new(&topic, made);
    let record = world().record(Sender::Seat(n), letter, &cosignature(n, body, made));
    bus.publish(&[record]).unwrap();
}

/// A running writer.
pub struct Running {
    pub db: Arc<SqliteDb>,
    pub bus: Arc<dyn Bus>,
    pub shell: Shell<BoundedWriter>,
}

impl Running {
    pub fn new() -> Self {
        Self::on(Arc::new(SqliteDb::open_in_memory().unwrap()), bus(), 1)
    }

    /// A (re)started writer, whose witnesses answer at once; its randomness depends on `seed`.
    pub fn on(db: Arc<SqliteDb>, bus: Arc<dyn Bus>, seed: u64) -> Self {
        let ready = ready(&db, &bus, seed);
        Self::after(ready, (db, bus), seed)
    }

    /// A writer whose start was checked on another bus, where no one knows more than its database.
    pub fn unchecked(db: Arc<SqliteDb>, bus: Arc<dyn Bus>, seed: u64) -> Self {
        let ready = ready(&db, &self::bus(), seed);
        Self::after(ready, (db, bus), seed)
    }

    /// A writer after a start.
    pub fn after(ready: ReadyStart, (db, bus): (Arc<SqliteDb>, Arc<dyn Bus>), seed: u64) -> Self {
        let entropy = Arc::new(Seeded(AtomicU64::new(seed * 1_000_000)));
        let writer = Writer::new(ready, &log_seed(), post(), entropy).unwrap();
        let writer = BoundedWriter::new(writer);
        let shared: Arc<dyn Db> = Arc::clone(&db) as Arc<dyn Db>;
        let shell = Shell::new(
            writer,
            shared,
            Arc::clone(&bus),
            Options::default(),
            Box::new(NoFaults),
        )
        .unwrap();
        Self { db, bus, shell }
    }

    /// Steps until nothing is left to do.
    pub fn settle(&mut self, now: UnixMs) -> Result<(), ShellError> {
        while !self.shell.step(now.0, Duration::ZERO)?.idle() {}
        Ok(())
    }

    pub fn size(&self) -> u64 {
        self.shell.stage().follower().unwrap().size()
    }

    pub fn publish<T: Payload>(&self, from: Sender, letter: Letter<'_>, payload: &T) {
        let record = world().record(from, letter, payload);
        self.bus.publish(&[record]).unwrap();
    }

    /// The API submits a body.
    pub fn submit(&self, id: u8, body: &Body) {
        self.submit_to(strongroom_world::scope_of(body, Scope::Platform), id, body);
    }

    /// The same, for a scope that it names.
    pub fn submit_to(&self, scope: Scope, id: u8, body: &Body) {
        let submitted = JournalSubmitted {
            submission: [id; 16],
            scope,
            body: encode(body),
        };
        let letter = Letter::new(topics::JOURNAL_SUBMITTED, START);
        self.publish(API, letter, &submitted);
    }

    /// A witness publishes a cosignature.
    pub fn cosign(&self, n: u16, body: &str, now: UnixMs) {
        let topic = topics::cosignatures(node(n));
        let letter = Letter::new(&topic, START);
        self.publish(Sender::Seat(n), letter, &cosignature(n, body, now));
    }

    pub fn records(&self, topic: &str) -> Vec<Record> {
        let topic = Topic::new(topic).unwrap();
        let start = self.bus.start(&topic).unwrap();
        let found = self
            .bus
            .fetch(&[(topic, start)], 1000, Duration::ZERO)
            .unwrap();
        found
            .into_iter()
            .map(|delivered| delivered.record)
            .collect()
    }

    /// Answers to the API.
    pub fn answers(&self) -> Vec<JournalResult> {
        let read = |record: Record| {
            let (envelope, result) = world().open::<JournalResult>(&record);
            let writer = world().service(Role::Writer).node;
            assert_eq!((envelope.from, envelope.to), (writer, Some(api_node())));
            assert_eq!(record.key, api_node().0.to_vec());
            result
        };
        self.records(topics::JOURNAL_RESULTS)
            .into_iter()
            .map(read)
            .collect()
    }

    /// What a service's replica makes of the bus.
    pub fn replayed(&self) -> Arc<SharedFollower> {
        let shared = Arc::new(SharedFollower::new(genesis()).unwrap());
        let mut feed = Feed::new(Arc::clone(&self.bus), Arc::clone(&shared)).unwrap();
        while feed.step(|| START, Duration::ZERO).unwrap() > 0 {}
        shared
    }
}

pub fn is_ready(start: Start) -> bool {
    matches!(start, Start::Ready(_))
}

/// A writer with one entry after entry 0, and the copy of its database before that entry.
pub fn put_back() -> (Running, Arc<SqliteDb>) {
    let mut writer = Running::new();
    writer.settle(START).unwrap();
    let copy = writer.db.snapshot().unwrap();
    writer.submit(1, &Body::Act(stop(1)));
    writer.settle(START).unwrap();
    (writer, Arc::new(SqliteDb::from_snapshot(&copy).unwrap()))
}

/// A start, later than everything that was published before it.
pub fn later(db: &Arc<SqliteDb>, bus: &Arc<dyn Bus>) -> Result<StartCheck, StartError> {
    open_start(db, bus, (at(1_000), 9))
}
