//! Scripted signers with real key shares.

use rand_chacha::ChaCha20Rng;
use std::collections::BTreeMap;
use strongroom_journal::model::KeyRecord;
use strongroom_mpc_core::signing::KeyShare;
use strongroom_signing::{
    commitment_to_wire, message_digest, packages, request_digest, slots_from_wire,
};
use strongroom_types::{Code, Digest, SessionId, UnixMs};
use strongroom_wire::{
    CoordinatorMessage, SignerMessage, SignerRefusal, SigningRequest, SigningSlot, encode,
};
use strongroom_world::{Ceremony, World};

/// How a signer answers signing requests.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Conduct {
    Honest,
    Silent,
    /// The first byte of its first share is changed.
    WrongShare,
    Refuses(Code),
}

pub struct Signers {
    shares: BTreeMap<u16, KeyShare>,
    pub conduct: BTreeMap<u16, Conduct>,
    key: KeyRecord,
    rng: ChaCha20Rng,
}

impl Signers {
    pub fn new(world: &World, ceremony: &Ceremony, key: KeyRecord) -> Self {
        let open = |(index, record): (&u16, _)| {
            (*index, KeyShare::open(record, [*index as u8; 16]).unwrap())
        };
        Self {
            shares: ceremony.shares.iter().map(open).collect(),
            conduct: BTreeMap::new(),
            key,
            rng: world.seed.rng("scripted signers", 0),
        }
    }

    /// A signer's answer, if it gives one.
    pub fn answer(
        &mut self,
        index: u16,
        message: &CoordinatorMessage,
        slots: &[SigningSlot],
    ) -> Option<SignerMessage> {
        match message {
            CoordinatorMessage::Prepare { tenant, key, count } => {
                // A signer makes fewer than it is asked for, because a nonce takes time to make.
                let count = u16::try_from(*count).unwrap().min(16);
                let share = self.shares.get_mut(&index).unwrap();
                let made = share.prepare(count, &mut self.rng).unwrap();
                Some(SignerMessage::Commitments {
                    tenant: *tenant,
                    key: *key,
                    commitments: made.iter().map(commitment_to_wire).collect(),
                })
            }
            CoordinatorMessage::Sign(request) => self.sign(index, request, slots),
            CoordinatorMessage::Ceremony { .. } | CoordinatorMessage::Relay(_) => None,
        }
    }

    fn sign(
        &mut self,
        index: u16,
        request: &SigningRequest,
        slots: &[SigningSlot],
    ) -> Option<SignerMessage> {
        let conduct = self.conduct.get(&index).copied();
        match conduct.unwrap_or(Conduct::Honest) {
            Conduct::Silent => None,
            Conduct::Refuses(code) => Some(refusal(code, request.session, request_digest(request))),
            Conduct::Honest => Some(self.shares_of(index, request, slots)),
            Conduct::WrongShare => {
                let mut message = self.shares_of(index, request, slots);
                let SignerMessage::Shares { shares, .. } = &mut message else {
                    panic!("shares")
                };
                shares[0][31] ^= 1;
                Some(message)
            }
        }
    }

    fn shares_of(
        &mut self,
        index: u16,
        request: &SigningRequest,
        slots: &[SigningSlot],
    ) -> SignerMessage {
        let slots = slots_from_wire(slots, self.key.plan.suite);
        let packages = packages(request, &slots, &self.key).unwrap();
        let made = self.shares.get_mut(&index).unwrap().sign_all(&packages);
        SignerMessage::Shares {
            session: request.session,
            request: request_digest(request),
            shares: made.unwrap().iter().map(|s| s.share.to_vec()).collect(),
            head: 9,
            covered_us: 1_000 + u64::from(index),
        }
    }
}

/// A refusal with evidence and detail that must arrive unchanged.
pub fn refusal(code: Code, session: SessionId, request: Digest) -> SignerMessage {
    SignerMessage::Refused(SignerRefusal {
        session,
        request,
        code,
        detail: format!("because of {code}"),
        evidence: Digest([7; 32]),
        head: 9,
        at: UnixMs(5),
    })
}

/// A refusal of any other message than a signing request.
pub fn refusal_of(code: Code, message: &CoordinatorMessage) -> SignerMessage {
    refusal(code, SessionId([0; 16]), message_digest(&encode(message)))
}
