//! A signer's certificate: "I hold a durable share of the key with this transcript."

use crate::digest::digest;
use ed25519_dalek::{Signature, VerifyingKey};

/// What a certificate signs.
#[must_use]
pub fn certificate_digest(transcript: &[u8; 32]) -> [u8; 32] {
    digest("strongroom/ceremony-certificate/v1", &[transcript])
}

/// Whether `signature` is `signing_key`'s certificate of `transcript` (strict Ed25519).
#[must_use]
pub fn verify_certificate(signing_key: &[u8; 32], transcript: &[u8; 32], signature: &[u8; 64]) -> bool {
    let signature = Signature::from_bytes(signature);
    VerifyingKey::from_bytes(signing_key)
        .is_ok_and(|key| key.verify_strict(&certificate_digest(transcript), &signature).is_ok())
}
