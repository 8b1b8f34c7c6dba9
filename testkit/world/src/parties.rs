//! Machines and people with their keys.

use crate::seed::Seed;
use ed25519_dalek::SigningKey;
use strongroom_journal::genesis::{SignerSeat, WitnessSeat};
use strongroom_mpc_core::dkg::RosterMember;
use strongroom_mpc_core::seal::SealingSecret;
use strongroom_types::credential::PublicKey;
use strongroom_types::{
    Credential, CredentialClass, CredentialId, Digest, NodeId, SigningCredential, User, UserId,
};
use strongroom_wire::frame::PublicRecord;
use strongroom_wire::{NodeKey, Role};

/// One signer's keys.
#[derive(Clone, Debug)]
pub struct SignerKeys {
    /// Roster index, from 1.
    pub index: u16,
    /// Bus id.
    pub node: NodeId,
    /// Ed25519 key of envelopes and ceremony certificates.
    pub signing: SigningKey,
    /// Ed25519 key of cosignatures.
    pub witness: SigningKey,
    sealing: [u8; 32],
}

impl SignerKeys {
    pub(crate) fn new(seed: &Seed, index: u16) -> Self {
        let n = u64::from(index);
        Self {
            index,
            node: NodeId(seed.id("signer node", n)),
            signing: SigningKey::from_bytes(&seed.bytes("signer signing key", n)),
            witness: SigningKey::from_bytes(&seed.bytes("signer witness key", n)),
            sealing: seed.bytes("signer sealing key", n),
        }
    }

    /// The seed of [`Self::sealing`], as a node's file has it.
    pub(crate) const fn sealing_seed(&self) -> [u8; 32] {
        self.sealing
    }

    /// X-Wing secret for sealed ceremony messages.
    #[must_use]
    pub fn sealing(&self) -> SealingSecret {
        SealingSecret::from_bytes(&self.sealing)
    }

    /// The public record that this signer prints at `init`.
    #[must_use]
    pub fn public_record(&self) -> PublicRecord {
        PublicRecord {
            signing_key: self.signing.verifying_key().to_bytes(),
            witness_key: self.witness.verifying_key().to_bytes(),
            sealing_key: self.sealing().public_key().unwrap(),
            measurement: Digest([0x5e; 32]),
        }
    }

    /// Its seat in genesis.
    #[must_use]
    pub fn seat(&self) -> SignerSeat {
        let public = self.public_record();
        SignerSeat {
            index: self.index,
            node: self.node,
            signing_key: public.signing_key,
            witness_key: public.witness_key,
            sealing_key: public.sealing_key,
            location: format!("site {}", self.index).parse().unwrap(),
            operator: format!("operator {}", self.index).parse().unwrap(),
            hardware: "software".parse().unwrap(),
            measurement: public.measurement,
        }
    }

    /// Its entry in the roster of a ceremony.
    #[must_use]
    pub fn roster_member(&self) -> RosterMember {
        let public = self.public_record();
        RosterMember {
            index: self.index,
            signing_key: public.signing_key,
            sealing_key: public.sealing_key,
        }
    }
}

/// One independent witness's keys.
#[derive(Clone, Debug)]
pub struct WitnessKeys {
    /// Bus id.
    pub node: NodeId,
    /// Ed25519 key of envelopes.
    pub signing: SigningKey,
    /// Ed25519 key of cosignatures.
    pub witness: SigningKey,
}

impl WitnessKeys {
    pub(crate) fn new(seed: &Seed, number: u16) -> Self {
        let n = u64::from(number);
        Self {
            node: NodeId(seed.id("witness node", n)),
            signing: SigningKey::from_bytes(&seed.bytes("witness signing key", n)),
            witness: SigningKey::from_bytes(&seed.bytes("witness witness key", n)),
        }
    }

    /// Its seat in genesis.
    #[must_use]
    pub fn seat(&self) -> WitnessSeat {
        WitnessSeat {
            node: self.node,
            signing_key: self.signing.verifying_key().to_bytes(),
            witness_key: self.witness.verifying_key().to_bytes(),
            operator: "independent".parse().unwrap(),
        }
    }
}

/// One service instance's key.
#[derive(Clone, Debug)]
pub struct ServiceKeys {
    /// Role.
    pub role: Role,
    /// Bus id.
    pub node: NodeId,
    /// Ed25519 key of envelopes.
    pub signing: SigningKey,
}

impl ServiceKeys {
    pub(crate) fn new(seed: &Seed, role: Role) -> Self {
        let n = role as u64;
        Self {
            role,
            node: NodeId(seed.id("service node", n)),
            signing: SigningKey::from_bytes(&seed.bytes("service key", n)),
        }
    }

    /// The entry of this service in genesis.
    #[must_use]
    pub fn node_key(&self) -> NodeKey {
        let public_key = self.signing.verifying_key().to_bytes();
        NodeKey {
            node: self.node,
            role: self.role,
            public_key,
        }
    }
}

/// A person, with the credential by which they sign.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Who {
    /// A platform admin (there is one).
    PlatformAdmin,
    /// An admin of the tenant.
    Admin(usize),
    /// A committee member.
    Committee(usize),
    /// The client program that asks for payments.
    Initiator,
    /// The initiator's human, by a key.
    InitiatorKey,
    /// An approver, by key.
    Approver(usize),
    /// The same human, by a program.
    ApproverProgram(usize),
    /// A member of the risk group, by key.
    Risk(usize),
    /// A user of the tenant who is in no group and on no board.
    Clerk,
    /// A person with a key whom the tenant does not know.
    Stranger,
}

/// A human with one credential.
#[derive(Clone, Debug)]
pub struct Person {
    /// The human.
    pub user: User,
    /// Public credential, as the registry holds it.
    pub credential: Credential,
    seed: [u8; 32],
}

impl Person {
    pub(crate) fn new(seed: &Seed, who: Who) -> Self {
        let (human, number, class) = match who {
            Who::PlatformAdmin => ("platform admin", 0, CredentialClass::Key),
            Who::Admin(n) => ("admin", n, CredentialClass::Key),
            Who::Committee(n) => ("committee", n, CredentialClass::Key),
            Who::Initiator => ("initiator", 0, CredentialClass::Program),
            Who::InitiatorKey => ("initiator", 0, CredentialClass::Key),
            Who::Approver(n) => ("approver", n, CredentialClass::Key),
            Who::ApproverProgram(n) => ("approver", n, CredentialClass::Program),
            Who::Risk(n) => ("risk", n, CredentialClass::Key),
            Who::Clerk => ("clerk", 0, CredentialClass::Key),
            Who::Stranger => ("stranger", 0, CredentialClass::Key),
        };
        let number = number as u64;
        let user = User {
            id: UserId(seed.id(&format!("{human} user"), number)),
            name: format!("{human} {number}").parse().unwrap(),
        };
        let secret = seed.bytes(&format!("{human} {class} secret"), number);
        let id = CredentialId(seed.id(&format!("{human} {class} credential"), number));
        let key = PublicKey::Ed25519(SigningCredential::new(id, &secret).public_key());
        Self {
            credential: Credential {
                id,
                user: Some(user.id),
                class,
                key,
                web: None,
            },
            user,
            seed: secret,
        }
    }

    /// The credential that signs.
    #[must_use]
    pub fn signing(&self) -> SigningCredential {
        SigningCredential::new(self.credential.id, &self.seed)
    }
}
