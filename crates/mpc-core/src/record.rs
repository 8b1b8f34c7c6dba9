//! Records of a key: the published public side, and a signer's stored share.

use crate::encoding::{NotCanonical, decode, encode};
use crate::hd::{self, ChildPath, HdError};
use crate::suite::{Suite, SuiteId, identifier, with_suite};
use borsh::{BorshDeserialize, BorshSerialize};
use frost_core::VerifyingKey;
use frost_core::keys::{KeyPackage, PublicKeyPackage, SigningShare, VerifyingShare};
use std::collections::BTreeMap;
use strongroom_guard::{G, guard};
use zeroize::Zeroizing;

/// Largest accepted roster; key generation is quadratic in it.
pub const SIGNERS_MAX: usize = 64;
/// Longest accepted key id in bytes.
pub const KEY_ID_LEN_MAX: usize = 128;
const RECORD_LEN_MAX: usize = 8 * 1024;
const KEY_SHARE_VERSION: u8 = 1;

/// Reason to refuse a record. It never contains secret bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// The bytes are not the one encoding of a record.
    #[error(transparent)]
    NotCanonical(#[from] NotCanonical),
    /// The number of signers, their minimum or an index is out of range.
    #[error("signer numbers out of range")]
    Signers,
    /// A public key or share is not the canonical encoding of a point of prime order.
    #[error("malformed public key or verifying share")]
    Point,
    /// The secret does not belong to the signer's verifying share.
    #[error("signing share does not match its verifying share")]
    ShareMismatch,
}

/// The public side of a key: all that a coordinator, an address service or an auditor needs.
#[derive(Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct PublicKeyRecord {
    /// Signature scheme of the key.
    pub suite: SuiteId,
    /// Tenant and key, as the caller names them; at most [`KEY_ID_LEN_MAX`] bytes.
    pub key_id: Vec<u8>,
    /// Generation of the shares.
    pub epoch: u32,
    /// t: number of shares that make a signature, at least 2.
    pub min_signers: u16,
    /// 33 bytes compressed (secp256k1) or 32 bytes (Ed25519). For the Taproot suite this is the
    /// root key: it already carries key generation's own TapTweak, and every child gets exactly one
    /// more when signing.
    pub group_key: Vec<u8>,
    /// Every signer's public share, by roster index.
    pub verifying_shares: BTreeMap<u16, Vec<u8>>,
    /// BIP-32 chain code; private to the tenant.
    pub chain_code: [u8; 32],
}

impl PublicKeyRecord {
    /// n: number of signers that hold a share.
    #[must_use]
    pub fn max_signers(&self) -> u16 {
        u16::try_from(self.verifying_shares.len()).unwrap_or(u16::MAX)
    }

    /// Canonical borsh encoding.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        encode(self)
    }

    /// Decodes and checks a record.
    ///
    /// # Errors
    /// Any [`RecordError`] but `ShareMismatch`.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, RecordError> {
        let record: Self = decode(bytes, RECORD_LEN_MAX)?;
        // Decoding checks the form only. Without this check a point outside of the group would
        // reach the arithmetic.
        record.check()?;

        Ok(record)
    }

    /// Public key at `path` (before any TapTweak).
    ///
    /// # Errors
    /// See [`HdError`].
    pub fn child_key(&self, path: &ChildPath) -> Result<Vec<u8>, HdError> {
        with_suite!(self.suite, C => C::derive(&self.group_key, &self.chain_code, path).map(|(key, _)| key))
    }

    /// Taproot output key at `path`: x only, 32 bytes.
    ///
    /// # Errors
    /// See [`HdError`]; [`HdError::InvalidKey`] for another suite than the Taproot one.
    pub fn taproot_output_key(&self, path: &ChildPath) -> Result<[u8; 32], HdError> {
        // Other suites have no Taproot output: no signature of theirs could spend funds that were
        // sent to it.
        if self.suite != SuiteId::FrostSecp256k1Tr {
            return Err(HdError::InvalidKey);
        }

        let child = self.child_key(path)?;
        hd::taproot_output_key(
            child
                .as_slice()
                .try_into()
                .map_err(|_| HdError::InvalidKey)?,
        )
    }

    /// Checks numbers and points.
    pub(crate) fn check(&self) -> Result<(), RecordError> {
        with_suite!(self.suite, C => self.open::<C>().map(drop))
    }

    /// Form of this record that frost uses.
    pub(crate) fn open<C: Suite>(&self) -> Result<PublicKeyPackage<C>, RecordError> {
        let n = self.verifying_shares.len();
        let t = usize::from(self.min_signers);
        // A record with t = 1 is refused, because it would promise a threshold that does not exist.
        if n > SIGNERS_MAX || t < 2 || t > n || self.key_id.len() > KEY_ID_LEN_MAX {
            return Err(RecordError::Signers);
        }

        let key =
            VerifyingKey::<C>::deserialize(&self.group_key).map_err(|_| RecordError::Point)?;
        // Only the one encoding of a point is accepted; otherwise one key could be two entries of a
        // ledger.
        let is_same = key.serialize().ok().as_deref() == Some(&self.group_key);
        if guard(G::StrictCodec, !is_same) {
            return Err(RecordError::Point);
        }

        let mut shares = BTreeMap::new();
        for (index, bytes) in &self.verifying_shares {
            let identifier = identifier::<C>(*index).ok_or(RecordError::Signers)?;
            let share = VerifyingShare::<C>::deserialize(bytes).map_err(|_| RecordError::Point)?;
            let is_same = share.serialize().ok().as_deref() == Some(bytes);
            if guard(G::StrictCodec, !is_same) {
                return Err(RecordError::Point);
            }
            shares.insert(identifier, share);
        }

        Ok(PublicKeyPackage::new(shares, key, Some(self.min_signers)))
    }
}

