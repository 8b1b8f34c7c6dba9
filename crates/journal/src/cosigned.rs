//! The statement that a witness signs, and the one way in which it is verified.

use strongroom_tlog::{CosignVerifier, Cosignature, verify_cosignature};
use strongroom_types::{Code, NodeId, Refusal};

/// The name under which a witness's key stands in notes: the text form of its node id.
#[must_use]
pub fn witness_name(witness: NodeId) -> String {
    witness.to_string()
}

/// The verifier of a seat of genesis.
///
/// # Errors
/// `invalid_reference` when the key cannot be used.
pub(crate) fn verifier(witness: NodeId, key: &[u8; 32]) -> Result<CosignVerifier, Refusal> {
    CosignVerifier::new(&witness_name(witness), key)
        .map_err(|e| Refusal::new(Code::InvalidReference, format!("witness {witness}: {e}")))
}

/// Verifies a witness's signature over a checkpoint body and a time in Unix seconds; says nothing
/// about whether that time is plausible.
///
/// # Errors
/// `bad_signature`.
pub(crate) fn verify(
    verifier: &CosignVerifier,
    body: &str,
    time_s: u64,
    signature: &[u8; 64],
) -> Result<(), Refusal> {
    // C2SP cosignature/v1: the signature covers the time, so it cannot be made to look newer.
    let signed = Cosignature {
        name: verifier.name().to_owned(),
        key_id: verifier.key_id(),
        time_s,
        signature: *signature,
    };
    verify_cosignature(body, &signed, verifier).map_err(|e| Refusal::new(Code::BadSignature, e))
}
