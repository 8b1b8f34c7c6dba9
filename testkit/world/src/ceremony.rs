//! A real key generation, in memory.

use crate::parties::SignerKeys;
use crate::world::World;
use ed25519_dalek::Signer as _;
use std::collections::{BTreeMap, VecDeque};
use strongroom_journal::model::KeyRecord;
use strongroom_journal::{Body, Finished};
use strongroom_mpc_core::dkg::{DkgEffect, DkgInput, DkgParameters, DkgSession};
use strongroom_mpc_core::{KeyShareRecord, PublicKeyRecord};
use strongroom_types::ceremony::{certificate_digest, key_name};
use strongroom_types::{CeremonyPlan, Digest, RegistryRecord, Suite};

/// A finished key generation.
#[derive(Debug)]
pub struct Ceremony {
    /// The result as it is offered to the journal.
    pub finished: Finished,
    /// The public result.
    pub public: PublicKeyRecord,
    /// Each signer's share.
    pub shares: BTreeMap<u16, KeyShareRecord>,
}

impl Ceremony {
    /// The same as the body of an entry.
    #[must_use]
    pub fn body(&self) -> Body {
        Body::Finished(Box::new(self.finished.clone()))
    }
}

impl World {
    /// The plan of the tenant's first key: Taproot, t of all signers.
    #[must_use]
    pub fn plan(&self) -> CeremonyPlan {
        CeremonyPlan {
            key: self.tenant.key,
            suite: Suite::FrostSecp256k1Tr,
            min_signers: self.options.min_signers,
            roster: self.signers.iter().map(|signer| signer.index).collect(),
        }
    }

    /// [`World::plan`] as a record to put.
    #[must_use]
    pub fn ceremony_record(&self) -> RegistryRecord {
        RegistryRecord::Ceremony(self.plan())
    }

    /// The parameters of a released ceremony.
    #[must_use]
    pub fn dkg_parameters(&self, key: &KeyRecord) -> DkgParameters {
        DkgParameters {
            suite: key.plan.suite.into(),
            session: key.session.0,
            genesis: self.genesis.hash().0,
            key_id: key_name(self.tenant.id, key.plan.key),
            epoch: key.epoch,
            min_signers: key.plan.min_signers,
            roster: key
                .plan
                .roster
                .iter()
                .map(|index| self.signer(*index).roster_member())
                .collect(),
        }
    }

    /// Runs the ceremony of a key record with all its signers. The same record gives the same key.
    #[must_use]
    pub fn run_ceremony(&self, key: &KeyRecord) -> Ceremony {
        let parameters = self.dkg_parameters(key);
        let mut run = Run::default();
        for index in &key.plan.roster {
            let signer = self.signer(*index);
            let mut rng = self.seed.rng("dkg", u64::from(*index));
            let (session, effects) =
                DkgSession::start(parameters.clone(), *index, signer.sealing(), &mut rng).unwrap();
            run.sessions.insert(*index, (session, rng));
            run.waiting.push_back((*index, effects));
        }
        run.finish();
        let first = run
            .shares
            .values()
            .next()
            .expect("every signer made a share");
        let (public, transcript) = (first.public().clone(), Digest(*first.transcript()));
        let finished = self.certify(key, &public, transcript);
        Ceremony {
            finished,
            public,
            shares: run.shares,
        }
    }

    /// All n certificates over a public result.
    #[must_use]
    pub fn certify(
        &self,
        key: &KeyRecord,
        public: &PublicKeyRecord,
        transcript: Digest,
    ) -> Finished {
        let public = public.to_bytes();
        let certified = certificate_digest(&transcript, &public);
        let certificate =
            |signer: &SignerKeys| (signer.index, signer.signing.sign(&certified.0).to_bytes());
        let certificates = key
            .plan
            .roster
            .iter()
            .map(|index| certificate(self.signer(*index)))
            .collect();
        Finished {
            key: key.plan.key,
            transcript,
            public,
            certificates,
        }
    }
}

#[derive(Default)]
struct Run {
    sessions: BTreeMap<u16, (DkgSession, rand_chacha::ChaCha20Rng)>,
    waiting: VecDeque<(u16, Vec<DkgEffect>)>,
    shares: BTreeMap<u16, KeyShareRecord>,
}

impl Run {
    fn finish(&mut self) {
        while let Some((from, effects)) = self.waiting.pop_front() {
            for effect in effects {
                match effect {
                    DkgEffect::Broadcast(bytes) => {
                        let others: Vec<u16> = self
                            .sessions
                            .keys()
                            .copied()
                            .filter(|to| *to != from)
                            .collect();
                        others
                            .into_iter()
                            .for_each(|to| self.deliver(from, to, bytes.clone()));
                    }
                    DkgEffect::Send { to, bytes } => self.deliver(from, to, bytes),
                    DkgEffect::Persist(record) => {
                        self.shares.insert(from, *record);
                        self.step(from, DkgInput::Persisted);
                    }
                    // The session's certificates are not used: the journal has certificates of its
                    // own.
                    DkgEffect::Done { .. } => {}
                    DkgEffect::Finished(_) | DkgEffect::Ignored(_) => {
                        panic!("nothing was certified")
                    }
                }
            }
        }
    }

    fn deliver(&mut self, from: u16, to: u16, bytes: Vec<u8>) {
        self.step(to, DkgInput::Received { from, bytes });
    }

    fn step(&mut self, at: u16, input: DkgInput) {
        let (session, rng) = self.sessions.get_mut(&at).unwrap();
        let effects = session.step(input, rng).expect("all signers are honest");
        self.waiting.push_back((at, effects));
    }
}
