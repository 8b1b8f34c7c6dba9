//! n signers in memory. A test can see and replace every message between them.

use borsh::{BorshDeserialize, BorshSerialize};
use ed25519_dalek::{Signer as _, SigningKey};
use rand_chacha::ChaCha20Rng;
use rand_core::{RngCore, SeedableRng};
use sha2::{Digest as _, Sha256};
use std::collections::{BTreeMap, VecDeque};
use strongroom_mpc_core::dkg::*;
use strongroom_mpc_core::seal::{Sealed, SealingSecret};
use strongroom_mpc_core::signing::*;
use strongroom_mpc_core::{ChildPath, KeyShareRecord, PublicKeyRecord, SuiteId};

pub const SUITES: [SuiteId; 3] = [
    SuiteId::FrostSecp256k1Tr,
    SuiteId::FrostSecp256k1,
    SuiteId::FrostEd25519,
];

/// The wire form, declared a second time, so that a change of the encoding breaks these tests.
#[derive(Clone, BorshSerialize, BorshDeserialize)]
pub struct Message {
    pub version: u8,
    pub session: [u8; 32],
    pub context: [u8; 32],
    pub body: Body,
}

#[derive(Clone, BorshSerialize, BorshDeserialize)]
pub enum Body {
    Round1 {
        package: Vec<u8>,
        chain_code_commitment: [u8; 32],
    },
    Echo([u8; 32]),
    Round2 {
        to: u16,
        sealed: Sealed,
    },
}

impl Message {
    pub fn read(bytes: &[u8]) -> Self {
        Self::try_from_slice(bytes).unwrap()
    }

    pub fn write(&self) -> Vec<u8> {
        borsh::to_vec(self).unwrap()
    }
}

pub fn digest(domain: &str, fields: &[&[u8]]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for bytes in std::iter::once(&domain.as_bytes()).chain(fields) {
        hash.update(u32::try_from(bytes.len()).unwrap().to_be_bytes());
        hash.update(bytes);
    }
    hash.finalize().into()
}

pub fn rng(seed: u64) -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(seed)
}

/// One delivery. The adversary sees it and returns the messages that arrive instead.
pub struct Delivery<'a> {
    pub from: u16,
    pub to: u16,
    pub bytes: &'a [u8],
}

pub struct Cluster {
    pub parameters: DkgParameters,
    pub seeds: BTreeMap<u16, [u8; 32]>,
    pub keys: BTreeMap<u16, SigningKey>,
    pub sessions: BTreeMap<u16, DkgSession>,
    pub rngs: BTreeMap<u16, ChaCha20Rng>,
    pub queue: VecDeque<(u16, u16, Vec<u8>)>,
    pub records: BTreeMap<u16, KeyShareRecord>,
    pub outcomes: BTreeMap<u16, DkgOutcome>,
    pub faults: BTreeMap<u16, DkgFault>,
    pub ignored: Vec<(u16, IgnoredReason)>,
    pub log: Vec<(u16, &'static str)>,
}

impl Cluster {
    pub fn new(suite: SuiteId, t: u16, n: u16, seed: u64) -> Self {
        Self::with(suite, t, n, seed, |_| {})
    }

    pub fn with(
        suite: SuiteId,
        t: u16,
        n: u16,
        seed: u64,
        change: impl FnOnce(&mut DkgParameters),
    ) -> Self {
        let mut random = rng(seed);
        let (mut seeds, mut keys, mut roster) = (BTreeMap::new(), BTreeMap::new(), Vec::new());
        for index in 1..=n {
            let mut bytes = [0; 32];
            random.fill_bytes(&mut bytes);
            seeds.insert(index, bytes);
            random.fill_bytes(&mut bytes);
            let key = SigningKey::from_bytes(&bytes);
            roster.push(RosterMember {
                index,
                signing_key: key.verifying_key().to_bytes(),
                sealing_key: SealingSecret::from_bytes(&seeds[&index])
                    .public_key()
                    .unwrap(),
            });
            keys.insert(index, key);
        }
        let mut session = [0; 32];
        random.fill_bytes(&mut session);
        let mut parameters = DkgParameters {
            suite,
            session,
            genesis: [7; 32],
            key_id: b"tenant/key".to_vec(),
            epoch: 1,
            min_signers: t,
            roster,
        };
        change(&mut parameters);
        let mut cluster = Self {
            parameters,
            seeds,
            keys,
            sessions: BTreeMap::new(),
            rngs: BTreeMap::new(),
            queue: VecDeque::new(),
            records: BTreeMap::new(),
            outcomes: BTreeMap::new(),
            faults: BTreeMap::new(),
            ignored: Vec::new(),
            log: Vec::new(),
        };
        for index in 1..=n {
            let mut own = rng(seed ^ (u64::from(index) << 32) ^ 0xa5a5);
            let sealing = cluster.sealing(index);
            let (session, effects) =
                DkgSession::start(cluster.parameters.clone(), index, sealing, &mut own).unwrap();
            cluster.sessions.insert(index, session);
            cluster.rngs.insert(index, own);
            cluster.effects(index, effects);
        }
        cluster
    }

