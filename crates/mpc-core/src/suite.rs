//! The ciphersuites, as a runtime id for callers and as a trait for the generic code inside.

use crate::hd::{self, ChildPath, HdError};
use borsh::{BorshDeserialize, BorshSerialize};
use frost_core::keys::{KeyPackage, PublicKeyPackage};
use frost_core::{Ciphersuite, Identifier};
use frost_secp256k1_tr::keys::{EvenY as _, Tweak as _};
use strongroom_types::Suite as RegistrySuite;

/// Signature scheme of a key.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize, BorshDeserialize,
)]
#[borsh(use_discriminant = true)]
#[repr(u8)]
pub enum SuiteId {
    /// FROST(secp256k1, SHA-256) with BIP-340 signatures, for Taproot.
    FrostSecp256k1Tr = 1,
    /// FROST(secp256k1, SHA-256), RFC 9591 §6.5.
    FrostSecp256k1 = 2,
    /// FROST(Ed25519, SHA-512), RFC 9591 §6.1; signatures are RFC 8032 signatures.
    FrostEd25519 = 3,
}

impl From<RegistrySuite> for SuiteId {
    /// The same scheme in this crate's own numbers, which its records carry.
    fn from(suite: RegistrySuite) -> Self {
        // Variants are matched by name, not by number: each list of numbers is stored in records of
        // its own and may differ.
        match suite {
            RegistrySuite::FrostSecp256k1Tr => Self::FrostSecp256k1Tr,
            RegistrySuite::FrostSecp256k1 => Self::FrostSecp256k1,
            RegistrySuite::FrostEd25519 => Self::FrostEd25519,
        }
    }
}

impl SuiteId {
    /// Stable text name, as used in records and command lines.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::FrostSecp256k1Tr => "frost-secp256k1-tr",
            Self::FrostSecp256k1 => "frost-secp256k1",
            Self::FrostEd25519 => "frost-ed25519",
        }
    }
}

pub(crate) type Tr = frost_secp256k1_tr::Secp256K1Sha256TR;
pub(crate) type Secp = frost_secp256k1::Secp256K1Sha256;
pub(crate) type Ed = frost_ed25519::Ed25519Sha512;

/// Runs `$body` with `$C` as the ciphersuite type of `$id`.
macro_rules! with_suite {
    ($id:expr, $C:ident => $body:expr) => {
        match $id {
            $crate::suite::SuiteId::FrostSecp256k1Tr => {
                type $C = $crate::suite::Tr;
                $body
            }
            $crate::suite::SuiteId::FrostSecp256k1 => {
                type $C = $crate::suite::Secp;
                $body
            }
            $crate::suite::SuiteId::FrostEd25519 => {
                type $C = $crate::suite::Ed;
                $body
            }
        }
    };
}
pub(crate) use with_suite;

/// Operations of a ciphersuite that generic code needs beyond frost-core.
pub(crate) trait Suite: Ciphersuite {
    /// Runtime id of the suite.
    const SUITE: SuiteId;

    /// Bytes of the child key and the scalar (in the field's own encoding) that leads to it from
    /// the root.
    fn derive(
        root: &[u8],
        chain_code: &[u8; 32],
        path: &ChildPath,
    ) -> Result<(Vec<u8>, [u8; 32]), HdError>;

    /// Applies one BIP-341 TapTweak; `None` where the suite has none.
    fn tap_tweak_share(_: KeyPackage<Self>) -> Option<KeyPackage<Self>> {
        None
    }

    /// Applies one BIP-341 TapTweak to the public side.
    fn tap_tweak_public(_: PublicKeyPackage<Self>) -> Option<PublicKeyPackage<Self>> {
        None
    }
}

impl Suite for Tr {
    const SUITE: SuiteId = SuiteId::FrostSecp256k1Tr;

    fn derive(
        root: &[u8],
        chain_code: &[u8; 32],
        path: &ChildPath,
    ) -> Result<(Vec<u8>, [u8; 32]), HdError> {
        derive_secp256k1(root, chain_code, path)
    }

    fn tap_tweak_share(key: KeyPackage<Self>) -> Option<KeyPackage<Self>> {
        // The key is brought to its form with even Y once, so that frost need not negate it at each
        // signature.
        Some(key.tweak::<&[u8]>(None).into_even_y(None))
    }

    fn tap_tweak_public(key: PublicKeyPackage<Self>) -> Option<PublicKeyPackage<Self>> {
        Some(key.tweak::<&[u8]>(None).into_even_y(None))
    }
}

impl Suite for Secp {
    const SUITE: SuiteId = SuiteId::FrostSecp256k1;

    fn derive(
        root: &[u8],
        chain_code: &[u8; 32],
        path: &ChildPath,
    ) -> Result<(Vec<u8>, [u8; 32]), HdError> {
        derive_secp256k1(root, chain_code, path)
    }
}

impl Suite for Ed {
    const SUITE: SuiteId = SuiteId::FrostEd25519;

    fn derive(
        root: &[u8],
        chain_code: &[u8; 32],
        path: &ChildPath,
    ) -> Result<(Vec<u8>, [u8; 32]), HdError> {
        // A public key is 32 bytes (RFC 8032 §5.1.2).
        let root = root.try_into().map_err(|_| HdError::InvalidKey)?;

        let derived = hd::ed25519::derive(root, chain_code, path)?;
        Ok((derived.key.to_vec(), derived.tweak))
    }
}

/// BIP-32 derivation for both secp256k1 suites.
fn derive_secp256k1(
    root: &[u8],
    chain_code: &[u8; 32],
    path: &ChildPath,
) -> Result<(Vec<u8>, [u8; 32]), HdError> {
    // The root must be 33 bytes, compressed (SEC 1 §2.3.3), because BIP-32 hashes this form and no
    // other.
    let root = root.try_into().map_err(|_| HdError::InvalidKey)?;

    let derived = hd::secp256k1::derive(root, chain_code, path)?;
    Ok((derived.key.to_vec(), derived.tweak))
}

/// FROST identifier of a roster index. 0 has none: the share at x = 0 would be the secret itself.
pub(crate) fn identifier<C: Ciphersuite>(index: u16) -> Option<Identifier<C>> {
    // frost-core refuses 0 itself: an identifier is a `NonZeroScalar` (RFC 9591).
    Identifier::try_from(index).ok()
}
