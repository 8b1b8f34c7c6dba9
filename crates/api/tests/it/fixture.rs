//! A served API with a journal that the test feeds.

use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;
use std::sync::Arc;
use strongroom_api::{AccessKey, Api, ApiParts, ApiStage, Changes, Keyring, hash_key, serve};
use strongroom_bus_embedded::{EmbeddedBus, Options};
use strongroom_chain_bitcoin::{BitcoinCodec, Network};
use strongroom_client::Client;
use strongroom_journal::follower::{Follower, witness_name};
use strongroom_journal::writer::Orderer;
use strongroom_ports::bus::{Bus as _, Mode};
use strongroom_ports::db::Db;
use strongroom_ports::host::Clock;
use strongroom_replica::SharedFollower;
use strongroom_stage::Stage as _;
use strongroom_stage::post::{Cause, Post};
use strongroom_store_sqlite::SqliteDb;
use strongroom_tlog::{CosignKey, cosign};
use strongroom_types::{NodeId, UnixMs};
use strongroom_wire::{JournalBatch, Role, WitnessCosignature, topics};
use strongroom_world::{Ledger, START, World, WorldOptions};

pub const OPERATOR: &str = "operator-key";
pub const TENANT: &str = "tenant-key";
pub const OTHER: &str = "other-key";

struct Fixed;

impl Clock for Fixed {
    fn now_ms(&self) -> u64 {
        START.0
    }
}

/// A journal: tenant, key and vault of the first tenant, then a second tenant.
pub struct Log {
    pub world: World,
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
        Self {
            world,
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
        let log = Log::new();
        let genesis = Arc::clone(&log.world.genesis);
        let shared = Arc::new(SharedFollower::new(Arc::clone(&genesis)).unwrap());
        log.batches
            .iter()
            .for_each(|batch| drop(shared.write(|f| f.append(batch)).unwrap()));
        let service = log.world.service(Role::Api);
        let post = || Post::new(genesis.hash(), service.node, &service.signing.to_bytes());
        db.migrate(ApiStage::new(post(), Arc::clone(&shared)).migrations())
            .unwrap();
        let key = |text, tenant| AccessKey {
            hash: hash_key(text),
            tenant,
        };
        let api = Api::new(ApiParts {
            db: db.clone(),
            bus: bus.clone(),
            journal: Arc::clone(&shared),
            codecs: vec![Arc::new(BitcoinCodec::new(Network::Regtest).unwrap())],
            post: post(),
            keyring: Keyring(vec![
                key(OPERATOR, None),
                key(TENANT, Some(log.world.tenant.id)),
                key(OTHER, Some(log.world.for_tenant(1).tenant.id)),
            ]),
            clock: Arc::new(Fixed),
            changes: Changes::default(),
        });
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let listener = runtime
            .block_on(tokio::net::TcpListener::bind("127.0.0.1:0"))
            .unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        runtime.spawn(async move { serve(api, listener, std::future::pending()).await });
        Self {
            log,
            url,
            bus,
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
        let mut post = Post::new(self.log.world.genesis.hash(), node, seed);
        let cause = Cause::own(&[&strongroom_wire::encode(payload)], UnixMs(0));
        self.bus
            .publish(&[post
                .record(START, (topic, &[]), None, payload, &cause)
                .unwrap()])
            .unwrap();
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
