//! A small installation: three signers, one witness, k = 3 of 4, one platform admin, one writer.

use ed25519_dalek::SigningKey;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;
use std::sync::Arc;
use strongroom_journal::follower::{Follower, witness_name};
use strongroom_journal::genesis::{Bounds, ChainSeat, Genesis, Mode, SignerSeat, WitnessSeat};
use strongroom_journal::writer::Orderer;
use strongroom_journal::{Body, Entry};
use strongroom_ports::db::{Db, Tx};
use strongroom_replica::{Replica, ReplicaError};
use strongroom_store_sqlite::SqliteDb;
use strongroom_tlog::{CosignKey, cosign};
use strongroom_types::charter::Board;
use strongroom_types::{
    Act, ActBody, ActId, Code, Credential, CredentialClass, CredentialId, Digest, NodeId,
    PlatformId, Scope, Signed, SigningCredential, Tighten, UnixMs, UserId,
};
use strongroom_wire::{JournalBatch, NodeKey, Role, WitnessCosignature};

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
        services: vec![NodeKey {
            node: node(50),
            role: Role::Writer,
            public_key: public(50),
        }],
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

/// An honest writer in memory.
pub struct Log {
    pub follower: Follower,
    rng: ChaCha20Rng,
}

impl Log {
    pub fn new() -> Self {
        Self::salted(1)
    }

    pub fn salted(seed: u64) -> Self {
        Self {
            follower: Follower::new(genesis()).unwrap(),
            rng: ChaCha20Rng::seed_from_u64(seed),
        }
    }

    pub fn order(&mut self, now: UnixMs, bodies: &[Body]) -> Vec<JournalBatch> {
        let orderer = Orderer::new(&genesis(), &LOG_SEED).unwrap();
        let ordered = orderer
            .order(&mut self.follower, now, bodies, &mut self.rng)
            .unwrap();
        ordered
            .batches
            .into_iter()
            .map(|batch| batch.batch)
            .collect()
    }

    pub fn tick(&mut self, now: UnixMs) -> JournalBatch {
        self.order(now, &[Body::Tick]).pop().unwrap()
    }
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

/// Runs work in one transaction and commits it.
pub fn commit<T>(db: &SqliteDb, work: impl FnOnce(&mut dyn Tx) -> T) -> T {
    let mut tx = db.begin().unwrap();
    let value = work(tx.as_mut());
    tx.commit().unwrap();
    value
}

/// Runs work in one transaction that is lost.
pub fn lose<T>(db: &SqliteDb, work: impl FnOnce(&mut dyn Tx) -> T) -> T {
    let mut tx = db.begin().unwrap();
    work(tx.as_mut())
}

pub fn append(db: &SqliteDb, replica: &mut Replica, batch: &JournalBatch) -> Vec<Entry> {
    let appended = commit(db, |tx| replica.append(tx, batch)).unwrap();
    appended
        .iter()
        .map(|sealed| sealed.open().unwrap())
        .collect()
}

pub fn code<T: std::fmt::Debug>(result: Result<T, ReplicaError>) -> Code {
    match result.unwrap_err() {
        ReplicaError::Refused(refusal) => refusal.code,
        other => panic!("{other}"),
    }
}

/// A database with this replica and these batches in it.
pub fn stored(batches: &[JournalBatch]) -> (SqliteDb, Replica) {
    let db = SqliteDb::open_in_memory().unwrap();
    let mut replica = Replica::open(&db, genesis()).unwrap();
    batches
        .iter()
        .for_each(|batch| drop(append(&db, &mut replica, batch)));
    (db, replica)
}
