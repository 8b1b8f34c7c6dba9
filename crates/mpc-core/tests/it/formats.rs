//! Golden bytes. A change here is a new version of a format, never an edit.

use crate::cluster::*;
use std::collections::BTreeMap;
use strongroom_mpc_core::dkg::{DkgOutcome, certificate_digest};
use strongroom_mpc_core::signing::{Commitment, SignatureShare, SigningPackage, Tweak};
use strongroom_mpc_core::{PublicKeyRecord, SuiteId};

#[test]
fn signing_package_bytes_do_not_change() {
    let package = SigningPackage {
        suite: SuiteId::FrostSecp256k1Tr,
        key_id: b"k".to_vec(),
        epoch: 2,
        message: vec![0xaa; 2],
        commitments: BTreeMap::from([(
            3,
            Commitment {
                boot_id: [0xbb; 16],
                number: 4,
                hiding: vec![0xcc],
                binding: vec![0xdd],
            },
        )]),
        path: path(&[86, 5]),
        tweak: Tweak::Bip341,
    };
    let expected = [
        "01",                               // suite
        "010000006b",                       // key id
        "02000000",                         // epoch
        "02000000aaaa",                     // message
        "01000000",                         // one participant
        "0300",                             // its index
        "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb", // boot id
        "0400000000000000",                 // number
        "01000000cc",                       // hiding
        "01000000dd",                       // binding
        "020000005600000005000000",         // path
        "01",                               // tweak
    ];
    assert_eq!(hex::encode(package.to_bytes()), expected.concat());
    assert_eq!(SigningPackage::from_bytes(&package.to_bytes()), Ok(package));
}

/// A package whose participants are a list, which has the same layout but allows any order.
#[derive(borsh::BorshSerialize)]
struct Listed {
    suite: SuiteId,
    key_id: Vec<u8>,
    epoch: u32,
    message: Vec<u8>,
    commitments: Vec<(u16, Commitment)>,
    path: strongroom_mpc_core::ChildPath,
    tweak: Tweak,
}

#[test]
fn participants_out_of_order_or_twice_are_not_a_package() {
    let commitment = Commitment {
        boot_id: [1; 16],
        number: 1,
        hiding: vec![2],
        binding: vec![3],
    };
    let listed = |indices: &[u16]| {
        let listed = Listed {
            suite: SuiteId::FrostEd25519,
            key_id: Vec::new(),
            epoch: 0,
            message: Vec::new(),
            commitments: indices
                .iter()
                .map(|index| (*index, commitment.clone()))
                .collect(),
            path: path(&[]),
            tweak: Tweak::None,
        };
        SigningPackage::from_bytes(&borsh::to_vec(&listed).unwrap())
    };
    assert!(listed(&[1, 2]).is_ok());
    assert!(listed(&[2, 1]).is_err());
    assert!(listed(&[1, 1, 2]).is_err());
}

#[test]
fn signature_share_bytes_do_not_change() {
    let share = SignatureShare {
        index: 7,
        share: [1; 32],
    };
    assert_eq!(
        hex::encode(share.to_bytes()),
        format!("0700{}", "01".repeat(32))
    );
}

#[test]
fn suite_numbers_do_not_change() {
    assert_eq!(
        SUITES.map(|suite| borsh::to_vec(&suite).unwrap()),
        [vec![1], vec![2], vec![3]]
    );
    assert_eq!(
        SUITES.map(SuiteId::name),
        ["frost-secp256k1-tr", "frost-secp256k1", "frost-ed25519"]
    );
}

#[test]
fn certificate_digest_does_not_change() {
    assert_eq!(
        certificate_digest(&[9; 32]),
        digest("strongroom/ceremony-certificate/v1", &[&[9; 32]])
    );
}

/// A seeded ceremony pins messages, digests, transcript, records and the order in which randomness
/// is drawn.
#[test]
fn a_seeded_ceremony_does_not_change() {
    let cluster = Cluster::new(SuiteId::FrostSecp256k1Tr, 2, 3, 77).run();
    let outcome = &cluster.outcomes[&2];
    let stored = cluster.records[&2].to_secret_bytes();
    let made = [
        outcome.transcript,
        digest("test/outcome", &[&outcome.to_bytes()]),
        digest("test/stored", &[&stored]),
    ];
    assert_eq!(made.map(hex::encode), CEREMONY);
    assert_eq!(
        DkgOutcome::from_bytes(&outcome.to_bytes()).as_ref(),
        Ok(outcome)
    );
    assert_eq!(
        PublicKeyRecord::from_bytes(&outcome.public.to_bytes()).as_ref(),
        Ok(&outcome.public)
    );
}

/// Transcript, digest of the published outcome, digest of signer 2's stored share.
const CEREMONY: [&str; 3] = [
    "8dbff6013beaaa34614ce3f128455fa77d24dc3f5339b751ff3fd47746af6e16",
    "c34b0f9dc7a7ed59e2758a6d5de7f50a0eaf88062de9b84297534c9d34ee7481",
    "004c8c47bcd4a5888966945874f7ec3d3fe504a07bfc291e40eb6d38ae6ebbdb",
];
