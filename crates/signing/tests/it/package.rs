//! Packages: the same for both sides, and refused when the claims do not fit.

use crate::kit::{commitment, key_record, request, slot};
use strongroom_signing::{packages, request_digest, slots_from_wire};
use strongroom_types::{Code, Refusal, Suite};
use strongroom_wire::{SigningRequest, SigningSlot};

const TAPROOT: Suite = Suite::FrostSecp256k1Tr;

fn refused(request: &SigningRequest, slots: &[strongroom_types::Slot]) -> Code {
    let refusal: Refusal = packages(request, slots, &key_record(TAPROOT)).unwrap_err();
    refusal.code
}

#[test]
fn a_coordinator_comes_to_the_packages_that_a_signer_derives() {
    let decoded = [slot(TAPROOT, 1), slot(TAPROOT, 2)];
    let told: Vec<SigningSlot> = decoded
        .iter()
        .map(|slot| SigningSlot {
            path: slot.path.clone(),
            tweak: slot.tweak,
            message: slot.message.clone(),
        })
        .collect();
    let key = key_record(TAPROOT);
    assert_eq!(
        packages(&request(2), &slots_from_wire(&told, TAPROOT), &key).unwrap(),
        packages(&request(2), &decoded, &key).unwrap()
    );
}

#[test]
fn every_slot_has_one_set_of_commitments() {
    let slots = [slot(TAPROOT, 1), slot(TAPROOT, 2)];
    assert_eq!(refused(&request(1), &slots), Code::PackageInvalid);
    assert_eq!(refused(&request(3), &slots), Code::PackageInvalid);
    assert_eq!(refused(&request(0), &[]), Code::PackageInvalid);
}

#[test]
fn participants_ascend_and_none_is_twice() {
    let slots = [slot(TAPROOT, 1)];
    for claimed in [[3, 1], [1, 1]] {
        let mut request = request(1);
        request.commitments[0] = claimed.map(|index| (index, commitment(1))).to_vec();
        assert_eq!(refused(&request, &slots), Code::PackageInvalid);
    }
}

#[test]
fn a_slot_of_another_scheme_than_the_keys_is_refused() {
    for other in [Suite::FrostSecp256k1, Suite::FrostEd25519] {
        assert_eq!(
            refused(&request(1), &[slot(other, 1)]),
            Code::PackageInvalid
        );
    }
}

#[test]
fn a_hardened_path_is_refused() {
    let mut hardened = slot(TAPROOT, 1);
    hardened.path[0] |= 1 << 31;
    assert_eq!(refused(&request(1), &[hardened]), Code::PathNotOwn);
}

#[test]
fn any_other_request_has_another_name() {
    let named = request_digest(&request(2));
    let changes: [fn(&mut SigningRequest); 5] = [
        |request| request.attempt += 1,
        |request| request.unsigned[0] ^= 1,
        |request| request.session.0[0] ^= 1,
        |request| request.commitments[0][0].1.number += 1,
        |request| request.key.0[0] ^= 1,
    ];
    for change in changes {
        let mut other = request(2);
        change(&mut other);
        assert_ne!(request_digest(&other), named);
    }
}
