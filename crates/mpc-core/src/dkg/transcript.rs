//! The digests of a key generation.

use super::message::Round1;
use super::parameters::DkgParameters;
use crate::digest::digest;
use crate::encoding::encode;
use std::collections::BTreeMap;

/// Hash of every round-1 message, what signers echo to each other.
pub(super) fn round1_hash(context: &[u8; 32], round1: &BTreeMap<u16, Round1>) -> [u8; 32] {
    digest("strongroom/dkg-round-1/v1", &[context, &encode(round1)])
}

pub(super) fn chain_code_commitment(context: &[u8; 32], index: u16, contribution: &[u8; 32]) -> [u8; 32] {
    digest("strongroom/chain-code-commitment/v1", &[context, &index.to_be_bytes(), contribution])
}

/// Chain code = digest of all contributions in roster order.
pub(super) fn chain_code(context: &[u8; 32], contributions: &BTreeMap<u16, [u8; 32]>) -> [u8; 32] {
    let mut fields: Vec<&[u8]> = vec![context];
    fields.extend(contributions.values().map(<[u8; 32]>::as_slice));
    digest("strongroom/chain-code/v1", &fields)
}

/// What a ceremony made.
pub(super) struct Made<'a> {
    pub group_key: &'a [u8],
    pub verifying_shares: &'a BTreeMap<u16, Vec<u8>>,
    pub chain_code: &'a [u8; 32],
}

/// The transcript: everything that all n signers must agree on before a key is used.
pub(super) fn transcript(
    parameters: &DkgParameters,
    round1: &BTreeMap<u16, Round1>,
    made: &Made<'_>,
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
            &encode(round1),
            made.group_key,
            &encode(made.verifying_shares),
            made.chain_code,
        ],
    )
}
