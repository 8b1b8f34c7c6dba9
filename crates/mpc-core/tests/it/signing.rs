//! Honest one-round signing.

use crate::cluster::*;
use std::collections::BTreeMap;
use strongroom_mpc_core::hd::taproot_output_key;
use strongroom_mpc_core::signing::*;
use strongroom_mpc_core::verify::verify_signature;
use strongroom_mpc_core::{ChildPath, SuiteId};

const MESSAGE: [u8; 32] = [0x42; 32];

fn tweak_of(suite: SuiteId) -> Tweak {
    if suite == SuiteId::FrostSecp256k1Tr {
        Tweak::Bip341
    } else {
        Tweak::None
    }
}

fn check(quorum: &Quorum, package: &SigningPackage, signature: &[u8]) {
    let child = quorum.public.child_key(&package.path).unwrap();
    match quorum.public.suite {
        SuiteId::FrostSecp256k1Tr => {
            let x: [u8; 32] = match package.tweak {
                Tweak::Bip341 => libsecp_output_key(&child),
                Tweak::None => child[1..].try_into().unwrap(),
            };
            if package.tweak == Tweak::Bip341 {
                assert_eq!(quorum.public.taproot_output_key(&package.path).unwrap(), x);
            }
            assert!(libsecp_verifies(&x, &package.message, signature));
        }
        SuiteId::FrostSecp256k1 => {
            assert!(verify_signature(
                quorum.public.suite,
                &child,
                &package.message,
                signature
            ));
        }
        SuiteId::FrostEd25519 => {
            let key = ed25519_dalek::VerifyingKey::from_bytes(&child.try_into().unwrap()).unwrap();
            let signature = ed25519_dalek::Signature::from_bytes(signature.try_into().unwrap());
            key.verify_strict(&package.message, &signature).unwrap();
        }
    }
}

fn libsecp_verifies(x: &[u8; 32], message: &[u8], signature: &[u8]) -> bool {
    let secp = secp256k1::Secp256k1::verification_only();
    let key = secp256k1::XOnlyPublicKey::from_slice(x).unwrap();
    let signature = secp256k1::schnorr::Signature::from_slice(signature).unwrap();
    let message = secp256k1::Message::from_digest(message.try_into().unwrap());
    secp.verify_schnorr(&signature, &message, &key).is_ok()
}

/// The output key as libsecp256k1 computes it; the TapTweak hash is computed here.
fn libsecp_output_key(child: &[u8]) -> [u8; 32] {
    use sha2::{Digest as _, Sha256};
    let secp = secp256k1::Secp256k1::verification_only();
    let key = secp256k1::XOnlyPublicKey::from_slice(&child[1..]).unwrap();
    let tag = Sha256::digest(b"TapTweak");
    let hash: [u8; 32] = Sha256::new()
        .chain_update(tag)
        .chain_update(tag)
        .chain_update(&child[1..])
        .finalize()
        .into();
    let tweak = secp256k1::Scalar::from_be_bytes(hash).unwrap();
    key.add_tweak(&secp, &tweak).unwrap().0.serialize()
}

#[test]
fn any_quorum_signs_at_root_and_children_in_every_suite() {
    for suite in SUITES {
        for (t, n, quorums) in [
            (2, 2, vec![vec![1, 2]]),
            (
                2,
                3,
                vec![vec![1, 2], vec![1, 3], vec![2, 3], vec![1, 2, 3]],
            ),
            (3, 5, vec![vec![1, 3, 5], vec![2, 3, 4], vec![1, 2, 4, 5]]),
        ] {
            let mut quorum = Quorum::new(suite, t, n);
            let mut keys = PublicKeys::open(quorum.public.clone()).unwrap();
            for participants in quorums {
                for path in [ChildPath::root(), path(&[86, 0, 7, 1, 999_999])] {
                    let package = quorum.package(&participants, &MESSAGE, &path, tweak_of(suite));
                    let shares = quorum.sign(&package);
                    check(
                        &quorum,
                        &package,
                        &keys.aggregate(&package, &shares).unwrap(),
                    );
                }
            }
        }
    }
}

#[test]
fn eighteen_of_twenty_four_sign() {
    for suite in [SuiteId::FrostSecp256k1Tr, SuiteId::FrostEd25519] {
        let mut quorum = Quorum::new(suite, 18, 24);
        let mut keys = PublicKeys::open(quorum.public.clone()).unwrap();
        let participants: Vec<u16> = (4..=21).collect();
        let package = quorum.package(
            &participants,
            &MESSAGE,
            &path(&[86, 0, 0, 0, 0]),
            tweak_of(suite),
        );
        let shares = quorum.sign(&package);
        check(
            &quorum,
            &package,
            &keys.aggregate(&package, &shares).unwrap(),
        );
    }
}

