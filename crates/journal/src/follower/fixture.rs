//! A small installation for tests: three signers, one witness, k = 3 of 4, one platform admin.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic
)]

use super::*;
use crate::entry::Body;
use crate::genesis::{Bounds, ChainSeat, Mode, SignerSeat, WitnessSeat};
use crate::writer::{Ordered, Orderer};
use ed25519_dalek::SigningKey;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;
use strongroom_tlog::{CosignKey, cosign};
use strongroom_types::charter::Board;
use strongroom_types::{
    Act, ActBody, ActId, Credential, CredentialClass, CredentialId, PlatformId, Scope, Signed,
    SigningCredential, Tighten, UserId,
};

pub(crate) const START: UnixMs = UnixMs(1_800_000_000_000);
pub(crate) const LOG_SEED: [u8; 32] = [90; 32];
const ADMIN: CredentialId = CredentialId([80; 16]);

fn public(seed: u8) -> [u8; 32] {
    SigningKey::from_bytes(&[seed; 32])
        .verifying_key()
        .to_bytes()
}

/// Bus id of witness `n`: signers are 1 to 3, the independent witness is 4.
pub(crate) fn node(n: u8) -> NodeId {
    NodeId([n; 16])
}

pub(crate) fn witness_seed(n: u8) -> [u8; 32] {
    [20 + n; 32]
}

pub(crate) fn genesis() -> Arc<Genesis> {
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
    let witness = WitnessSeat {
        node: node(4),
        signing_key: public(14),
        witness_key: public(24),
        operator: name("Witness"),
    };
    let admin = Credential {
        id: ADMIN,
        user: UserId([80; 16]),
        class: CredentialClass::Key,
        public_key: public(80),
    };
    let genesis = Genesis {
        version: 1,
        platform: PlatformId([1; 16]),
        mode: Mode::Dev,
        created: START,
        signers: (1..=3).map(signer).collect(),
        witnesses: vec![witness],
        admin_credentials: vec![admin],
        admins: Board {
            members: vec![ADMIN],
            quorum: 1,
        },
        services: Vec::new(),
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

/// A platform act by the admin.
pub(crate) fn act(id: u8, version: u64, body: ActBody) -> Signed {
    let expires = START.plus(3_600_000);
    let (platform, scope) = (PlatformId([1; 16]), Scope::Platform);
    let act = Act {
        platform,
        scope,
        id: ActId([id; 16]),
        version,
        expires,
        body,
    };
    Signed::by(&act, &SigningCredential::new(ADMIN, &[80; 32]))
}

/// A tightening of the platform, good for any version.
pub(crate) fn stop(id: u8) -> Signed {
    act(id, 0, ActBody::Tighten(Tighten::Stop))
}

pub(crate) fn quarantine(id: u8, signer: u16) -> Signed {
    act(id, 0, ActBody::Tighten(Tighten::Quarantine(signer)))
}

/// An honest writer with its own replica.
pub(crate) struct Log {
    pub(crate) follower: Follower,
    pub(crate) orderer: Orderer,
    rng: ChaCha20Rng,
}

impl Log {
    pub(crate) fn new() -> Self {
        Self::salted(1)
    }

    /// Another salt seed gives another line over the same bodies.
    pub(crate) fn salted(seed: u64) -> Self {
        let follower = Follower::new(genesis()).unwrap();
        let orderer = Orderer::new(&genesis(), &LOG_SEED).unwrap();
        Self {
            follower,
            orderer,
            rng: ChaCha20Rng::seed_from_u64(seed),
        }
    }

    pub(crate) fn order(&mut self, now: UnixMs, bodies: &[Body]) -> Ordered {
        self.orderer
            .order(&mut self.follower, now, bodies, &mut self.rng)
            .unwrap()
    }

    /// Orders one tick and gives its batch.
    pub(crate) fn tick(&mut self, now: UnixMs) -> JournalBatch {
        self.order(now, &[Body::Tick]).batches.pop().unwrap().batch
    }
}

/// Witness `n`'s cosignature of a body.
pub(crate) fn cosigned(n: u8, body: &str, at: UnixMs) -> WitnessCosignature {
    let key = CosignKey::new(&witness_name(node(n)), &witness_seed(n)).unwrap();
    let time_s = at.0 / 1000;
    let signature = cosign(body, time_s, &key).unwrap().signature;
    WitnessCosignature {
        body: body.to_owned(),
        time_s,
        signature,
    }
}

/// The follower hears these witnesses cosign its tip.
pub(crate) fn vouch(follower: &mut Follower, witnesses: &[u8], now: UnixMs) {
    let body = follower.tip().body.clone();
    for n in witnesses {
        follower
            .cosignature(node(*n), &cosigned(*n, &body, now), now)
            .unwrap();
    }
}
