//! A served API with a journal that the test feeds.

mod ledger;
mod muted;

pub use ledger::{Journal, signer_refusal};
use muted::MutedBus;

use std::io::{Read as _, Write as _};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use strongroom_api::{
    AccessKey, Api, ApiParts, ApiStage, Changes, Keyring, Ready, hash_key, serve,
};
use strongroom_bus_embedded::{EmbeddedBus, Options};
use strongroom_client::Client;
use strongroom_journal::Body;
use strongroom_journal::follower::Follower;
use strongroom_ports::bus::{Bus, BusError, Headers, Mode, Position, Record, Topic};
use strongroom_ports::db::{Arg, Db as _};
use strongroom_ports::host::Clock;
use strongroom_replica::SharedFollower;
use strongroom_stage::post::Cause;
use strongroom_stage::{NoFaults, Options as ShellOptions, Shell};
use strongroom_store_sqlite::SqliteDb;
use strongroom_tlog::Note;
use strongroom_types::{Act, Code, Document as _, Signed, UnixMs};
use strongroom_wire::{
    JournalBatch, JournalResult, Marks, Payload, Role, WitnessCosignature, encode, topics,
};
use strongroom_world::{Letter, Log, START, Sender};

pub const OPERATOR: &str = "operator-key";
pub const TENANT: &str = "tenant-key";
pub const OTHER: &str = "other-key";

/// A clock that the test sets.
pub struct TestClock(AtomicU64);

impl TestClock {
    pub fn at(now: UnixMs) -> Self {
        Self(AtomicU64::new(now.0))
    }

    pub fn set(&self, now: UnixMs) {
        self.0.store(now.0, Ordering::Relaxed);
    }
}

