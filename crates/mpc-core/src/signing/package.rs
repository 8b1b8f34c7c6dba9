//! Messages between coordinator and signers.

use crate::digest::digest;
use crate::encoding::{NotCanonical, decode, encode};
use crate::hd::ChildPath;
use crate::suite::{Suite, SuiteId, identifier, with_suite};
use crate::{PublicKeyRecord, signing};
use borsh::{BorshDeserialize, BorshSerialize};
use frost_core::round1::{NonceCommitment, SigningCommitments};
use std::collections::{BTreeMap, BTreeSet};
use strongroom_guard::{G, guard};
use strongroom_types::Tweak;

const PACKAGE_LEN_MAX: usize = signing::MESSAGE_LEN_MAX + 16 * 1024;
const SHARE_LEN_MAX: usize = 64;

/// A published pair of nonce commitments, to be used in one package only.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Commitment {
    /// Random id of the run of the signer's process that holds the nonces, 16 bytes.
    pub boot_id: [u8; 16],
    /// Number of the nonce within that run and key share, from 0.
    pub number: u64,
    /// Hiding commitment (33 bytes secp256k1, 32 bytes Ed25519).
    pub hiding: Vec<u8>,
    /// Binding commitment, same encoding.
    pub binding: Vec<u8>,
}

/// Everything on which a signature share depends. A nonce is bound to exactly one package.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct SigningPackage {
    /// Signature scheme of the key.
    pub suite: SuiteId,
    /// Key id as in the public record.
    pub key_id: Vec<u8>,
    /// Generation of the shares.
    pub epoch: u32,
    /// Bytes to sign (for Taproot the 32-byte BIP-341 digest).
    pub message: Vec<u8>,
    /// The quorum: one commitment per participant, by roster index.
    pub commitments: BTreeMap<u16, Commitment>,
    /// Path from the root to the child key that signs.
    pub path: ChildPath,
    /// Tweak applied to the child key.
    pub tweak: Tweak,
}

/// Reason for which every signer refuses a package.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PackageFault {
    /// Suite, key id or epoch is not this key's.
    #[error("package is for another key or epoch")]
    OtherKey,
    /// Fewer participants than `min_signers`, or more than the key has signers.
    #[error("wrong number of participants")]
    ParticipantCount,
    /// A participant that is not in the key's roster (index 0 included).
    #[error("participant {0} is not in the roster")]
    UnknownParticipant(u16),
    /// A commitment that is not the canonical encoding of a point of prime order.
    #[error("malformed commitment of participant {0}")]
    MalformedCommitment(u16),
    /// Two commitments in the package are equal.
    #[error("participant {0} repeats a commitment of the package")]
    RepeatedCommitment(u16),
    /// The message is longer than [`signing::MESSAGE_LEN_MAX`].
    #[error("message too long")]
    MessageTooLong,
    /// The suite has no such tweak.
    #[error("the suite has no such tweak")]
    TweakUnsupported,
}

impl PackageFault {
    /// Participant that the fault concerns. It proves nothing alone: commitments are not signed in
    /// a package, so the coordinator may have invented it.
    #[must_use]
    pub fn culprits(&self) -> Vec<u16> {
        match self {
            Self::UnknownParticipant(index)
            | Self::MalformedCommitment(index)
            | Self::RepeatedCommitment(index) => vec![*index],
            Self::OtherKey
            | Self::ParticipantCount
            | Self::MessageTooLong
            | Self::TweakUnsupported => Vec::new(),
        }
    }
}

