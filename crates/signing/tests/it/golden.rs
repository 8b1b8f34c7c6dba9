//! `vectors/golden.txt`: the bytes on which a signer of one version and a coordinator of another
//! must agree.

use crate::kit::{commitment, key_record, request, slot};
use strongroom_mpc_core::signing::SigningPackage;
use strongroom_signing::{
    commitment_from_wire, commitment_to_wire, message_digest, packages, request_digest,
};
use strongroom_types::Suite;
use strongroom_wire::{CoordinatorMessage, encode};

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/vectors/golden.txt");

const SUITES: [Suite; 3] = [
    Suite::FrostSecp256k1Tr,
    Suite::FrostSecp256k1,
    Suite::FrostEd25519,
];

fn lines() -> String {
    let prepare = CoordinatorMessage::Prepare {
        tenant: crate::kit::TENANT,
        key: crate::kit::KEY,
        count: 7,
    };
    let mut text = format!(
        "signing_request_digest {}\ncoordinator_message_digest {}\n",
        request_digest(&request(2)),
        message_digest(&encode(&prepare)),
    );
    for suite in SUITES {
        let slots = [1, 2].map(|n| slot(suite, n));
        let packages = packages(&request(2), &slots, &key_record(suite)).unwrap();
        for package in &packages {
            let bytes = package.to_bytes();
            assert_eq!(SigningPackage::from_bytes(&bytes).unwrap(), *package);
            text += &format!("package {suite} {}\n", hex::encode(&bytes));
            text += &format!("package_digest {suite} {}\n", hex::encode(package.digest()));
        }
    }
    text
}

#[test]
fn request_digests_and_package_bytes_do_not_change() {
    strongroom_golden::snapshot(FILE, &lines());
}

#[test]
fn a_commitment_comes_back_from_the_wire_as_it_was_made() {
    let published = commitment(5);
    let made = commitment_from_wire(&published);
    assert_eq!((made.hiding, made.binding), (vec![5; 33], vec![105; 33]));
    assert_eq!(
        commitment_to_wire(&commitment_from_wire(&published)),
        published
    );
}