impl std::fmt::Debug for PublicKeyRecord {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PublicKeyRecord")
            .field("suite", &self.suite)
            .field("epoch", &self.epoch)
            .field("min_signers", &self.min_signers)
            .field("max_signers", &self.max_signers())
            .finish_non_exhaustive()
    }
}

/// One signer's share of a key, with the public side and the transcript under which it was
/// certified.
///
/// It is not `Clone`, is wiped on drop, and its `Debug` shows nothing secret.
pub struct KeyShareRecord {
    index: u16,
    secret: Zeroizing<[u8; 32]>,
    public: PublicKeyRecord,
    transcript: [u8; 32],
    round1_hash: [u8; 32],
}

impl KeyShareRecord {
    /// A record from its parts; the signing share is in the group's own scalar encoding.
    ///
    /// # Errors
    /// [`RecordError::ShareMismatch`] when `secret` is not the discrete logarithm of the verifying
    /// share of `index`; errors of the public side.
    pub fn new(
        index: u16,
        secret: Zeroizing<[u8; 32]>,
        public: PublicKeyRecord,
        transcript: [u8; 32],
        round1_hash: [u8; 32],
    ) -> Result<Self, RecordError> {
        let record = Self {
            index,
            secret,
            public,
            transcript,
            round1_hash,
        };

        // The share is checked now; otherwise a wrong one would be noticed only when a payment
        // cannot be signed.
        with_suite!(record.public.suite, C => record.open::<C>().map(drop))?;

        Ok(record)
    }

    /// Roster index of the signer, not 0.
    #[must_use]
    pub fn index(&self) -> u16 {
        self.index
    }

    /// Public record of the same key.
    #[must_use]
    pub fn public(&self) -> &PublicKeyRecord {
        &self.public
    }

    /// The transcript of the ceremony that made the share.
    #[must_use]
    pub fn transcript(&self) -> &[u8; 32] {
        &self.transcript
    }

    /// Hash of that ceremony's round-1 messages.
    #[must_use]
    pub fn round1_hash(&self) -> &[u8; 32] {
        &self.round1_hash
    }

    /// The bytes to store under a key protector: version, index (little endian), share, transcript,
    /// round-1 hash, public record.
    #[must_use]
    pub fn to_secret_bytes(&self) -> Zeroizing<Vec<u8>> {
        let public = self.public.to_bytes();
        // The vector is allocated at full size, because growing it would leave copies of the share
        // in memory.
        let mut bytes = Zeroizing::new(Vec::with_capacity(99 + public.len()));

        bytes.push(KEY_SHARE_VERSION);
        bytes.extend_from_slice(&self.index.to_le_bytes());
        bytes.extend_from_slice(self.secret.as_ref());
        bytes.extend_from_slice(&self.transcript);
        bytes.extend_from_slice(&self.round1_hash);
        bytes.extend_from_slice(&public);
        bytes
    }

    /// Reads back [`Self::to_secret_bytes`].
    ///
    /// # Errors
    /// Any [`RecordError`].
    pub fn from_secret_bytes(bytes: &[u8]) -> Result<Self, RecordError> {
        let (version, rest) = bytes.split_first().ok_or(NotCanonical)?;
        let (index, rest) = rest.split_first_chunk().ok_or(NotCanonical)?;
        let (secret, rest) = rest.split_first_chunk().ok_or(NotCanonical)?;
        let (transcript, rest) = rest.split_first_chunk().ok_or(NotCanonical)?;
        let (round1_hash, public) = rest.split_first_chunk().ok_or(NotCanonical)?;

        if *version != KEY_SHARE_VERSION {
            return Err(NotCanonical.into());
        }

        let public = PublicKeyRecord::from_bytes(public)?;
        Self::new(
            u16::from_le_bytes(*index),
            Zeroizing::new(*secret),
            public,
            *transcript,
            *round1_hash,
        )
    }

    /// Form of this record that frost uses; checks the share against its public side.
    pub(crate) fn open<C: Suite>(
        &self,
    ) -> Result<(KeyPackage<C>, PublicKeyPackage<C>), RecordError> {
        let public = self.public.open::<C>()?;
        let identifier = identifier::<C>(self.index).ok_or(RecordError::Signers)?;

        let verifying = *public
            .verifying_shares()
            .get(&identifier)
            .ok_or(RecordError::Signers)?;

        let share = SigningShare::<C>::deserialize(self.secret.as_ref())
            .map_err(|_| RecordError::ShareMismatch)?;
        if VerifyingShare::from(share) != verifying {
            return Err(RecordError::ShareMismatch);
        }

        let key = KeyPackage::new(
            identifier,
            share,
            verifying,
            *public.verifying_key(),
            self.public.min_signers,
        );
        Ok((key, public))
    }
}

impl std::fmt::Debug for KeyShareRecord {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "KeyShareRecord(..)")
    }
}
