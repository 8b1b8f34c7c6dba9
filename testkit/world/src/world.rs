//! An installation: genesis and all keys.

use crate::options::WorldOptions;
use crate::parties::{Person, ServiceKeys, SignerKeys, Who, WitnessKeys};
use crate::seed::Seed;
use crate::tenant::Tenant;
use ed25519_dalek::SigningKey;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use strongroom_journal::genesis::ChainSeat;
use strongroom_journal::{Bounds, Genesis, Mode};
use strongroom_types::charter::Board;
use strongroom_types::{AssetId, ChainId, Digest, PlatformId, UnixMs, digest};
use strongroom_wire::Role;

/// Bitcoin regtest.
pub const CHAIN: &str = "bip122:0f9188f13cb7b2c71f2a335e3a4fc328";
/// Its native asset.
pub const NATIVE: &str = "bip122:0f9188f13cb7b2c71f2a335e3a4fc328/slip44:1";
/// A Taproot address (x-only key: the generator) that is on the allow-list.
pub const FRIEND: &str = "bcrt1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqc8gma6";
/// A Taproot address (x-only key: twice the generator) that is on no list.
pub const STRANGER: &str = "bcrt1pccz8l9zpa47k6vz9gphftsrumpw80rjt3nhnefat4symjhrsnmjsgkm3r6";
/// Time at which a world begins: Thursday 2026-01-01 00:00 UTC.
pub const START: UnixMs = UnixMs(1_767_225_600_000);

const SERVICES: [Role; 5] = [
    Role::Api,
    Role::Approvals,
    Role::Transactions,
    Role::Coordinator,
    Role::Writer,
];

/// An installation with one tenant.
#[derive(Clone, Debug)]
pub struct World {
    /// Seed from which all keys and ids are derived.
    pub seed: Seed,
    /// Options that the world was made with.
    pub options: WorldOptions,
    /// Genesis of the installation, which entry 0 names.
    pub genesis: Arc<Genesis>,
    /// Signers, ascending by index.
    pub signers: Vec<SignerKeys>,
    /// Independent witnesses.
    pub witnesses: Vec<WitnessKeys>,
    /// One instance of each service, and behind them the further coordinators.
    pub services: Vec<ServiceKeys>,
    /// Ed25519 key that signs checkpoints.
    pub log_key: SigningKey,
    /// The tenant whose people all builders mean.
    pub tenant: Tenant,
    counter: Arc<AtomicU64>,
}

impl World {
    /// The world of a seed.
    #[must_use]
    pub fn new(seed: u64, options: WorldOptions) -> Self {
        let seed = Seed::new(seed);
        let signers: Vec<_> = (1..=options.signers)
            .map(|index| SignerKeys::new(&seed, index))
            .collect();
        let witnesses: Vec<_> = (1..=options.witnesses)
            .map(|n| WitnessKeys::new(&seed, n))
            .collect();
        let further = (1..options.coordinators)
            .map(|n| ServiceKeys::new(&seed.child("coordinator", n), Role::Coordinator));
        let services: Vec<_> = SERVICES
            .into_iter()
            .map(|role| ServiceKeys::new(&seed, role))
            .chain(further)
            .collect();
        let log_key = SigningKey::from_bytes(&seed.bytes("log key", 0));
        let admin = Person::new(&seed, Who::PlatformAdmin);
        let faults = strongroom_tlog::faults_assumed(options.min_signers);
        let mut bounds = Bounds::dev(options.delay_ms);
        if let Some(ms) = options.platform_delay_ms {
            bounds.platform_delay_ms = ms;
        }
        if let Some(ms) = options.ceremony_life_ms {
            bounds.ceremony_life_ms = ms;
        }
        (options.tune)(&mut bounds);
        let genesis = Genesis {
            version: strongroom_journal::genesis::VERSION,
            platform: PlatformId(seed.id("platform", 0)),
            mode: Mode::Dev,
            created: options.start,
            signers: signers.iter().map(SignerKeys::seat).collect(),
            witnesses: witnesses.iter().map(WitnessKeys::seat).collect(),
            admin_users: vec![admin.user.clone()],
            admin_credentials: vec![admin.credential.clone()],
            admins: Board {
                members: vec![admin.user.id],
                quorum: 1,
            },
            services: services.iter().map(ServiceKeys::node_key).collect(),
            origin: "strongroom.example/journal".to_owned(),
            log_key: log_key.verifying_key().to_bytes(),
            quorum: strongroom_tlog::quorum(options.signers + options.witnesses, faults),
            faults: faults.into(),
            chains: vec![ChainSeat {
                chain: chain(),
                native: native(),
                decoder: "bitcoin/1".to_owned(),
                row: row(),
            }],
            bounds,
        };
        genesis.check().expect("a world's genesis keeps every rule");
        let tenant = Tenant::new(seed.child("tenant", 0), &options);
        let (genesis, counter) = (Arc::new(genesis), Arc::new(AtomicU64::new(1)));
        Self {
            seed,
            options,
            genesis,
            signers,
            witnesses,
            services,
            log_key,
            tenant,
            counter,
        }
    }

