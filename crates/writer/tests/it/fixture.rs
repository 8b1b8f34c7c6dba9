//! A small installation: three signers, one witness, k = 3 of 4, one platform admin, one writer,
//! one submitter.

use ed25519_dalek::SigningKey;
use rand_chacha::ChaCha20Rng;
use rand_core::{CryptoRngCore, SeedableRng as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use strongroom_bus_embedded::EmbeddedBus;
use strongroom_journal::Body;
use strongroom_journal::follower::witness_name;
use strongroom_journal::genesis::{Bounds, ChainSeat, Genesis, Mode, SignerSeat, WitnessSeat};
use strongroom_ports::bus::{Bus, Headers, Mode as BusMode, Record, Topic};
use strongroom_ports::db::Db;
use strongroom_ports::host::Entropy;
use strongroom_replica::{Feed, SharedFollower};
use strongroom_stage::post::Post;
use strongroom_stage::{NoFaults, Options, Shell, ShellError};
use strongroom_store_sqlite::SqliteDb;
use strongroom_tlog::{CosignKey, cosign};
use strongroom_types::charter::Board;
use strongroom_types::{
    Act, ActBody, ActId, Credential, CredentialClass, CredentialId, Digest, NodeId, PlatformId,
    Scope, Signed, SigningCredential, Tighten, UnixMs, UserId,
};
use strongroom_wire::envelope::Heading;
use strongroom_wire::{
    JournalResult, JournalSubmitted, NodeKey, Payload, Role, WitnessCosignature, encode, open,
    seal, topics,
};
use strongroom_writer::Writer;

pub const START: UnixMs = UnixMs(1_800_000_000_000);
pub const LOG_SEED: [u8; 32] = [90; 32];
const ADMIN: CredentialId = CredentialId([80; 16]);

fn public(seed: u8) -> [u8; 32] {
    SigningKey::from_bytes(&[seed; 32])
        .verifying_key()
        .to_bytes()
}

pub fn node(n: u8) -> NodeId {
    NodeId([n; 16])
}

pub fn witness_seed(n: u8) -> [u8; 32] {
    [20 + n; 32]
}

pub fn at(ms: u64) -> UnixMs {
    START.plus(ms)
}

pub fn genesis() -> Arc<Genesis> {
    let name = |text: &str| text.parse().unwrap();
    let signer = |n: u8| SignerSeat {
        index: u16::from(n),
        node: node(n),
        signing_key: public(10 + n),
        witness_key: public(20 + n),
        sealing_key: vec![n],
        location: name("Zurich"),
        operator: name("Operator"),
        hardware: name("none"),
        measurement: Digest([n; 32]),
    };
    let genesis = Genesis {
        version: 1,
        platform: PlatformId([1; 16]),
        mode: Mode::Dev,
        created: START,
        signers: (1..=3).map(signer).collect(),
        witnesses: vec![WitnessSeat {
            node: node(4),
            signing_key: public(14),
            witness_key: public(24),
            operator: name("Witness"),
        }],
        admin_credentials: vec![Credential {
            id: ADMIN,
            user: UserId([80; 16]),
            class: CredentialClass::Key,
            public_key: public(80),
        }],
        admins: Board {
            members: vec![ADMIN],
            quorum: 1,
        },
        services: vec![
            NodeKey {
                node: node(50),
                role: Role::Writer,
                public_key: public(50),
            },
            NodeKey {
                node: node(60),
                role: Role::Api,
                public_key: public(60),
            },
        ],
        origin: "journal.example".into(),
        log_key: public(90),
        quorum: 3,
        faults: 1,
        chains: vec![ChainSeat {
            chain: "bip122:0f9188f13cb7b2c71f2a335e3a4fc328".parse().unwrap(),
            native: "bip122:0f9188f13cb7b2c71f2a335e3a4fc328/slip44:0"
                .parse()
                .unwrap(),
            decoder: "bitcoin/1".into(),
        }],
        bounds: Bounds::dev(0),
    };
    genesis.check().unwrap();
    Arc::new(genesis)
}

/// A tightening of the platform by its admin.
pub fn stop(id: u8) -> Signed {
    let body = ActBody::Tighten(Tighten::Stop);
    let (platform, scope, expires) = (PlatformId([1; 16]), Scope::Platform, at(3_600_000));
    let act = Act {
        platform,
        scope,
        id: ActId([id; 16]),
        version: 0,
        expires,
        body,
    };
    Signed::by(&act, &SigningCredential::new(ADMIN, &[80; 32]))
}

pub fn cosigned(n: u8, body: &str, at: UnixMs) -> WitnessCosignature {
    let key = CosignKey::new(&witness_name(node(n)), &witness_seed(n)).unwrap();
    let time_s = at.0 / 1000;
    WitnessCosignature {
        body: body.to_owned(),
        time_s,
        signature: cosign(body, time_s, &key).unwrap().signature,
    }
}

struct Seeded(AtomicU64);
impl Entropy for Seeded {
    fn rng(&self) -> Box<dyn CryptoRngCore + Send> {
        Box::new(ChaCha20Rng::seed_from_u64(
            self.0.fetch_add(1, Ordering::SeqCst),
        ))
    }
}

pub fn post() -> Post {
    Post::new(genesis().hash(), node(50), &[50; 32])
}

pub fn bus() -> Arc<dyn Bus> {
    Arc::new(
        EmbeddedBus::open_in_memory(
            BusMode::Dev,
            strongroom_bus_embedded::Options::default(),
            [1; 16],
        )
        .unwrap(),
    )
}

/// A writer in its shell.
pub struct World {
    pub db: Arc<SqliteDb>,
    pub bus: Arc<dyn Bus>,
    pub shell: Shell<Writer>,
    submitted: u8,
}

impl World {
    pub fn new() -> Self {
        Self::on(Arc::new(SqliteDb::open_in_memory().unwrap()), bus(), 1)
    }

    /// A (re)started writer; its randomness depends on `seed`.
    pub fn on(db: Arc<SqliteDb>, bus: Arc<dyn Bus>, seed: u64) -> Self {
        let entropy = Arc::new(Seeded(AtomicU64::new(seed * 1_000_000)));
        let writer = Writer::new(genesis(), &LOG_SEED, post(), entropy).unwrap();
        let shared: Arc<dyn Db> = Arc::clone(&db) as Arc<dyn Db>;
        let shell = Shell::new(
            writer,
            shared,
            Arc::clone(&bus),
            Options::default(),
            Box::new(NoFaults),
        )
        .unwrap();
        Self {
            db,
            bus,
            shell,
            submitted: 0,
        }
    }

    /// Steps until nothing moves.
    pub fn settle(&mut self, now: UnixMs) -> Result<(), ShellError> {
        while !self.shell.step(now.0, Duration::ZERO)?.idle() {}
        Ok(())
    }

    pub fn size(&self) -> u64 {
        self.shell.stage().follower().unwrap().size()
    }

    pub fn publish<T: Payload>(
        &mut self,
        topic: &str,
        from: (u8, u8),
        deadline: UnixMs,
        payload: &T,
    ) {
        self.submitted += 1;
        let (node, seed) = (node(from.0), [from.1; 32]);
        let heading = Heading {
            genesis: genesis().hash(),
            from: node,
            to: None,
            session: [0; 16],
            sequence: 1,
            created: START,
            deadline,
        };
        let headers = Headers {
            msg_id: [self.submitted; 16],
            schema: T::SCHEMA.0,
            ..Headers::default()
        };
        let payload = seal(heading, payload, &SigningKey::from_bytes(&seed));
        self.bus
            .publish(&[Record {
                topic: Topic::new(topic).unwrap(),
                key: vec![1],
                headers,
                payload,
            }])
            .unwrap();
    }

    /// The API submits a body.
    pub fn submit(&mut self, id: u8, body: &Body) {
        let submitted = JournalSubmitted {
            submission: [id; 16],
            body: encode(body),
        };
        self.publish(
            topics::JOURNAL_SUBMITTED,
            (60, 60),
            at(1_000_000),
            &submitted,
        );
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

    /// Answers by submission.
    pub fn answers(&self) -> Vec<JournalResult> {
        let senders = strongroom_journal::genesis::Registered::of(&genesis());
        let read = |record: Record| {
            let envelope = open(&record.payload, &senders, &[Role::Writer]).unwrap();
            assert_eq!(
                (envelope.to, record.key),
                (Some(node(60)), node(60).0.to_vec())
            );
            envelope.payload().unwrap()
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