impl Clock for TestClock {
    fn now_ms(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// A served API.
pub struct Served {
    pub journal: Journal,
    pub url: String,
    pub bus: Arc<EmbeddedBus>,
    pub clock: Arc<TestClock>,
    db: Arc<SqliteDb>,
    address: SocketAddr,
    stage: Mutex<Shell<ApiStage>>,
    shared: Arc<SharedFollower>,
    stop: tokio::sync::oneshot::Sender<()>,
    serving: tokio::task::JoinHandle<std::io::Result<()>>,
    runtime: tokio::runtime::Runtime,
}

pub fn bus(incarnation: u8) -> Arc<EmbeddedBus> {
    Arc::new(EmbeddedBus::open_in_memory(Mode::Dev, Options::default(), [incarnation; 16]).unwrap())
}

pub fn database() -> Arc<SqliteDb> {
    Arc::new(SqliteDb::open_in_memory().unwrap())
}

impl Served {
    pub fn new() -> Self {
        Self::on(database(), bus(1))
    }

    /// On a database and bus that may hold something.
    pub fn on(db: Arc<SqliteDb>, bus: Arc<EmbeddedBus>) -> Self {
        Self::behind(Ready::at_once(), db, bus)
    }

    /// As [`Self::on`], behind a gate that the test opens.
    pub fn behind(ready: Ready, db: Arc<SqliteDb>, bus: Arc<EmbeddedBus>) -> Self {
        let outward = bus.clone();
        Self::start(Journal::new(), ready, db, (bus, outward))
    }

    /// On a journal of the test's own.
    pub fn of(journal: Journal) -> Self {
        let bus = bus(1);
        Self::start(journal, Ready::at_once(), database(), (bus.clone(), bus))
    }

    /// With handlers whose bus refuses every record for this reason.
    pub fn muted(why: BusError) -> Self {
        let bus = bus(1);
        let outward = Arc::new(MutedBus(bus.clone(), why));
        Self::start(Journal::new(), Ready::at_once(), database(), (bus, outward))
    }

    fn start(
        journal: Journal,
        ready: Ready,
        db: Arc<SqliteDb>,
        (bus, outward): (Arc<EmbeddedBus>, Arc<dyn Bus>),
    ) -> Self {
        let shared = journal.replica();
        let stage = Shell::new(
            ApiStage::new(journal.post(), Arc::clone(&shared)),
            db.clone(),
            bus.clone(),
            ShellOptions::default(),
            Box::new(NoFaults),
        )
        .unwrap();
        let clock = Arc::new(TestClock::at(START));
        let key = |text, tenant| AccessKey {
            hash: hash_key(text),
            tenant,
        };
        let api = Api::new(ApiParts {
            db: db.clone(),
            bus: outward,
            journal: Arc::clone(&shared),
            codecs: vec![strongroom_chains::network("regtest").unwrap().unwrap()],
            post: journal.post(),
            keyring: Keyring(vec![
                key(OPERATOR, None),
                key(TENANT, Some(journal.world.tenant.id)),
                key(OTHER, Some(journal.world.for_tenant(1).tenant.id)),
            ]),
            clock: clock.clone(),
            changes: Changes::default(),
            ready,
        });
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let listener = runtime
            .block_on(tokio::net::TcpListener::bind("127.0.0.1:0"))
            .unwrap();
        let address = listener.local_addr().unwrap();
        let url = format!("http://{address}");
        let (stop, stopped) = tokio::sync::oneshot::channel();
        let stopped = async move { drop(stopped.await) };
        let serving = runtime.spawn(async move { serve(api, listener, stopped).await });
        Self {
            journal,
            url,
            bus,
            clock,
            db,
            address,
            stage: Mutex::new(stage),
            shared,
            stop,
            serving,
            runtime,
        }
    }

    pub fn client(&self, key: &str) -> Client {
        Client::new(&self.url, key)
    }

    fn publish<T: Payload>(&self, sender: Sender, letter: Letter<'_>, marks: Marks, payload: &T) {
        let mut cause = Cause::own(&[&encode(payload)], letter.deadline);
        cause.marks = marks;
        let mut post = self.journal.world.post(sender);
        let place = (letter.topic, letter.key);
        let record = post.record(letter.created, place, letter.to, payload, &cause);
        self.bus.publish(&[record.unwrap()]).unwrap();
    }

    /// The writer publishes a batch.
    pub fn batch(&self, batch: &JournalBatch) {
        let letter = Letter::new(topics::JOURNAL_ENTRIES, START);
        self.publish(
            Sender::Service(Role::Writer),
            letter,
            Marks::default(),
            batch,
        );
    }

    pub fn all_batches(&self) {
        let batches = self.journal.log.batches.iter();
        batches.for_each(|batch| self.batch(batch));
    }

    /// A cosignature of a signer (1 to 3) over the head after batch `n`.
    pub fn cosignature(&self, signer: u16, n: usize, time_s: u64) -> WitnessCosignature {
        let note = Note::parse(&self.journal.log.batches[n].note).unwrap();
        let at = UnixMs(time_s * 1000);
        self.journal.world.cosignature(signer, note.body(), at)
    }

    /// The witness in a seat (4 is the independent one) publishes a cosignature under its own
    /// name.
    pub fn vouch(&self, seat: u16, cosignature: &WitnessCosignature) {
        let topic = topics::cosignatures(self.journal.world.seat(seat).node);
        let letter = Letter::new(&topic, START);
        self.publish(Sender::Seat(seat), letter, Marks::default(), cosignature);
    }

    /// Three of four witnesses vouch for the head after batch `n`.
    pub fn witnessed(&self, n: usize) {
        (1..=3).for_each(|signer| self.vouch(signer, &self.cosignature(signer, n, START.0 / 1000)));
    }

    pub fn last(&self) -> usize {
        self.journal.log.batches.len() - 1
    }

    pub fn size(&self) -> u64 {
        self.shared.read(Follower::size)
    }

    /// Sets the clock; the stage's tick is due whenever it moved by half a second.
    pub fn at(&self, now: UnixMs) {
        self.clock.set(now);
    }

    /// Sets the clock; the journal's newest entry is of then, too, and witnessed.
    pub fn live_to(&self, now: UnixMs) {
        self.at(now);
        let (world, ledger) = (self.journal.world.clone(), self.journal.ledger.clone());
        let log = Log::of(&ledger);
        Journal { world, ledger, log }.tick(now, &self.shared);
        self.journal.world.witness_tip(&self.shared, now);
    }

    /// The API's stage handles what is on the bus.
    pub fn step(&self) {
        let mut stage = self.stage.lock().unwrap();
        while !stage
            .step(self.clock.now_ms(), Duration::ZERO)
            .unwrap()
            .idle()
        {}
    }

    /// A service publishes one record and the API's stage handles it.
    pub fn says<T: Payload>(&self, role: Role, topic: &str, payload: &T) {
        self.says_with(role, topic, payload, Marks::default());
    }

    /// As [`Self::says`], with a timeline.
    pub fn says_with<T: Payload>(&self, role: Role, topic: &str, payload: &T, marks: Marks) {
        let mut letter = Letter::new(topic, START);
        if role == Role::Writer {
            letter = letter.to(self.journal.world.service(Role::Api).node);
        }
        self.publish(Sender::Service(role), letter, marks, payload);
        self.step();
    }

    /// The writer's answer to an act that was offered.
    pub fn result_of(&self, act: &Signed, result: Result<u64, (Code, String)>) {
        let mut tx = self.db.begin().unwrap();
        let sql = "SELECT submission FROM act WHERE digest = $1";
        let digest = Act::digest_of(&act.text);
        let row = tx.query_opt(sql, &[Arg::from(&digest.0)]).unwrap();
        let submission = row.unwrap().array(0).unwrap();
        drop(tx);
        let result = JournalResult { submission, result };
        self.says(Role::Writer, topics::JOURNAL_RESULTS, &result);
    }

    /// Applies one more act of the first tenant, as if the journal's writer had.
    pub fn in_force(&mut self, act: &Signed) {
        self.journal.append(Body::Act(act.clone()), &self.shared);
    }

    /// One request, byte by byte: what was answered, head and body.
    pub fn raw(&self, request: &Request<'_>) -> Answer {
        let (method, path) = (request.method, request.path);
        let authorization = request.key.map_or_else(String::new, |key| {
            format!("authorization: Bearer {key}\r\n")
        });
        let body = request.body.unwrap_or_default();
        self.exchange(&format!(
            "{method} {path} HTTP/1.1\r\nhost: test\r\nconnection: close\r\n{authorization}content-length: {}\r\n\r\n{body}",
            body.len()
        ))
    }

    pub fn get(&self, key: &str, path: &str) -> Answer {
        self.raw(&Request {
            method: "GET",
            path,
            key: Some(key),
            body: None,
        })
    }

    pub fn post(&self, key: &str, path: &str, signed: &Signed) -> Answer {
        self.raw(&Request {
            method: "POST",
            path,
            key: Some(key),
            body: Some(&signed.to_json().to_text()),
        })
    }

    /// All records on a topic.
    pub fn records(&self, topic: &str) -> Vec<Record> {
        records(&self.bus, topic)
    }

    pub fn count(&self, sql: &'static str) -> i64 {
        let mut tx = self.db.begin().unwrap();
        let row = tx.query_opt(sql, &[]).unwrap().unwrap();
        row.i64(0).unwrap()
    }

    /// Damages the tables.
    pub fn damage(&self, sql: &'static str) {
        let mut tx = self.db.begin().unwrap();
        assert_eq!(tx.execute(sql, &[]).unwrap(), 1);
        tx.commit().unwrap();
    }

    /// Stops the server; whether it has ended within this time.
    pub fn stops_within(self, time: Duration) -> bool {
        self.stop.send(()).unwrap();
        let ended = async { tokio::time::timeout(time, self.serving).await };
        let ended = self.runtime.block_on(ended).is_ok();
        self.runtime.shutdown_background();
        ended
    }

    pub fn connect(&self) -> std::net::TcpStream {
        std::net::TcpStream::connect(self.address).unwrap()
    }

    /// One request in full.
    pub fn exchange(&self, text: &str) -> Answer {
        let mut stream = self.connect();
        stream.write_all(text.as_bytes()).unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        let header = |name: &str| {
            let line = head
                .lines()
                .find_map(|line| line.strip_prefix(&format!("{name}: ")));
            line.map(str::to_owned)
        };
        Answer {
            status: head.split(' ').nth(1).unwrap().parse().unwrap(),
            content_type: header("content-type"),
            location: header("location"),
            body: body.to_owned(),
        }
    }
}

/// What a test asks.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    pub method: &'a str,
    pub path: &'a str,
    pub key: Option<&'a str>,
    pub body: Option<&'a str>,
}

/// What was answered.
pub struct Answer {
    pub status: u16,
    pub content_type: Option<String>,
    pub location: Option<String>,
    pub body: String,
}

impl Answer {
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap()
    }

    /// Status and, of a problem, its code.
    pub fn outcome(&self) -> (u16, String) {
        let code = self.json()["code"].as_str().unwrap_or_default().to_owned();
        (self.status, code)
    }
}

/// All records on a topic.
pub fn records(bus: &EmbeddedBus, topic: &str) -> Vec<Record> {
    let topic = Topic::new(topic).unwrap();
    let start = bus.start(&topic).unwrap();
    let from = Position { next: 0, ..start };
    let records = bus.fetch(&[(topic, from)], 1000, Duration::ZERO);
    records.unwrap().into_iter().map(|d| d.record).collect()
}

impl Served {
    /// Something on the entries' topic that is not a record of ours.
    pub fn bus_garbage(&self) {
        let topic = Topic::new(topics::JOURNAL_ENTRIES).unwrap();
        let headers = Headers::default();
        self.bus
            .publish(&[Record {
                topic,
                key: Vec::new(),
                headers,
                payload: vec![1, 2, 3],
            }])
            .unwrap();
    }
}
