//! Child keys from plain bytes (no FROST types), for use by signers, codecs, command line and
//! address service.
//!
//! All steps are non-hardened, so a child public key follows from the root public key and chain
//! code, and a signer adds the same scalar to its share. Holders of t child shares and the chain
//! code can compute the root key: roots are therefore per tenant, and each tenant has a key
//! generation of its own.

pub mod ed25519;
pub mod secp256k1;

pub use secp256k1::{derive_public, taproot_output_key};

use borsh::{BorshDeserialize, BorshSerialize};

/// Longest accepted path; `m/86/coin/account/change/index` has five steps.
pub const PATH_LEN_MAX: usize = 10;

/// A non-hardened derivation path: every step is below 2^31, at most [`PATH_LEN_MAX`] steps.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize)]
pub struct ChildPath(Vec<u32>);

impl ChildPath {
    /// Checks the steps, root first.
    ///
    /// # Errors
    /// [`HdError::Hardened`] for a step of 2^31 or more, [`HdError::TooLong`] for more than
    /// [`PATH_LEN_MAX`].
    pub fn new(steps: impl Into<Vec<u32>>) -> Result<Self, HdError> {
        let steps = steps.into();
        if steps.len() > PATH_LEN_MAX {
            return Err(HdError::TooLong);
        }

        if steps.iter().any(|step| *step >= 1 << 31) {
            return Err(HdError::Hardened);
        }

        Ok(Self(steps))
    }

    /// The empty path: the root key itself.
    #[must_use]
    pub const fn root() -> Self {
        Self(Vec::new())
    }

    /// The steps, root first.
    #[must_use]
    pub fn steps(&self) -> &[u32] {
        &self.0
    }
}

impl BorshDeserialize for ChildPath {
    fn deserialize_reader<R: std::io::Read>(reader: &mut R) -> std::io::Result<Self> {
        Self::new(Vec::<u32>::deserialize_reader(reader)?).map_err(std::io::Error::other)
    }
}

impl std::fmt::Display for ChildPath {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("m")?;
        self.0.iter().try_for_each(|step| write!(f, "/{step}"))
    }
}

/// Reason for which a child key cannot be derived.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HdError {
    /// A step is 2^31 or more; hardened derivation needs the whole private key, which exists
    /// nowhere.
    #[error("hardened steps are impossible for a shared key")]
    Hardened,
    /// More steps than [`PATH_LEN_MAX`].
    #[error("derivation path too long")]
    TooLong,
    /// The key is not the canonical encoding of a point of prime order.
    #[error("invalid public key")]
    InvalidKey,
    /// The step's scalar is out of range or leads to the identity (chance about 2^-127). The caller
    /// takes the next index.
    #[error("unusable child index")]
    Unusable,
}

/// A derived public key: `key`, its own chain code, and the scalar added on the whole way from the
/// root.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Derived<const N: usize> {
    /// The child public key (33 bytes compressed for secp256k1, 32 for Ed25519).
    pub key: [u8; N],
    /// The child's chain code, 32 bytes.
    pub chain_code: [u8; 32],
    /// Sum of the steps' scalars in the group's own encoding (big endian secp256k1, little endian
    /// Ed25519).
    pub tweak: [u8; 32],
}
