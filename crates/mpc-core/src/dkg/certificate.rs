//! A signer's certificate: "I hold a durable share of the key with this transcript."

use super::transcript::{is_key_of, transcript_hash};
use super::{DkgOutcome, DkgParameters, OutcomeFault};
use crate::digest::digest;
use ed25519_dalek::{Signature, VerifyingKey};

/// What a certificate signs.
#[must_use]
pub fn certificate_digest(transcript: &[u8; 32]) -> [u8; 32] {
    digest("strongroom/ceremony-certificate/v1", &[transcript])
}

/// Whether `signature` is `signing_key`'s certificate of `transcript` (strict Ed25519).
#[must_use]
pub fn verify_certificate(
    signing_key: &[u8; 32],
    transcript: &[u8; 32],
    signature: &[u8; 64],
) -> bool {
    let signature = Signature::from_bytes(signature);
    VerifyingKey::from_bytes(signing_key).is_ok_and(|key| {
        key.verify_strict(&certificate_digest(transcript), &signature)
            .is_ok()
    })
}

/// Checks a published ceremony against the parameters that were approved: the transcript is
/// recomputed from the public key record, and all n roster members certified it.
///
/// # Errors
/// See [`OutcomeFault`].
pub fn verify_outcome(
    parameters: &DkgParameters,
    outcome: &DkgOutcome,
) -> Result<(), OutcomeFault> {
    if !is_key_of(parameters, &outcome.public) {
        return Err(OutcomeFault::OtherKey);
    }
    if transcript_hash(parameters, &outcome.round1_hash, &outcome.public) != outcome.transcript {
        return Err(OutcomeFault::Transcript);
    }
    for member in &parameters.roster {
        let certificate = outcome.certificates.get(&member.index);
        if !certificate
            .is_some_and(|c| verify_certificate(&member.signing_key, &outcome.transcript, c))
        {
            return Err(OutcomeFault::Certificate(member.index));
        }
    }
    if outcome.certificates.len() != parameters.roster.len() {
        return Err(OutcomeFault::Strangers);
    }
    Ok(())
}