impl SigningPackage {
    /// Canonical borsh encoding.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        encode(self)
    }

    /// Decodes a package strictly (one encoding, bounded length).
    ///
    /// # Errors
    /// [`NotCanonical`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, NotCanonical> {
        decode(bytes, PACKAGE_LEN_MAX)
    }

    /// Digest of the whole package: equal only for the same message, quorum, nonces and child.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        digest("strongroom/signing-package/v1", &[&self.to_bytes()])
    }

    /// Checks the package against the key and returns frost's form of it. `own` is this signer's
    /// commitment, which the caller has found equal to the package's; it is not decoded again,
    /// because decoding is most of the cost.
    pub(super) fn open<C: Suite>(
        &self,
        key: &PublicKeyRecord,
        own: Option<(u16, SigningCommitments<C>)>,
    ) -> Result<frost_core::SigningPackage<C>, PackageFault> {
        // The package must be for this key and epoch: with another epoch, shares of two polynomials
        // would be mixed, and nonces used up for nothing.
        if self.suite != key.suite || self.key_id != key.key_id || self.epoch != key.epoch {
            return Err(PackageFault::OtherKey);
        }

        // Fewer shares give no signature, and each would have used up a nonce.
        let n = self.commitments.len();
        if n < usize::from(key.min_signers) || n > key.verifying_shares.len() {
            return Err(PackageFault::ParticipantCount);
        }

        if self.message.len() > signing::MESSAGE_LEN_MAX {
            return Err(PackageFault::MessageTooLong);
        }

        // BIP-341 defines the tweak for keys of this suite alone.
        if self.tweak == Tweak::Bip341 && self.suite != SuiteId::FrostSecp256k1Tr {
            return Err(PackageFault::TweakUnsupported);
        }

        let mut seen = BTreeSet::new();
        let mut commitments = BTreeMap::new();

        for (index, commitment) in &self.commitments {
            // A stranger has no verifying share: nothing could tell whether its answer is right.
            if !key.verifying_shares.contains_key(index) {
                return Err(PackageFault::UnknownParticipant(*index));
            }
            let id = identifier::<C>(*index).ok_or(PackageFault::UnknownParticipant(*index))?;

            // No honest signer draws one nonce twice, so a repeated commitment is a copy of another
            // participant's.
            if !seen.insert(&commitment.hiding) || !seen.insert(&commitment.binding) {
                return Err(PackageFault::RepeatedCommitment(*index));
            }

            let decoded = match own {
                Some((own_index, own)) if own_index == *index => own,
                _ => commitment
                    .decode()
                    .ok_or(PackageFault::MalformedCommitment(*index))?,
            };

            commitments.insert(id, decoded);
        }

        Ok(frost_core::SigningPackage::new(commitments, &self.message))
    }
}

impl Commitment {
    /// Whether every signer of a key under `suite` can decode it: two points of prime order in
    /// their one encoding.
    #[must_use]
    pub fn is_well_formed(&self, suite: SuiteId) -> bool {
        with_suite!(suite, C => self.decode::<C>().is_some())
    }

    fn decode<C: Suite>(&self) -> Option<SigningCommitments<C>> {
        Some(SigningCommitments::new(
            point(&self.hiding)?,
            point(&self.binding)?,
        ))
    }
}

/// RFC 9591 §3.1 DeserializeElement (no identity, prime order). Only the one encoding of a point is
/// accepted.
fn point<C: Suite>(bytes: &[u8]) -> Option<NonceCommitment<C>> {
    let commitment = NonceCommitment::deserialize(bytes).ok()?;
    let is_same = commitment.serialize().ok()? == bytes;
    (!guard(G::StrictCodec, !is_same)).then_some(commitment)
}

/// One signer's answer to a package (RFC 9591 §5.2). The coordinator takes the index from the
/// authenticated sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct SignatureShare {
    /// Roster index of the signer, not 0.
    pub index: u16,
    /// Scalar in the group's encoding, 32 bytes.
    pub share: [u8; 32],
}

impl SignatureShare {
    /// Canonical borsh encoding.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        encode(self)
    }

    /// Decodes a share strictly.
    ///
    /// # Errors
    /// [`NotCanonical`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, NotCanonical> {
        decode(bytes, SHARE_LEN_MAX)
    }
}
