//! Signed envelopes: each binds a payload to its sender, recipient, deadline and installation.

use crate::codec::{Payload, Schema, decode, encode};
use borsh::{BorshDeserialize, BorshSerialize};
use ed25519_dalek::{Signer as _, SigningKey};
use strongroom_guard::{G, guard};
use strongroom_types::signed::verify_digest;
use strongroom_types::{Code, Digest, NodeId, Refusal, UnixMs, digest};

const DOMAIN: &str = "strongroom/envelope/v1";
const VERSION: u8 = 1;

/// Role under which a sender is registered in genesis.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, BorshSerialize, BorshDeserialize,
)]
#[borsh(use_discriminant = true)]
#[repr(u8)]
pub enum Role {
    /// REST API service.
    Api = 0,
    /// Approvals service.
    Approvals = 1,
    /// Transactions service.
    Transactions = 2,
    /// Service that runs signing sessions and ceremonies.
    Coordinator = 3,
    /// Journal writer.
    Writer = 4,
    /// Signer (also a witness).
    Signer = 5,
    /// Independent witness.
    Witness = 6,
}

/// A registered sender.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub struct NodeKey {
    /// Id of the sender on the bus.
    pub node: NodeId,
    /// Role under which genesis registers it.
    pub role: Role,
    /// Ed25519 key of its envelopes, 32 bytes.
    pub public_key: [u8; 32],
}

/// Look-up of registered senders, which genesis provides.
pub trait Senders {
    /// Hash of the genesis that registers them.
    fn genesis(&self) -> Digest;
    /// The sender, if registered.
    fn sender(&self, node: NodeId) -> Option<&NodeKey>;
}

/// One message on the bus or a socket, as it is signed.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub struct Envelope {
    /// Format version, 1.
    pub version: u8,
    /// Hash of the installation's genesis.
    pub genesis: Digest,
    /// Type and version of the payload.
    pub schema: Schema,
    /// Node that made and signed the envelope.
    pub from: NodeId,
    /// Recipient; `None` for all readers of the topic.
    pub to: Option<NodeId>,
    /// Session or transaction to which it belongs, 16 bytes; zeros for none.
    pub session: [u8; 16],
    /// Id of what the sender continues by it, 16 bytes: one part of the record's message id.
    pub cause: [u8; 16],
    /// Running number that the sender gives its envelopes.
    pub sequence: u64,
    /// Time of making by the sender's clock, Unix milliseconds.
    pub created: UnixMs,
    /// Time from which on it must not be acted upon.
    pub deadline: UnixMs,
    /// Borsh bytes of the payload, as the sender encoded them.
    pub payload: Vec<u8>,
}

#[derive(BorshSerialize, BorshDeserialize)]
struct SignedEnvelope {
    envelope: Vec<u8>,
    signature: [u8; 64],
}

impl Envelope {
    /// The envelope in received bytes, with nothing verified: good for telling records apart, and
    /// for nothing else.
    pub fn unverified(bytes: &[u8]) -> Result<Self, Refusal> {
        decode(&decode::<SignedEnvelope>(bytes)?.envelope)
    }

    /// Decodes the payload as `T`, refusing any other schema.
    pub fn payload<T: Payload>(&self) -> Result<T, Refusal> {
        // The schema number is compared, because payloads of two types can have the same bytes and
        // one could be read as the other.
        if self.schema != T::SCHEMA {
            let detail = format!(
                "schema {} where {} was expected",
                self.schema.0,
                T::SCHEMA.0
            );
            return Err(Refusal::new(Code::Malformed, detail));
        }

        decode(&self.payload)
    }

    /// Refuses an envelope at or after its deadline.
    pub fn in_time(&self, now: UnixMs) -> Result<(), Refusal> {
        if guard(G::Deadline, now >= self.deadline) {
            return Err(Code::DeadlineExpired.into());
        }
        Ok(())
    }

    /// Refuses a record for another recipient.
    pub fn addressed_to(&self, me: NodeId) -> Result<(), Refusal> {
        // A broadcast is refused too: a record for all must not be taken for a request to one node.
        if guard(G::Recipient, self.to != Some(me)) {
            return Err(Code::WrongRecipient.into());
        }
        Ok(())
    }
}

/// Fields of an envelope to be made, except schema and bytes, which the payload gives.
#[derive(Clone, Copy, Debug)]
pub struct Heading {
    /// Hash of the installation's genesis.
    pub genesis: Digest,
    /// Node that signs the envelope.
    pub from: NodeId,
    /// Recipient; `None` for a broadcast.
    pub to: Option<NodeId>,
    /// Session or transaction to which it belongs, 16 bytes; zeros for none.
    pub session: [u8; 16],
    /// Id of what the sender continues by it, 16 bytes. A record that is made again after a crash
    /// has the cause of the first.
    pub cause: [u8; 16],
    /// Running number that the sender gives its envelopes.
    pub sequence: u64,
    /// Time of making by the sender's clock, Unix milliseconds.
    pub created: UnixMs,
    /// Time from which on it must not be acted upon, Unix milliseconds.
    pub deadline: UnixMs,
}

