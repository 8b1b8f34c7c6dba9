//! A signer's certificate: its signature over a transcript, by which it declares that it holds a
//! durable share of that key.

use super::transcript::{is_key_of, transcript_hash};
use super::{DkgOutcome, DkgParameters, OutcomeFault};
use crate::digest::digest;

/// Message of a certificate, 32 bytes.
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
    // Verification is strict: with a key of small order, one signature would be valid for several
    // transcripts.
    strongroom_ed25519::verify_bytes(signing_key, &certificate_digest(transcript), signature)
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
    // The key must be the approved one: an attacker could publish a well-certified key of another
    // tenant, epoch or threshold.
    if !is_key_of(parameters, &outcome.public) {
        return Err(OutcomeFault::OtherKey);
    }

    // The certificates sign only this hash. It is recomputed here, so that they are bound to
    // exactly these public shares.
    if transcript_hash(parameters, &outcome.round1_hash, &outcome.public) != outcome.transcript {
        return Err(OutcomeFault::Transcript);
    }

    // All n members must have certified, not only t: a signer without a durable share would be
    // missing when it is needed.
    for member in &parameters.roster {
        let certificate = outcome.certificates.get(&member.index);
        if !certificate
            .is_some_and(|c| verify_certificate(&member.signing_key, &outcome.transcript, c))
        {
            return Err(OutcomeFault::Certificate(member.index));
        }
    }

    // Every member is present, so a surplus certificate is of a signer outside the roster.
    if outcome.certificates.len() != parameters.roster.len() {
        return Err(OutcomeFault::Strangers);
    }

    Ok(())
}
