//! Digests of a key generation. Each has a domain of its own, so that none of them is valid in
//! place of another.

use super::message::Round1;
use super::parameters::DkgParameters;
use crate::PublicKeyRecord;
use crate::digest::digest;
use crate::encoding::encode;
use std::collections::BTreeMap;

/// Hash of every round-1 message: the value that signers echo to each other.
pub(super) fn round1_hash(context: &[u8; 32], round1: &BTreeMap<u16, Round1>) -> [u8; 32] {
    digest("strongroom/dkg-round-1/v1", &[context, &encode(round1)])
}

/// Commitment to one chain-code contribution. It binds the sender's index, so that no signer can
/// use another's commitment as its own.
pub(super) fn chain_code_commitment(
    context: &[u8; 32],
    index: u16,
    contribution: &[u8; 32],
) -> [u8; 32] {
    digest(
        "strongroom/chain-code-commitment/v1",
        &[context, &index.to_be_bytes(), contribution],
    )
}

/// Chain code: digest of all contributions in roster order. Each was committed to in round 1, so
/// the last to open cannot choose the result.
pub(super) fn chain_code(context: &[u8; 32], contributions: &BTreeMap<u16, [u8; 32]>) -> [u8; 32] {
    let mut fields: Vec<&[u8]> = vec![context];
    fields.extend(contributions.values().map(<[u8; 32]>::as_slice));
    digest("strongroom/chain-code/v1", &fields)
}

/// The transcript: everything that all n signers must agree on before a key is used.
///
/// It can be recomputed from the approved parameters, the hash of round 1 and the public record, so
/// that each holder of the certificates can check that they are about exactly this group key, these
/// shares and this chain code.
#[must_use]
pub fn transcript_hash(
    parameters: &DkgParameters,
    round1_hash: &[u8; 32],
    public: &PublicKeyRecord,
) -> [u8; 32] {
    digest(
        "strongroom/dkg-transcript/v1",
        &[
            &parameters.session,
            &parameters.genesis,
            &parameters.key_id,
            &parameters.epoch.to_be_bytes(),
            &[parameters.suite as u8],
            &parameters.min_signers.to_be_bytes(),
            &parameters.max_signers().to_be_bytes(),
            &encode(&parameters.roster),
            round1_hash,
            &public.group_key,
            &encode(&public.verifying_shares),
            &public.chain_code,
        ],
    )
}

/// Whether `public` is a well-formed key of exactly these parameters.
pub(super) fn is_key_of(parameters: &DkgParameters, public: &PublicKeyRecord) -> bool {
    public.suite == parameters.suite
        && public.key_id == parameters.key_id
        && public.epoch == parameters.epoch
        && public.min_signers == parameters.min_signers
        && public
            .verifying_shares
            .keys()
            .copied()
            .eq(parameters.roster.iter().map(|member| member.index))
        && public.check().is_ok()
}
