//! Verification of finished signatures. It uses no code of FROST, except for signatures of RFC 9591
//! §6.5.

use crate::SuiteId;
use crate::hd::secp256k1::decode_point;
use k256::elliptic_curve::ops::{LinearCombination, Reduce};
use k256::elliptic_curve::point::AffineCoordinates;
use k256::elliptic_curve::{Group as _, PrimeField};
use k256::{ProjectivePoint, Scalar, U256};
use sha2::{Digest as _, Sha256};

/// Whether `signature` over `message` is valid under `key` in `suite`.
///
/// `key` is 33 bytes compressed (secp256k1 suites; the Taproot suite uses its x coordinate) or 32
/// bytes (Ed25519). Signatures are 64 bytes (BIP-340; RFC 8032 with strict verification) or 65
/// (RFC 9591 §6.5: no other standard defines them, so frost's verification is used there).
#[must_use]
pub fn verify_signature(suite: SuiteId, key: &[u8], message: &[u8], signature: &[u8]) -> bool {
    match suite {
        SuiteId::FrostSecp256k1Tr => match (key.get(1..), signature.try_into()) {
            (Some(x), Ok(signature)) if key.len() == 33 => x
                .try_into()
                .is_ok_and(|x: &[u8; 32]| verify_bip340(x, message, signature)),
            _ => false,
        },

        SuiteId::FrostSecp256k1 => {
            let key = frost_secp256k1::VerifyingKey::deserialize(key);
            let signature = frost_secp256k1::Signature::deserialize(signature);
            matches!((key, signature), (Ok(key), Ok(signature)) if key.verify(message, &signature).is_ok())
        }

        // Strict: under a key of small order one signature would verify for many messages.
        SuiteId::FrostEd25519 => match (key.try_into(), signature.try_into()) {
            (Ok(key), Ok(signature)) => strongroom_ed25519::verify_bytes(key, message, signature),
            _ => false,
        },
    }
}

/// BIP-340 verification under an x-only key; each step is one of its algorithm Verify.
#[must_use]
pub fn verify_bip340(x_only: &[u8; 32], message: &[u8], signature: &[u8; 64]) -> bool {
    let mut compressed = [2_u8; 33];
    compressed
        .iter_mut()
        .skip(1)
        .zip(x_only)
        .for_each(|(to, from)| *to = *from);

    // P is lift_x(x_only), the point with this x and an even y.
    let Ok(point) = decode_point(&compressed) else {
        return false;
    };

    // An s that is the group order or more fails; otherwise a third party could make a second valid
    // signature.
    let (Some(r), Some(s)) = (signature.first_chunk::<32>(), signature.last_chunk::<32>()) else {
        return false;
    };
    let Some(s) = Option::<Scalar>::from(Scalar::from_repr((*s).into())) else {
        return false;
    };

    // e = tagged hash "BIP0340/challenge" of r ‖ P ‖ m, reduced modulo the group order.
    let tag = Sha256::digest(b"BIP0340/challenge");
    let hash = Sha256::new()
        .chain_update(tag)
        .chain_update(tag)
        .chain_update(r)
        .chain_update(x_only)
        .chain_update(message)
        .finalize();
    let e = <Scalar as Reduce<U256>>::reduce_bytes(&hash);

    // R = s·G − e·P must not be infinite, must have an even y, and x(R) = r. The bytes of r are
    // compared, so an r that is the field size or more never passes.
    let nonce = ProjectivePoint::lincomb(&ProjectivePoint::GENERATOR, &s, &point, &-e);
    if bool::from(nonce.is_identity()) {
        return false;
    }

    let nonce = nonce.to_affine();
    !bool::from(nonce.y_is_odd()) && nonce.x().as_slice() == r
}