/// Signs a payload into the bytes that go on the bus: Ed25519 over the digest of the envelope's
/// bytes.
#[must_use]
pub fn seal<T: Payload>(heading: Heading, payload: &T, key: &SigningKey) -> Vec<u8> {
    let Heading {
        genesis,
        from,
        to,
        session,
        cause,
        sequence,
        created,
        deadline,
    } = heading;

    let (schema, payload) = (T::SCHEMA, encode(payload));
    let envelope = encode(&Envelope {
        version: VERSION,
        genesis,
        schema,
        from,
        to,
        session,
        cause,
        sequence,
        created,
        deadline,
        payload,
    });

    // The signature is over the encoded bytes, which travel with it, so that the receiver encodes
    // nothing to verify it.
    let signature = key.sign(&digest(DOMAIN, &[&envelope]).0).to_bytes();
    encode(&SignedEnvelope {
        envelope,
        signature,
    })
}

/// Verifies and opens received bytes: the sender must be known and have one of `roles`, the
/// installation must be this one, the signature must be valid over the bytes as received, and the
/// bytes must decode strictly. The caller checks deadline and recipient.
pub fn open(bytes: &[u8], senders: &dyn Senders, roles: &[Role]) -> Result<Envelope, Refusal> {
    let sealed: SignedEnvelope = decode(bytes)?;

    // The sender's id is inside the envelope, so the bytes are decoded before their signature is
    // known to be valid. The decoder is strict and bounded for this reason.
    let envelope: Envelope = decode(&sealed.envelope)?;

    if envelope.version != VERSION {
        return Err(Refusal::new(
            Code::Malformed,
            format!("envelope version {}", envelope.version),
        ));
    }

    // A test installation may use the same node ids and keys. Its records must not count here.
    if envelope.genesis != senders.genesis() {
        return Err(Code::WrongGenesis.into());
    }

    // The sender's role must be one of those permitted: a stolen key of the API must not be able to
    // act as the coordinator.
    let sender = senders
        .sender(envelope.from)
        .filter(|sender| !guard(G::SenderRole, !roles.contains(&sender.role)));

    let sender = sender.ok_or_else(|| Refusal::new(Code::UnknownSender, envelope.from))?;

    // The signature is verified over the bytes as received: bytes that were encoded again could
    // differ from those that were signed.
    let is_own = verify_digest(
        &sender.public_key,
        &digest(DOMAIN, &[&sealed.envelope]),
        &sealed.signature,
    );
    if guard(G::EnvelopeSignature, !is_own) {
        return Err(Code::BadEnvelopeSignature.into());
    }
    Ok(envelope)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;

    #[derive(BorshSerialize, BorshDeserialize, PartialEq, Debug)]
    struct Hello(u32);
    impl Payload for Hello {
        const SCHEMA: Schema = Schema(999);
    }

    struct One(NodeKey);
    impl Senders for One {
        fn genesis(&self) -> Digest {
            Digest([1; 32])
        }
        fn sender(&self, node: NodeId) -> Option<&NodeKey> {
            (self.0.node == node).then_some(&self.0)
        }
    }

    fn fixture() -> (One, Vec<u8>) {
        let key = SigningKey::from_bytes(&[7; 32]);
        let node = NodeId([2; 16]);
        let one = One(NodeKey {
            node,
            role: Role::Coordinator,
            public_key: key.verifying_key().to_bytes(),
        });
        let heading = Heading {
            genesis: Digest([1; 32]),
            from: node,
            to: None,
            session: [0; 16],
            cause: [4; 16],
            sequence: 1,
            created: UnixMs(10),
            deadline: UnixMs(20),
        };
        (one, seal(heading, &Hello(5), &key))
    }

    #[test]
    fn envelope_bytes_do_not_change() {
        let golden = digest("test", &[&fixture().1]);
        assert_eq!(
            golden.to_string(),
            "191ffea363c0ee2c73d06574c18db52ba4c52044c3ee73c573450579843f580b"
        );
    }

    #[test]
    fn every_flipped_byte_is_refused_and_the_unflipped_record_opens() {
        let (senders, bytes) = fixture();
        let opened = open(&bytes, &senders, &[Role::Coordinator]).unwrap();
        assert_eq!(opened.payload::<Hello>().unwrap(), Hello(5));
        for at in 0..bytes.len() {
            let mut flipped = bytes.clone();
            flipped[at] ^= 1;
            assert!(
                open(&flipped, &senders, &[Role::Coordinator]).is_err(),
                "byte {at}"
            );
        }
        for cut in 0..bytes.len() {
            assert!(open(&bytes[..cut], &senders, &[Role::Coordinator]).is_err());
        }
    }

    #[test]
    fn a_sender_of_another_role_is_refused() {
        let (senders, bytes) = fixture();
        assert_eq!(
            open(&bytes, &senders, &[Role::Api]).unwrap_err().code,
            Code::UnknownSender
        );
    }
}
