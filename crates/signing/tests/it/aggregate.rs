//! Shares of a real key add up, and a wrong one names its signer.

use crate::kit::Quorum;
use std::collections::BTreeMap;
use strongroom_signing::{SharesFault, aggregate, packages};

fn result(
    quorum: &mut Quorum,
    shares: &BTreeMap<u16, Vec<Vec<u8>>>,
) -> Result<Vec<Vec<u8>>, SharesFault> {
    let packages = packages(&quorum.request, &quorum.slots, &quorum.key).unwrap();
    aggregate(&mut quorum.keys, &packages, shares)
}

#[test]
fn a_quorums_shares_make_one_signature_per_slot() {
    let mut quorum = Quorum::new();
    let shares = quorum.sign();
    let signatures = result(&mut quorum, &shares).unwrap();
    assert_eq!(signatures.iter().map(Vec::len).collect::<Vec<_>>(), [64; 2]);
}

#[test]
fn a_changed_share_names_its_signer() {
    let mut quorum = Quorum::new();
    let mut shares = quorum.sign();
    shares.get_mut(&3).unwrap()[1][31] ^= 1;
    assert_eq!(result(&mut quorum, &shares).unwrap_err().culprits(), [3]);
}

#[test]
fn signers_without_a_whole_share_per_slot_are_named_together() {
    let mut quorum = Quorum::new();
    let mut shares = quorum.sign();
    shares.get_mut(&1).unwrap()[0].pop();
    shares.remove(&3);
    let fault = result(&mut quorum, &shares).unwrap_err();
    assert_eq!(fault.culprits(), [1, 3]);
    assert!(matches!(fault, SharesFault::Malformed { .. }));
}

#[test]
fn a_missing_last_share_is_its_signers_fault() {
    let mut quorum = Quorum::new();
    let mut shares = quorum.sign();
    shares.get_mut(&1).unwrap().pop();
    assert_eq!(result(&mut quorum, &shares).unwrap_err().culprits(), [1]);
}