    pub fn sealing(&self, index: u16) -> SealingSecret {
        SealingSecret::from_bytes(&self.seeds[&index])
    }

    pub fn seal_info(&self, from: u16, to: u16) -> [u8; 32] {
        let p = &self.parameters;
        digest(
            "strongroom/dkg-seal/v1",
            &[
                &p.session,
                &p.genesis,
                &p.epoch.to_be_bytes(),
                &from.to_be_bytes(),
                &to.to_be_bytes(),
                &p.roster_hash(),
                &p.min_signers.to_be_bytes(),
                &p.max_signers().to_be_bytes(),
                &p.context(),
            ],
        )
    }

    fn effects(&mut self, me: u16, effects: Vec<DkgEffect>) {
        for effect in effects {
            match effect {
                DkgEffect::Broadcast(bytes) => {
                    for to in self.seeds.keys().copied().filter(|to| *to != me) {
                        self.queue.push_back((me, to, bytes.clone()));
                    }
                }
                DkgEffect::Send { to, bytes } => self.queue.push_back((me, to, bytes)),
                DkgEffect::Persist(record) => {
                    self.log.push((me, "persist"));
                    self.records.insert(me, *record);
                    self.input(me, DkgInput::Persisted);
                }
                DkgEffect::Done { transcript } => {
                    self.log.push((me, "done"));
                    let signature = self.keys[&me]
                        .sign(&certificate_digest(&transcript))
                        .to_bytes();
                    for to in self.seeds.keys().copied().collect::<Vec<_>>() {
                        self.input(
                            to,
                            DkgInput::Certificate {
                                from: me,
                                signature,
                            },
                        );
                    }
                }
                DkgEffect::Finished(outcome) => {
                    self.outcomes.insert(me, *outcome);
                }
                DkgEffect::Ignored(reason) => self.ignored.push((me, reason)),
            }
        }
    }

    pub fn input(&mut self, to: u16, input: DkgInput) {
        let Some(session) = self.sessions.get_mut(&to) else {
            return;
        };
        match session.step(input, self.rngs.get_mut(&to).unwrap()) {
            Ok(effects) => self.effects(to, effects),
            Err(fault) => {
                self.faults.insert(to, fault);
            }
        }
    }

    /// Passes every message through `adversary` and delivers what it returns, until the queue is
    /// empty.
    pub fn run_with(&mut self, mut adversary: impl FnMut(&Self, Delivery<'_>) -> Vec<Vec<u8>>) {
        while let Some((from, to, bytes)) = self.queue.pop_front() {
            for bytes in adversary(
                self,
                Delivery {
                    from,
                    to,
                    bytes: &bytes,
                },
            ) {
                self.input(to, DkgInput::Received { from, bytes });
            }
        }
    }

    pub fn run(mut self) -> Self {
        self.run_with(|_, delivery| vec![delivery.bytes.to_vec()]);
        self
    }
}

/// A finished key, with all shares opened and the commitments of every signer at hand.
pub struct Quorum {
    pub public: PublicKeyRecord,
    pub shares: BTreeMap<u16, KeyShare>,
    pub rng: ChaCha20Rng,
}

impl Quorum {
    pub fn of(cluster: &Cluster) -> Self {
        let shares: BTreeMap<_, _> = cluster
            .records
            .iter()
            .map(|(index, record)| (*index, KeyShare::open(record, [*index as u8; 16]).unwrap()))
            .collect();
        let public = cluster.records.values().next().unwrap().public().clone();
        Self {
            public,
            shares,
            rng: rng(99),
        }
    }

    pub fn new(suite: SuiteId, t: u16, n: u16) -> Self {
        Self::of(&Cluster::new(suite, t, n, 11).run())
    }

    pub fn package(
        &mut self,
        participants: &[u16],
        message: &[u8],
        path: &ChildPath,
        tweak: Tweak,
    ) -> SigningPackage {
        let commitments = participants
            .iter()
            .map(|index| {
                let share = self.shares.get_mut(index).unwrap();
                (*index, share.prepare(1, &mut self.rng).unwrap().remove(0))
            })
            .collect();
        SigningPackage {
            suite: self.public.suite,
            key_id: self.public.key_id.clone(),
            epoch: self.public.epoch,
            message: message.to_vec(),
            commitments,
            path: path.clone(),
            tweak,
        }
    }

    pub fn sign(&mut self, package: &SigningPackage) -> Vec<SignatureShare> {
        package
            .commitments
            .keys()
            .map(|index| self.shares.get_mut(index).unwrap().sign(package).unwrap())
            .collect()
    }
}

pub fn path(steps: &[u32]) -> ChildPath {
    ChildPath::new(steps).unwrap()
}
