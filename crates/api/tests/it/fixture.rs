//! A served API with a journal that the test feeds.

use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;
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
use strongroom_journal::follower::{Follower, witness_name};
use strongroom_journal::writer::Orderer;
use strongroom_ports::bus::{Bus as _, Mode};
use strongroom_ports::db::{Arg, Db as _};
use strongroom_ports::host::Clock;
use strongroom_replica::SharedFollower;
use strongroom_stage::post::{Cause, Post};
use strongroom_stage::{NoFaults, Options as ShellOptions, Shell};
use strongroom_store_sqlite::SqliteDb;
use strongroom_tlog::{CosignKey, cosign};
use strongroom_types::{Act, Code, Document as _, NodeId, Signed, UnixMs};
use strongroom_wire::{JournalBatch, JournalResult, Marks, Role, WitnessCosignature, topics};
use strongroom_world::{Ledger, START, World, WorldOptions};

pub const OPERATOR: &str = "operator-key";
pub const TENANT: &str = "tenant-key";
pub const OTHER: &str = "other-key";

/// A clock that the test sets.
pub struct TestClock(AtomicU64);

impl Clock for TestClock {
    fn now_ms(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// A journal: tenant, key and vault of the first tenant, then a second tenant.
pub struct Log {
    pub world: World,
    /// The first tenant's view of the journal.
    pub ledger: Ledger,
    pub batches: Vec<JournalBatch>,
    pub bodies: Vec<String>,
}

impl Log {
    pub fn new() -> Self {
        let mut ledger = Ledger::ready(World::new(1, WorldOptions::default()));
        let world = ledger.world.clone();
        ledger.world = world.for_tenant(1);
        ledger.create_tenant();
        let mut follower = Follower::new(Arc::clone(&world.genesis)).unwrap();
        let orderer = Orderer::new(&world.genesis, &world.log_key.to_bytes()).unwrap();
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        let (mut batches, mut bodies) = (Vec::new(), Vec::new());
        for entry in &ledger.entries {
            let offered = if entry.seq == 0 {
                vec![]
            } else {
                vec![entry.body.clone()]
            };
            let ordered = orderer
                .order(&mut follower, entry.at, &offered, &mut rng)
                .unwrap();
            batches.extend(ordered.batches.into_iter().map(|batch| batch.batch));
            bodies.push(follower.tip().body.clone());
        }
        ledger.world = world.clone();
        Self {
            world,
            ledger,
            batches,
            bodies,
        }
    }
}

/// A served API.
pub struct Served {
    pub log: Log,
    pub url: String,
    pub bus: Arc<EmbeddedBus>,
    pub clock: Arc<TestClock>,
    db: Arc<SqliteDb>,
    address: SocketAddr,
    stage: Mutex<Shell<ApiStage>>,
    shared: Arc<SharedFollower>,
    _runtime: tokio::runtime::Runtime,
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
        let log = Log::new();
        let genesis = Arc::clone(&log.world.genesis);
        let shared = Arc::new(SharedFollower::new(Arc::clone(&genesis)).unwrap());
        log.batches
            .iter()
            .for_each(|batch| drop(shared.write(|f| f.append(batch)).unwrap()));
        let service = log.world.service(Role::Api);
        let post = || Post::new(genesis.hash(), service.node, &service.signing.to_bytes());
        let stage = Shell::new(
            ApiStage::new(post(), Arc::clone(&shared)),
            db.clone(),
            bus.clone(),
            ShellOptions::default(),
            Box::new(NoFaults),
        )
        .unwrap();
        let clock = Arc::new(TestClock(AtomicU64::new(START.0)));
        let key = |text, tenant| AccessKey {
            hash: hash_key(text),
            tenant,
        };
        let api = Api::new(ApiParts {
            db: db.clone(),
            bus: bus.clone(),
            journal: Arc::clone(&shared),
            codecs: vec![strongroom_chains::network("regtest").unwrap().unwrap()],
            post: post(),
            keyring: Keyring(vec![
                key(OPERATOR, None),
                key(TENANT, Some(log.world.tenant.id)),
                key(OTHER, Some(log.world.for_tenant(1).tenant.id)),
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
        runtime.spawn(async move { serve(api, listener, std::future::pending()).await });
        Self {
            log,
            url,
            bus,
            clock,
            db,
            address,
            stage: Mutex::new(stage),
            shared,
            _runtime: runtime,
        }
    }

    pub fn client(&self, key: &str) -> Client {
        Client::new(&self.url, key)
    }

    fn publish<T: strongroom_wire::Payload>(
        &self,
        topic: &str,
        node: NodeId,
        seed: &[u8; 32],
        payload: &T,
    ) {
        let cause = Cause::own(&[&strongroom_wire::encode(payload)], UnixMs(0));
        self.publish_with(topic, (node, seed), None, payload, &cause);
    }

    fn publish_with<T: strongroom_wire::Payload>(
        &self,
        topic: &str,
        (node, seed): (NodeId, &[u8; 32]),
        to: Option<NodeId>,
        payload: &T,
        cause: &Cause,
    ) {
        let mut post = Post::new(self.log.world.genesis.hash(), node, seed);
        let record = post
            .record(START, (topic, &[]), to, payload, cause)
            .unwrap();
        self.bus.publish(&[record]).unwrap();
    }

    /// The writer publishes a batch.
    pub fn batch(&self, batch: &JournalBatch) {
        let writer = self.log.world.service(Role::Writer);
        self.publish(
            topics::JOURNAL_ENTRIES,
            writer.node,
            &writer.signing.to_bytes(),
            batch,
        );
    }

    pub fn all_batches(&self) {
        self.log.batches.iter().for_each(|batch| self.batch(batch));
    }

    /// A cosignature of a signer (1 to 3) over the head after batch `n`.
    pub fn cosignature(&self, signer: u16, n: usize, time_s: u64) -> WitnessCosignature {
        let seat = self.log.world.signer(signer);
        let key = CosignKey::new(&witness_name(seat.node), &seat.witness.to_bytes()).unwrap();
        let body = self.log.bodies[n].clone();
        let signature = cosign(&body, time_s, &key).unwrap().signature;
        WitnessCosignature {
            body,
            time_s,
            signature,
        }
    }

    /// A signer publishes a cosignature under its own name.
    pub fn vouch(&self, signer: u16, cosignature: &WitnessCosignature) {
        let seat = self.log.world.signer(signer);
        self.publish(
            &topics::cosignatures(seat.node),
            seat.node,
            &seat.signing.to_bytes(),
            cosignature,
        );
    }

    /// Three of four witnesses vouch for the head after batch `n`.
    pub fn witnessed(&self, n: usize) {
        (1..=3).for_each(|signer| self.vouch(signer, &self.cosignature(signer, n, START.0 / 1000)));
    }

    pub fn last(&self) -> usize {
        self.log.batches.len() - 1
    }

    pub fn size(&self) -> u64 {
        self.shared.read(Follower::size)
    }

    /// Sets the clock; the stage's tick is due whenever it moved by half a second.
    pub fn at(&self, now: UnixMs) {
        self.clock.0.store(now.0, Ordering::Relaxed);
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
    pub fn says<T: strongroom_wire::Payload>(&self, role: Role, topic: &str, payload: &T) {
        self.says_with(role, topic, payload, Marks::default());
    }

    /// As [`Self::says`], with a timeline.
    pub fn says_with<T: strongroom_wire::Payload>(
        &self,
        role: Role,
        topic: &str,
        payload: &T,
        marks: Marks,
    ) {
        let service = self.log.world.service(role);
        let sender = (service.node, &service.signing.to_bytes());
        let to = (role == Role::Writer).then(|| self.log.world.service(Role::Api).node);
        let mut cause = Cause::own(&[&strongroom_wire::encode(payload)], UnixMs(0));
        cause.marks = marks;
        self.publish_with(topic, sender, to, payload, &cause);
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
        let ledger = &mut self.log.ledger;
        ledger.push(Body::Act(act.clone()), ledger.now).unwrap();
        let orderer =
            Orderer::new(&self.log.world.genesis, &self.log.world.log_key.to_bytes()).unwrap();
        let mut rng = ChaCha20Rng::seed_from_u64(2);
        let offered = [Body::Act(act.clone())];
        self.shared
            .write(|f| orderer.order(f, ledger.now, &offered, &mut rng))
            .unwrap();
    }

    /// One request, byte by byte: what was answered, head and body.
    pub fn raw(&self, request: &Request<'_>) -> Answer {
        let mut stream = std::net::TcpStream::connect(self.address).unwrap();
        let (method, path) = (request.method, request.path);
        let authorization = request.key.map_or_else(String::new, |key| {
            format!("authorization: Bearer {key}\r\n")
        });
        let body = request.body.unwrap_or_default();
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nhost: test\r\nconnection: close\r\n{authorization}content-length: {}\r\n\r\n{body}",
            body.len()
        )
        .unwrap();
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

impl Served {
    /// Something on the entries' topic that is no record of ours.
    pub fn bus_garbage(&self) {
        use strongroom_ports::bus::{Headers, Record, Topic};
        let topic = Topic::new(topics::JOURNAL_ENTRIES).unwrap();
        let headers = Headers {
            msg_id: [9; 16],
            ..Headers::default()
        };
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
