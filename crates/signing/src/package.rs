//! The signing packages of a request (RFC 9591 §5.2: message and commitment list), one per slot.

use std::collections::BTreeMap;

use strongroom_journal::model::KeyRecord;
use strongroom_mpc_core::ChildPath;
use strongroom_mpc_core::signing::SigningPackage;
use strongroom_types::ceremony::key_name;
use strongroom_types::{Code, Refusal, Slot, Suite};
use strongroom_wire::{NonceCommitment, SigningRequest, SigningSlot};

use crate::commitment::commitment_from_wire;

/// The packages of a request: message, path and tweak from `slots`, commitments from the request,
/// scheme and epoch from the journal's key record.
///
/// # Errors
/// `package_invalid` when the commitments do not fit the slots, are not ascending by signer index,
/// or a slot wants another scheme than the key has; `path_not_own` for a path that cannot be
/// derived.
pub fn packages(
    request: &SigningRequest,
    slots: &[Slot],
    key: &KeyRecord,
) -> Result<Vec<SigningPackage>, Refusal> {
    // There must be one set of commitments per slot: a missing set would leave an input unsigned,
    // and a surplus one would use up nonces for nothing.
    if slots.is_empty() || slots.len() != request.commitments.len() {
        let detail = format!(
            "{} sets of commitments for {} inputs",
            request.commitments.len(),
            slots.len()
        );
        return Err(Refusal::new(Code::PackageInvalid, detail));
    }

    let pairs = slots.iter().zip(&request.commitments);
    pairs
        .map(|(slot, claimed)| package(request, slot, claimed, key))
        .collect()
}

fn package(
    request: &SigningRequest,
    slot: &Slot,
    claimed: &[(u16, NonceCommitment)],
    key: &KeyRecord,
) -> Result<SigningPackage, Refusal> {
    // The slot's scheme must be the key's, because a share of one scheme must not be used in a
    // signature of another.
    if slot.suite != key.plan.suite {
        let detail = format!(
            "the key is {}, the input wants {}",
            key.plan.suite, slot.suite
        );
        return Err(Refusal::new(Code::PackageInvalid, detail));
    }

    // Participants must ascend, so that each is there once and in one order: two lists with one
    // meaning would be two packages for one nonce.
    if !claimed.is_sorted_by(|a, b| a.0 < b.0) {
        return Err(Refusal::new(
            Code::PackageInvalid,
            "participants ascend by index",
        ));
    }

    let commitments: BTreeMap<u16, _> = claimed
        .iter()
        .map(|(index, claimed)| (*index, commitment_from_wire(claimed)))
        .collect();

    let path = ChildPath::new(slot.path.clone()).map_err(|e| Refusal::new(Code::PathNotOwn, e))?;

    Ok(SigningPackage {
        suite: slot.suite.into(),
        key_id: key_name(request.tenant, request.key),
        epoch: key.epoch,
        message: slot.message.clone(),
        commitments,
        path,
        tweak: slot.tweak,
    })
}

/// The slots that a coordinator was given, with the scheme of the key. A signer never uses them: it
/// decodes the transaction itself.
#[must_use]
pub fn slots_from_wire(slots: &[SigningSlot], suite: Suite) -> Vec<Slot> {
    let slot = |slot: &SigningSlot| Slot {
        suite,
        path: slot.path.clone(),
        tweak: slot.tweak,
        message: slot.message.clone(),
    };
    slots.iter().map(slot).collect()
}
