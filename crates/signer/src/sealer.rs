//! Sealed envelopes: the only form in which anything leaves the process.

use crate::held::Asker;
use ed25519_dalek::SigningKey;
use strongroom_types::{Digest, NodeId, SessionId, UnixMs};
use strongroom_wire::envelope::{Heading, seal};
use strongroom_wire::{Payload, SignerMessage};

/// Answers are of no use to a coordinator later than this.
const ANSWER_LIFE_MS: u64 = 60_000;

/// Seals records under the node's envelope key.
pub(crate) struct Sealer {
    genesis: Digest,
    node: NodeId,
    key: SigningKey,
    sequence: u64,
}

impl Sealer {
    /// Numbers start at the clock (milliseconds, 20 bits left for each), so that they ascend over
    /// restarts too.
    pub(crate) fn new(genesis: Digest, node: NodeId, key: SigningKey, now: UnixMs) -> Self {
        Self {
            genesis,
            node,
            key,
            sequence: now.0 << 20,
        }
    }

    /// A record to every reader of its topic.
    pub(crate) fn announce<T: Payload>(&mut self, payload: &T, now: UnixMs) -> Vec<u8> {
        self.seal(None, SessionId([0; 16]), payload, now)
    }

    /// A sealed envelope, good for [`ANSWER_LIFE_MS`].
    fn seal<T: Payload>(
        &mut self,
        to: Option<NodeId>,
        session: SessionId,
        payload: &T,
        now: UnixMs,
    ) -> Vec<u8> {
        // Each envelope has a number of its own, which is its cause, too: no two of this node are
        // taken for the same record.
        self.sequence = self.sequence.saturating_add(1);
        let Self {
            genesis,
            node,
            ref key,
            sequence,
        } = *self;

        // A coordinator asks another quorum long before this. An answer that a broker held back
        // must not be taken for a new one.
        let deadline = now.plus(ANSWER_LIFE_MS);

        seal(
            Heading {
                genesis,
                from: node,
                to,
                session: session.0,
                cause: u128::from(sequence).to_be_bytes(),
                sequence,
                created: now,
                deadline,
            },
            payload,
            key,
        )
    }

    /// An answer to a coordinator.
    pub(crate) fn answer(
        &mut self,
        asker: &Asker,
        message: &SignerMessage,
        now: UnixMs,
    ) -> Vec<u8> {
        // The answer is addressed: with two coordinators, the answer to one says nothing to the
        // other.
        self.seal(Some(asker.node), asker.session, message, now)
    }

    /// Signs a digest with the envelope key (ceremony certificates).
    pub(crate) fn sign(&self, digest: &Digest) -> [u8; 64] {
        use ed25519_dalek::Signer as _;
        self.key.sign(&digest.0).to_bytes()
    }
}
