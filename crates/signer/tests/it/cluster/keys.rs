//! The world's first key in a [`Cluster`]: its proposal, its release, its ceremony.

use super::Cluster;
use strongroom_journal::state::Lookup as _;
use strongroom_journal::{Body, Finished};
use strongroom_types::{ActBody, Digest};
use strongroom_wire::{CoordinatorMessage, SignerMessage};

impl Cluster {
    /// Indices of all signers.
    fn indices(&self) -> Vec<u16> {
        let signers = self.world.signers.iter();
        signers.map(|signer| signer.index).collect()
    }

    /// The committee proposes and releases the world's first key.
    pub fn release_ceremony(&mut self) {
        let proposal = self.propose_ceremony();
        let committee = self.ledger().committee();
        self.act(ActBody::Release(proposal), &committee);
    }

    /// The committee proposes the world's first key, and its delay passes.
    pub fn propose_ceremony(&mut self) -> Digest {
        let committee = self.ledger().committee();
        let proposal = self
            .ledger()
            .signed_act(ActBody::Put(self.world.ceremony_record()), &committee);
        self.submit(Body::Act(proposal.clone())).unwrap();
        self.now = self.now.plus(self.world.options.delay_ms);
        <strongroom_types::Act as strongroom_types::Document>::digest_of(&proposal.text)
    }

    /// Releases the ceremony that was proposed by the last entry.
    pub fn release_again(&mut self) {
        let committee = self.ledger().committee();
        let state = self.writer.state();
        let digest = state
            .under(&[11])
            .next()
            .map(|(key, _)| Digest(key[17..49].try_into().unwrap()))
            .unwrap();
        self.act(ActBody::Release(digest), &committee);
    }

    /// Runs the ceremony with the signers that run: starts, relays, collects the certificates.
    pub fn run_ceremony(&mut self, run: u32) -> Finished {
        let (tenant, key) = (self.world.tenant.id, self.world.tenant.key);
        let indices = self.indices();
        self.said.clear();
        for index in &indices {
            self.to(*index, &CoordinatorMessage::Ceremony { tenant, key, run });
        }
        self.relay_all();
        self.certificates()
    }

    /// Relays every ceremony message said so far, and those that this leads to.
    pub fn relay_all(&mut self) {
        self.relay_from(0);
    }

    /// The same, from this message on.
    pub fn relay_from(&mut self, mut at: usize) {
        let indices = self.indices();
        while at < self.said.len() {
            let (from, message, sealed) = self.said[at].clone();
            at += 1;
            let SignerMessage::Ceremony(message) = message else {
                continue;
            };
            for index in indices
                .iter()
                .filter(|to| **to != from && message.to.is_none_or(|only| only == **to))
            {
                self.to(*index, &CoordinatorMessage::Relay(sealed.clone()));
            }
        }
    }

    pub fn certificates(&self) -> Finished {
        let mut finished = Finished {
            key: self.world.tenant.key,
            transcript: Digest::default(),
            public: vec![],
            certificates: vec![],
        };
        for (index, message, _) in &self.said {
            if let SignerMessage::Certificate {
                signature,
                public,
                transcript,
                ..
            } = message
            {
                finished.transcript = *transcript;
                finished.public = public.clone();
                finished
                    .certificates
                    .push((*index, signature.as_slice().try_into().unwrap()));
            }
        }
        finished.certificates.sort_by_key(|(index, _)| *index);
        finished.certificates.dedup();
        finished
    }

    pub fn public(&self) -> strongroom_mpc_core::PublicKeyRecord {
        let key = self
            .writer
            .state()
            .threshold_key(self.world.tenant.id, self.world.tenant.key)
            .unwrap();
        strongroom_mpc_core::PublicKeyRecord::from_bytes(&key.public.unwrap().record).unwrap()
    }
}