    /// The same installation, meaning another tenant: the n-th, 0 being the first.
    #[must_use]
    pub fn for_tenant(&self, n: u64) -> Self {
        Self {
            tenant: Tenant::new(self.seed.child("tenant", n), &self.options),
            ..self.clone()
        }
    }

    /// The installation's id.
    #[must_use]
    pub fn platform(&self) -> PlatformId {
        self.genesis.platform
    }

    /// A person of the tenant, or the platform's admin.
    #[must_use]
    pub fn person(&self, who: Who) -> Person {
        if who == Who::PlatformAdmin {
            Person::new(&self.seed, who)
        } else {
            self.tenant.person(who)
        }
    }

    /// The signer with this roster index.
    #[must_use]
    pub fn signer(&self, index: u16) -> &SignerKeys {
        self.signers
            .iter()
            .find(|signer| signer.index == index)
            .unwrap()
    }

    /// Number of witnesses: signers, then independent ones.
    #[must_use]
    pub fn seats(&self) -> u16 {
        self.options.signers + self.options.witnesses
    }

    /// Keys of the witness in seat `n`: signers from 1, then the independent witnesses.
    #[must_use]
    pub fn seat(&self, n: u16) -> WitnessKeys {
        let signer = self.signers.iter().find(|signer| signer.index == n);
        signer.map_or_else(
            || self.witnesses[usize::from(n - self.options.signers) - 1].clone(),
            |signer| WitnessKeys {
                node: signer.node,
                signing: signer.signing.clone(),
                witness: signer.witness.clone(),
            },
        )
    }

    /// The private keys of the node in seat `n`, by the names of the files in its data folder.
    #[must_use]
    pub fn key_files(&self, n: u16) -> [(&'static str, [u8; 32]); 3] {
        let seat = self.seat(n);
        let signer = self.signers.iter().find(|signer| signer.index == n);

        // A witness has a sealing key as every node does; genesis does not name it.
        let sealing = signer.map_or([0x77; 32], SignerKeys::sealing_seed);
        [
            ("signing.key", seat.signing.to_bytes()),
            ("witness.key", seat.witness.to_bytes()),
            ("sealing.key", sealing),
        ]
    }

    /// The service with this role.
    #[must_use]
    pub fn service(&self, role: Role) -> &ServiceKeys {
        self.services
            .iter()
            .find(|service| service.role == role)
            .unwrap()
    }

    /// The numbers given out so far, for a world that is made again and goes on from here.
    #[must_use]
    pub fn given_out(&self) -> u64 {
        self.counter.load(Ordering::Relaxed)
    }

    /// Gives out no number below `to` any more.
    pub fn go_on_from(&self, to: u64) {
        self.counter.fetch_max(to, Ordering::Relaxed);
    }

    /// A number that was not given out before in this world (its clones included).
    #[must_use]
    pub fn next(&self) -> u64 {
        self.counter.fetch_add(1, Ordering::Relaxed)
    }
}

pub(crate) fn chain() -> ChainId {
    CHAIN.parse().unwrap()
}

pub(crate) fn native() -> AssetId {
    NATIVE.parse().unwrap()
}

/// Row of Bitcoin regtest in the list of chains, from its parts as `docs/formats.md` names them: the
/// fixture links no codec.
fn row() -> Digest {
    let parts = [CHAIN, NATIVE, "bitcoin/1", "regtest", "\0"];
    digest("strongroom/chain-row/v1", &parts.map(str::as_bytes))
}
