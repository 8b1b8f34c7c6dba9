//! One request of fixed bytes, and one with real nonces of a real key.

use std::collections::BTreeMap;

use strongroom_journal::model::KeyRecord;
use strongroom_journal::state::Lookup as _;
use strongroom_mpc_core::signing::{KeyShare, PublicKeys};
use strongroom_signing::{commitment_to_wire, packages};
use strongroom_types::Slot;
use strongroom_types::{CeremonyPlan, Digest, KeyId, SessionId, Suite, TenantId, Tweak};
use strongroom_wire::{NonceCommitment, SigningRequest};
use strongroom_world::{Ledger, World, WorldOptions};

pub const TENANT: TenantId = TenantId([2; 16]);
pub const KEY: KeyId = KeyId([16; 16]);

pub fn key_record(suite: Suite) -> KeyRecord {
    KeyRecord {
        plan: CeremonyPlan {
            key: KEY,
            suite,
            min_signers: 2,
            roster: vec![1, 2, 3],
        },
        session: Digest([9; 32]),
        epoch: 3,
        until: strongroom_types::UnixMs(1_767_312_000_000),
        public: None,
        revoked: false,
    }
}

pub fn slot(suite: Suite, n: u8) -> Slot {
    Slot {
        suite,
        path: vec![86, 1, 0, 0, u32::from(n)],
        tweak: match suite {
            Suite::FrostSecp256k1Tr => Tweak::Bip341,
            Suite::FrostSecp256k1 | Suite::FrostEd25519 => Tweak::None,
        },
        message: vec![n; 32],
    }
}

/// A commitment of 66 bytes whose halves differ.
pub fn commitment(n: u8) -> NonceCommitment {
    NonceCommitment {
        boot: [n; 16],
        number: u64::from(n) * 1_000,
        commitment: [[n; 33], [n + 100; 33]].concat(),
    }
}

pub fn request(slots: u8) -> SigningRequest {
    let of_slot = |slot: u8| vec![(1, commitment(slot * 10)), (3, commitment(slot * 10 + 1))];
    SigningRequest {
        session: SessionId([18; 16]),
        tenant: TENANT,
        intent: Digest([1; 32]),
        attempt: 2,
        key: KEY,
        unsigned: vec![1, 2, 3],
        commitments: (1..=slots).map(of_slot).collect(),
    }
}

/// A quorum with shares of a generated key, and a request with commitments of their nonces.
pub struct Quorum {
    pub key: KeyRecord,
    pub keys: PublicKeys,
    pub request: SigningRequest,
    pub slots: Vec<Slot>,
    shares: Vec<KeyShare>,
}

impl Quorum {
    pub fn new() -> Self {
        let (ledger, ceremony) = Ledger::ready_with_shares(World::new(1, WorldOptions::default()));
        let tenant = &ledger.world.tenant;
        let key = ledger.state.threshold_key(tenant.id, tenant.key).unwrap();
        let slots = [1, 2].map(|n| slot(Suite::FrostSecp256k1Tr, n)).to_vec();
        let mut shares: Vec<KeyShare> = [1, 3]
            .map(|index| KeyShare::open(&ceremony.shares[&index], [7; 16]).unwrap())
            .into();
        let mut rng = ledger.world.seed.rng("nonces", 0);
        let mut of_slot = || {
            shares
                .iter_mut()
                .map(|share| {
                    let made = share.prepare(1, &mut rng).unwrap();
                    (share.index(), commitment_to_wire(&made[0]))
                })
                .collect()
        };
        let commitments = slots.iter().map(|_| of_slot()).collect();
        Self {
            keys: PublicKeys::open(ceremony.public).unwrap(),
            request: SigningRequest {
                tenant: tenant.id,
                key: tenant.key,
                commitments,
                ..request(0)
            },
            key,
            slots,
            shares,
        }
    }

    /// Every participant's shares of the request, over packages that it makes itself.
    pub fn sign(&mut self) -> BTreeMap<u16, Vec<Vec<u8>>> {
        let packages = packages(&self.request, &self.slots, &self.key).unwrap();
        let sign = |share: &mut KeyShare| {
            let made = share.sign_all(&packages).unwrap();
            let bytes = made.iter().map(|share| share.share.to_vec()).collect();
            (share.index(), bytes)
        };
        self.shares.iter_mut().map(sign).collect()
    }
}
