//! Conversion of a nonce commitment between its wire form and its `mpc_core` form.

use strongroom_mpc_core::signing::Commitment;
use strongroom_types::Suite;
use strongroom_wire::NonceCommitment;

/// Reads a commitment from its wire form, `hiding ‖ binding`: two halves of equal length (33 bytes
/// each for secp256k1, 32 for Ed25519).
///
/// Any bytes are taken: [`is_commitment`] says whether the halves are points.
#[must_use]
pub fn commitment_from_wire(claimed: &NonceCommitment) -> Commitment {
    let (hiding, binding) = claimed.commitment.split_at(claimed.commitment.len() / 2);

    Commitment {
        boot_id: claimed.boot,
        number: claimed.number,
        hiding: hiding.to_vec(),
        binding: binding.to_vec(),
    }
}

/// Whether the bytes are a commitment under this scheme: no longer, no shorter, and decoded by
/// every signer.
#[must_use]
pub fn is_commitment(claimed: &NonceCommitment, suite: Suite) -> bool {
    commitment_from_wire(claimed).is_well_formed(suite.into())
}

/// The wire form of a commitment, as a signer publishes it.
#[must_use]
pub fn commitment_to_wire(made: &Commitment) -> NonceCommitment {
    NonceCommitment {
        boot: made.boot_id,
        number: made.number,
        commitment: [made.hiding.as_slice(), made.binding.as_slice()].concat(),
    }
}