#[test]
fn many_taproot_children_of_both_parities_verify_under_libsecp256k1() {
    let mut parities = BTreeMap::new();
    let mut quorum = Quorum::new(SuiteId::FrostSecp256k1Tr, 2, 3);
    let mut keys = PublicKeys::open(quorum.public.clone()).unwrap();
    for index in 0..24 {
        let path = path(&[86, 0, 0, 0, index]);
        let child = quorum.public.child_key(&path).unwrap();
        *parities.entry(child[0]).or_insert(0) += 1;
        for tweak in [Tweak::Bip341, Tweak::None] {
            let package = quorum.package(&[1, 3], &MESSAGE, &path, tweak);
            let shares = quorum.sign(&package);
            check(
                &quorum,
                &package,
                &keys.aggregate(&package, &shares).unwrap(),
            );
        }
    }
    assert_eq!(
        parities.len(),
        2,
        "odd and even children are both covered: {parities:?}"
    );
}

#[test]
fn a_taproot_signature_carries_exactly_one_tweak_per_child() {
    let mut quorum = Quorum::new(SuiteId::FrostSecp256k1Tr, 2, 2);
    let mut keys = PublicKeys::open(quorum.public.clone()).unwrap();
    let path = path(&[86, 1, 2, 0, 3]);
    let package = quorum.package(&[1, 2], &MESSAGE, &path, Tweak::Bip341);
    let shares = quorum.sign(&package);
    let signature = keys.aggregate(&package, &shares).unwrap();
    let child: [u8; 33] = quorum.public.child_key(&path).unwrap().try_into().unwrap();
    let once = taproot_output_key(&child).unwrap();
    let mut again = [2; 33];
    again[1..].copy_from_slice(&once);
    let twice = taproot_output_key(&again).unwrap();
    assert!(libsecp_verifies(&once, &MESSAGE, &signature));
    assert!(!libsecp_verifies(&twice, &MESSAGE, &signature));
    assert!(!libsecp_verifies(
        child[1..].try_into().unwrap(),
        &MESSAGE,
        &signature
    ));
}

#[test]
fn all_inputs_of_a_transaction_are_signed_in_one_request() {
    let mut quorum = Quorum::new(SuiteId::FrostSecp256k1Tr, 2, 3);
    let mut keys = PublicKeys::open(quorum.public.clone()).unwrap();
    let packages: Vec<_> = (0..4)
        .map(|input| {
            quorum.package(
                &[1, 2],
                &[input as u8; 32],
                &path(&[86, 0, 0, 0, input]),
                Tweak::Bip341,
            )
        })
        .collect();
    let one = quorum
        .shares
        .get_mut(&1)
        .unwrap()
        .sign_all(&packages)
        .unwrap();
    let two = quorum
        .shares
        .get_mut(&2)
        .unwrap()
        .sign_all(&packages)
        .unwrap();
    for ((package, one), two) in packages.iter().zip(one).zip(two) {
        check(
            &quorum,
            package,
            &keys.aggregate(package, &[one, two]).unwrap(),
        );
    }
}

#[test]
fn an_empty_and_a_long_ed25519_message_are_signed() {
    let mut quorum = Quorum::new(SuiteId::FrostEd25519, 2, 3);
    let mut keys = PublicKeys::open(quorum.public.clone()).unwrap();
    for message in [Vec::new(), vec![1; MESSAGE_LEN_MAX]] {
        let package = quorum.package(&[2, 3], &message, &path(&[0]), Tweak::None);
        let shares = quorum.sign(&package);
        check(
            &quorum,
            &package,
            &keys.aggregate(&package, &shares).unwrap(),
        );
    }
}

#[test]
fn package_and_share_encodings_have_one_form() {
    let mut quorum = Quorum::new(SuiteId::FrostSecp256k1Tr, 2, 2);
    let package = quorum.package(&[1, 2], &MESSAGE, &path(&[1, 2]), Tweak::Bip341);
    let bytes = package.to_bytes();
    assert_eq!(SigningPackage::from_bytes(&bytes).unwrap(), package);
    let mut longer = bytes.clone();
    longer.push(0);
    assert!(SigningPackage::from_bytes(&longer).is_err());
    assert!(SigningPackage::from_bytes(&bytes[..bytes.len() - 1]).is_err());
    let share = quorum.sign(&package)[0];
    assert_eq!(
        SignatureShare::from_bytes(&share.to_bytes()).unwrap(),
        share
    );
    let public = quorum.public.to_bytes();
    assert_eq!(
        strongroom_mpc_core::PublicKeyRecord::from_bytes(&public).unwrap(),
        quorum.public
    );
}
