//! BIP-32 public derivation and BIP-341 output keys.

use super::{ChildPath, Derived, HdError};
use hmac::{Hmac, Mac};
use k256::elliptic_curve::PrimeField;
use k256::elliptic_curve::point::AffineCoordinates;
use k256::elliptic_curve::sec1::{FromEncodedPoint, ToEncodedPoint};
use k256::{AffinePoint, EncodedPoint, ProjectivePoint, Scalar};
use sha2::{Digest as _, Sha256, Sha512};
use strongroom_guard::{G, guard};

/// Child public key of `root` (33 bytes, compressed) along `path` (BIP-32 CKDpub at each step).
///
/// # Errors
/// [`HdError::InvalidKey`] when `root` is not a compressed point, [`HdError::Unusable`] as in
/// BIP-32.
pub fn derive_public(
    root: &[u8; 33],
    chain_code: &[u8; 32],
    path: &ChildPath,
) -> Result<[u8; 33], HdError> {
    derive(root, chain_code, path).map(|derived| derived.key)
}

/// As [`derive_public`], with the chain code and the added scalar.
///
/// # Errors
/// As [`derive_public`].
pub fn derive(
    root: &[u8; 33],
    chain_code: &[u8; 32],
    path: &ChildPath,
) -> Result<Derived<33>, HdError> {
    let mut point = decode_point(root)?;
    let mut derived = Derived {
        key: *root,
        chain_code: *chain_code,
        tweak: [0; 32],
    };

    let mut sum = Scalar::ZERO;

    for step in path.steps() {
        // BIP-32 CKDpub: I = HMAC-SHA512(c_par, ser_P(K_par) ‖ ser_32(i)).
        let mut mac =
            Hmac::<Sha512>::new_from_slice(&derived.chain_code).map_err(|_| HdError::InvalidKey)?;
        mac.update(&derived.key);
        mac.update(&step.to_be_bytes());
        let output: [u8; 64] = mac.finalize().into_bytes().into();

        // K_i = point(parse_256(I_L)) + K_par and c_i = I_R; an I_L that is the group order or more
        // is refused, as BIP-32 says, and never reduced: other wallets skip this index too.
        let (left, right) = halves(&output);
        let tweak =
            Option::<Scalar>::from(Scalar::from_repr(left.into())).ok_or(HdError::Unusable)?;

        sum += tweak;
        point += ProjectivePoint::GENERATOR * tweak;
        derived.key = encode_point(&point)?;
        derived.chain_code = right;
    }

    derived.tweak = sum.to_bytes().into();
    Ok(derived)
}

/// The 32-byte x-only output key of a key-path-only Taproot output with `internal` as internal key.
///
/// BIP-341 with no script tree (BIP-86): `Q = lift_x(x(P)) + H_TapTweak(x(P))·G`.
///
/// # Errors
/// [`HdError::InvalidKey`] when `internal` is not a compressed point, [`HdError::Unusable`] if the
/// tweak is out of range.
pub fn taproot_output_key(internal: &[u8; 33]) -> Result<[u8; 32], HdError> {
    // BIP-340 lift_x chooses the point with this x and an even y.
    let mut even = *internal;
    if let Some(tag @ (2 | 3)) = even.first_mut() {
        *tag = 2;
    }

    let point = decode_point(&even)?;
    let x: [u8; 32] = point.to_affine().x().into();

    let tag = Sha256::digest(b"TapTweak");
    let hash: [u8; 32] = Sha256::new()
        .chain_update(tag)
        .chain_update(tag)
        .chain_update(x)
        .finalize()
        .into();

    // BIP-341 taproot_tweak_pubkey: t of the group order or more fails, and so does infinity.
    let tweak = Option::<Scalar>::from(Scalar::from_repr(hash.into())).ok_or(HdError::Unusable)?;
    let output = point + ProjectivePoint::GENERATOR * tweak;

    encode_point(&output)?;
    Ok(output.to_affine().x().into())
}

/// The point of a compressed encoding; identity and every other form are refused.
pub(crate) fn decode_point(bytes: &[u8; 33]) -> Result<ProjectivePoint, HdError> {
    // Only the two compressed tags are accepted: SEC1 has other forms, the identity among them, and
    // one key must have one encoding.
    let is_compressed = matches!(bytes.first(), Some(2 | 3));
    if guard(G::StrictCodec, !is_compressed) {
        return Err(HdError::InvalidKey);
    }

    let encoded = EncodedPoint::from_bytes(bytes).map_err(|_| HdError::InvalidKey)?;
    let point = Option::<AffinePoint>::from(AffinePoint::from_encoded_point(&encoded));
    point.map(ProjectivePoint::from).ok_or(HdError::InvalidKey)
}

/// Compressed encoding, 33 bytes.
fn encode_point(point: &ProjectivePoint) -> Result<[u8; 33], HdError> {
    // The identity has an encoding of one byte, so the conversion refuses it.
    point
        .to_affine()
        .to_encoded_point(true)
        .as_bytes()
        .try_into()
        .map_err(|_| HdError::Unusable)
}

/// I_L and I_R of BIP-32: the two halves of the HMAC's output.
fn halves(output: &[u8; 64]) -> ([u8; 32], [u8; 32]) {
    let (mut left, mut right) = ([0; 32], [0; 32]);

    left.iter_mut()
        .zip(output)
        .for_each(|(to, from)| *to = *from);
    right
        .iter_mut()
        .zip(output.iter().skip(32))
        .for_each(|(to, from)| *to = *from);

    (left, right)
}
