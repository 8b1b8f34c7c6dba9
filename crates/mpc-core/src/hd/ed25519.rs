//! Strongroom's own non-hardened derivation for Ed25519 (SLIP-10 has none).
//!
//! At each step, with parent key A (32 bytes), chain code c and index i:
//!
//! - `t = HMAC-SHA512(c, "strongroom/hd-ed25519/scalar/v1" ‖ A ‖ u32be(i))`, little endian, modulo
//!   the group order (64 bytes reduced: the bias is below 2^-250);
//! - child key `A' = A + t·B`;
//! - child chain code = the first 32 bytes of
//!   `HMAC-SHA512(c, "strongroom/hd-ed25519/chain/v1" ‖ A ‖ u32be(i))`.
//!
//! Each signer adds the same t to its share. There is no clamping: FROST keys are scalars modulo
//! the group order, and `verify_strict` accepts signatures under A' because A' has prime order.

use super::{ChildPath, Derived, HdError};
use curve25519_dalek::edwards::{CompressedEdwardsY, EdwardsPoint};
use curve25519_dalek::scalar::Scalar;
use curve25519_dalek::traits::IsIdentity;
use hmac::{Hmac, Mac};
use sha2::Sha512;

const SCALAR_TAG: &[u8] = b"strongroom/hd-ed25519/scalar/v1";
const CHAIN_TAG: &[u8] = b"strongroom/hd-ed25519/chain/v1";

/// Child public key of `root` along `path`.
///
/// # Errors
/// [`HdError::InvalidKey`] when `root` is not the canonical encoding of a point of prime order.
pub fn derive_public(
    root: &[u8; 32],
    chain_code: &[u8; 32],
    path: &ChildPath,
) -> Result<[u8; 32], HdError> {
    derive(root, chain_code, path).map(|derived| derived.key)
}

/// As [`derive_public`], with the chain code and the added scalar.
///
/// # Errors
/// As [`derive_public`].
pub fn derive(
    root: &[u8; 32],
    chain_code: &[u8; 32],
    path: &ChildPath,
) -> Result<Derived<32>, HdError> {
    let mut point = decode_point(root)?;
    let mut derived = Derived {
        key: *root,
        chain_code: *chain_code,
        tweak: [0; 32],
    };

    let mut sum = Scalar::ZERO;

    for step in path.steps() {
        let tweak = Scalar::from_bytes_mod_order_wide(&mac(&derived, SCALAR_TAG, *step)?);
        let chain = mac(&derived, CHAIN_TAG, *step)?;

        sum += tweak;
        point += EdwardsPoint::mul_base(&tweak);
        // The identity is refused as a key: under it, a signature can be made without a secret.
        if point.is_identity() {
            return Err(HdError::Unusable);
        }

        derived.key = point.compress().to_bytes();
        derived
            .chain_code
            .iter_mut()
            .zip(chain)
            .for_each(|(to, from)| *to = from);
    }

    derived.tweak = sum.to_bytes();
    Ok(derived)
}

/// Decodes a point of prime order. A point with a torsion part is refused, because one signature
/// could then verify under several keys.
fn decode_point(bytes: &[u8; 32]) -> Result<EdwardsPoint, HdError> {
    let point = CompressedEdwardsY(*bytes)
        .decompress()
        .ok_or(HdError::InvalidKey)?;
    // Encodings with y >= p need no check of their own: all of them are points of small or mixed
    // order (https://eprint.iacr.org/2020/1244).
    if point.is_torsion_free() && !point.is_identity() {
        Ok(point)
    } else {
        Err(HdError::InvalidKey)
    }
}

/// HMAC of one step under the parent's chain code.
fn mac(parent: &Derived<32>, tag: &[u8], step: u32) -> Result<[u8; 64], HdError> {
    let mut mac =
        Hmac::<Sha512>::new_from_slice(&parent.chain_code).map_err(|_| HdError::InvalidKey)?;

    mac.update(tag);
    mac.update(&parent.key);
    mac.update(&step.to_be_bytes());
    Ok(mac.finalize().into_bytes().into())
}
