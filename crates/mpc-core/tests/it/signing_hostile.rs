//! Hostile coordinators and signers in the signing round.

use crate::cluster::*;
use rand_core::RngCore as _;
use strongroom_mpc_core::signing::*;
use strongroom_mpc_core::{ChildPath, KeyShareRecord, PublicKeyRecord, RecordError, SuiteId};
use zeroize::Zeroizing;

const MESSAGE: [u8; 32] = [0x24; 32];
const TR: SuiteId = SuiteId::FrostSecp256k1Tr;

fn tr_quorum() -> (Quorum, PublicKeys) {
    let quorum = Quorum::new(TR, 2, 3);
    let keys = PublicKeys::open(quorum.public.clone()).unwrap();
    (quorum, keys)
}

fn plain(quorum: &mut Quorum, participants: &[u16]) -> SigningPackage {
    quorum.package(
        participants,
        &MESSAGE,
        &path(&[86, 0, 0, 0, 0]),
        Tweak::Bip341,
    )
}

fn signer(quorum: &mut Quorum, index: u16) -> &mut KeyShare {
    quorum.shares.get_mut(&index).unwrap()
}

#[test]
fn bad_shares_name_every_liar_and_no_other_signer() {
    for suite in SUITES {
        let mut quorum = Quorum::new(suite, 3, 5);
        let mut keys = PublicKeys::open(quorum.public.clone()).unwrap();
        for liars in [vec![2], vec![1, 4]] {
            let package = quorum.package(&[1, 2, 4], &MESSAGE, &path(&[5]), Tweak::None);
            let mut shares = quorum.sign(&package);
            assert!(
                keys.aggregate(&package, &shares).is_ok(),
                "the honest shares make a signature"
            );
            for share in shares
                .iter_mut()
                .filter(|share| liars.contains(&share.index))
            {
                let low = if suite == SuiteId::FrostEd25519 {
                    0
                } else {
                    31
                };
                // Each share is changed by another amount, because equal and opposite changes would
                // cancel in the sum.
                share.share[low] ^= 1 << share.index;
            }
            let fault = keys.aggregate(&package, &shares).unwrap_err();
            assert_eq!(
                fault,
                AggregateFault::InvalidShares {
                    culprits: liars.clone()
                }
            );
            assert_eq!(fault.culprits(), liars);
        }
    }
}

#[test]
fn a_share_that_is_not_a_scalar_names_its_sender() {
    for suite in SUITES {
        let mut quorum = Quorum::new(suite, 2, 3);
        let mut keys = PublicKeys::open(quorum.public.clone()).unwrap();
        let package = quorum.package(&[1, 3], &MESSAGE, &ChildPath::root(), Tweak::None);
        let mut shares = quorum.sign(&package);
        shares[1].share = [0xff; 32];
        assert_eq!(
            keys.aggregate(&package, &shares).unwrap_err().culprits(),
            [3]
        );
    }
}

#[test]
fn missing_repeated_and_foreign_shares_are_refused() {
    let (mut quorum, mut keys) = tr_quorum();
    let package = plain(&mut quorum, &[1, 2]);
    let shares = quorum.sign(&package);
    let foreign = SignatureShare {
        index: 3,
        share: shares[0].share,
    };
    assert_eq!(
        keys.aggregate(&package, &shares[..1]),
        Err(AggregateFault::Missing(2))
    );
    let repeated = [shares[0], shares[1], shares[1]];
    assert_eq!(
        keys.aggregate(&package, &repeated),
        Err(AggregateFault::Unexpected(2))
    );
    let with_foreign = [shares[0], shares[1], foreign];
    assert_eq!(
        keys.aggregate(&package, &with_foreign),
        Err(AggregateFault::Unexpected(3))
    );
    assert!(keys.aggregate(&package, &shares).is_ok());
}

/// One change for each field, by which a package becomes another one.
fn changes() -> Vec<fn(&mut SigningPackage)> {
    vec![
        |p| p.message[0] ^= 1,
        |p| p.path = path(&[86, 0, 0, 0, 1]),
        |p| p.tweak = Tweak::None,
        |p| {
            let moved = p.commitments[&2].clone();
            let other = p.commitments.get_mut(&2).unwrap();
            (other.hiding, other.binding) = (moved.binding, moved.hiding);
        },
        |p| drop(p.commitments.insert(3, p.commitments[&2].clone())),
        |p| p.commitments.get_mut(&2).unwrap().number += 1,
    ]
}

#[test]
fn the_same_package_again_gives_the_same_share_and_another_package_is_refused() {
    for change in changes() {
        let (mut quorum, _) = tr_quorum();
        let package = plain(&mut quorum, &[1, 2]);
        let share = signer(&mut quorum, 1).sign(&package).unwrap();
        let mut other = package.clone();
        change(&mut other);
        assert_eq!(
            signer(&mut quorum, 1).sign(&other),
            Err(SignFault::NonceUsed)
        );
        assert_eq!(
            signer(&mut quorum, 1).sign_all(&[other]),
            Err(SignFault::NonceUsed)
        );
        assert_eq!(signer(&mut quorum, 1).sign(&package), Ok(share));
        assert_eq!(
            signer(&mut quorum, 1).sign_all(std::slice::from_ref(&package)),
            Ok(vec![share])
        );
        assert_eq!(signer(&mut quorum, 1).stock_len(), 0);
    }
}

#[test]
fn a_package_changed_for_one_signer_makes_no_signature() {
    let honest_changes: Vec<fn(&mut SigningPackage)> = changes().into_iter().take(3).collect();
    for change in honest_changes {
        let (mut quorum, mut keys) = tr_quorum();
        let package = plain(&mut quorum, &[1, 2]);
        let mut other = package.clone();
        change(&mut other);
        let one = signer(&mut quorum, 1).sign(&package).unwrap();
        let two = signer(&mut quorum, 2).sign(&other).unwrap();
        assert_eq!(
            keys.aggregate(&package, &[one, two])
                .unwrap_err()
                .culprits(),
            [2]
        );
        assert_eq!(
            keys.aggregate(&other, &[one, two]).unwrap_err().culprits(),
            [1]
        );
    }
}

#[test]
fn a_forgotten_answer_is_refused_and_never_recomputed() {
    let mut quorum = Quorum::new(SuiteId::FrostEd25519, 2, 2);
    let first = quorum.package(&[1, 2], &MESSAGE, &ChildPath::root(), Tweak::None);
    signer(&mut quorum, 1).sign(&first).unwrap();
    for _ in 0..ANSWERS_MAX {
        let package = quorum.package(&[1, 2], &MESSAGE, &ChildPath::root(), Tweak::None);
        signer(&mut quorum, 1).sign(&package).unwrap();
    }
    assert_eq!(
        signer(&mut quorum, 1).sign(&first),
        Err(SignFault::NonceUsed)
    );
}

#[test]
fn unknown_numbers_and_other_lives_are_refused() {
    let cluster = Cluster::new(TR, 2, 3, 11).run();
    let mut quorum = Quorum::of(&cluster);
    let package = plain(&mut quorum, &[1, 2]);
    let mut unknown = package.clone();
    unknown.commitments.get_mut(&1).unwrap().number = 1;
    assert_eq!(
        signer(&mut quorum, 1).sign(&unknown),
        Err(SignFault::CommitmentUnknown)
    );
    let mut other_life = package.clone();
    other_life.commitments.get_mut(&1).unwrap().boot_id = [0xee; 16];
    assert_eq!(
        signer(&mut quorum, 1).sign(&other_life),
        Err(SignFault::CommitmentUnknown)
    );
    // A restarted process has the same share and another boot id, and no longer has the nonces of
    // the run before.
    let mut restarted = KeyShare::open(&cluster.records[&1], [0xdd; 16]).unwrap();
    restarted.prepare(1, &mut rng(1)).unwrap();
    assert_eq!(restarted.sign(&package), Err(SignFault::CommitmentUnknown));
    assert!(signer(&mut quorum, 1).sign(&package).is_ok());
}

#[test]
fn a_commitment_this_signer_never_published_is_refused_and_spares_the_nonce() {
    let (mut quorum, mut keys) = tr_quorum();
    let package = plain(&mut quorum, &[1, 2]);
    let foreign = plain(&mut quorum, &[1, 2]).commitments[&1].clone();
    for (hiding, binding) in [
        (
            foreign.hiding.clone(),
            package.commitments[&1].binding.clone(),
        ),
        (
            package.commitments[&1].hiding.clone(),
            foreign.binding.clone(),
        ),
    ] {
        let mut other = package.clone();
        let mine = other.commitments.get_mut(&1).unwrap();
        (mine.hiding, mine.binding) = (hiding, binding);
        assert_eq!(
            signer(&mut quorum, 1).sign(&other),
            Err(SignFault::CommitmentMismatch)
        );
    }
    let shares = quorum.sign(&package);
    assert!(keys.aggregate(&package, &shares).is_ok());
}

#[test]
fn packages_that_are_wrong_for_all_are_refused_by_signers_and_aggregation() {
    type Change = fn(&mut SigningPackage);
    let cases: Vec<(Change, PackageFault)> = vec![
        (|p| p.key_id.push(0), PackageFault::OtherKey),
        (|p| p.epoch += 1, PackageFault::OtherKey),
        (
            |p| p.suite = SuiteId::FrostSecp256k1,
            PackageFault::OtherKey,
        ),
        (
            |p| drop(p.commitments.remove(&2)),
            PackageFault::ParticipantCount,
        ),
        (
            |p| {
                for index in 3..=4 {
                    p.commitments.insert(index, p.commitments[&2].clone());
                }
            },
            PackageFault::ParticipantCount,
        ),
        (
            |p| drop(p.commitments.insert(9, p.commitments[&2].clone())),
            PackageFault::UnknownParticipant(9),
        ),
        (
            |p| drop(p.commitments.insert(0, p.commitments[&2].clone())),
            PackageFault::UnknownParticipant(0),
        ),
        (
            |p| drop(p.commitments.insert(3, p.commitments[&2].clone())),
            PackageFault::RepeatedCommitment(3),
        ),
        (
            |p| {
                let two = p.commitments.get_mut(&2).unwrap();
                two.binding = two.hiding.clone();
            },
            PackageFault::RepeatedCommitment(2),
        ),
        (
            |p| p.commitments.get_mut(&2).unwrap().hiding.push(0),
            PackageFault::MalformedCommitment(2),
        ),
        (
            |p| p.commitments.get_mut(&2).unwrap().hiding = vec![0; 33],
            PackageFault::MalformedCommitment(2),
        ),
        (
            |p| p.commitments.get_mut(&2).unwrap().binding[0] = 5,
            PackageFault::MalformedCommitment(2),
        ),
        (
            |p| p.commitments.get_mut(&2).unwrap().binding = vec![0],
            PackageFault::MalformedCommitment(2),
        ),
        (
            |p| p.message = vec![0; MESSAGE_LEN_MAX + 1],
            PackageFault::MessageTooLong,
        ),
    ];
    let (mut quorum, mut keys) = tr_quorum();
    let package = plain(&mut quorum, &[1, 2]);
    for (change, expected) in cases {
        let mut other = package.clone();
        change(&mut other);
        assert_eq!(
            signer(&mut quorum, 1).sign(&other),
            Err(SignFault::Package(expected.clone()))
        );
        assert_eq!(
            signer(&mut quorum, 1).stock_len(),
            1,
            "a refusal spares the nonce"
        );
        let shares: Vec<_> = other
            .commitments
            .keys()
            .map(|index| SignatureShare {
                index: *index,
                share: [1; 32],
            })
            .collect();
        assert_eq!(
            keys.aggregate(&other, &shares),
            Err(AggregateFault::Package(expected))
        );
    }
    let shares = quorum.sign(&package);
    assert!(
        keys.aggregate(&package, &shares).is_ok(),
        "the unchanged package gets its signature"
    );
}

#[test]
fn a_taproot_tweak_is_refused_for_other_suites() {
    for suite in [SuiteId::FrostSecp256k1, SuiteId::FrostEd25519] {
        let mut quorum = Quorum::new(suite, 2, 2);
        let package = quorum.package(&[1, 2], &MESSAGE, &ChildPath::root(), Tweak::Bip341);
        let refused = Err(SignFault::Package(PackageFault::TweakUnsupported));
        assert_eq!(signer(&mut quorum, 1).sign(&package), refused);
    }
}

#[test]
fn a_signer_outside_the_package_refuses() {
    let (mut quorum, _) = tr_quorum();
    let package = plain(&mut quorum, &[1, 2]);
    assert_eq!(
        signer(&mut quorum, 3).sign(&package),
        Err(SignFault::NotParticipant)
    );
}

#[test]
fn one_bad_package_in_a_request_leaves_every_nonce_unused() {
    let (mut quorum, _) = tr_quorum();
    let good = plain(&mut quorum, &[1, 2]);
    let mut bad = plain(&mut quorum, &[1, 2]);
    bad.epoch += 1;
    let refused = signer(&mut quorum, 1).sign_all(&[good.clone(), bad]);
    assert_eq!(refused, Err(SignFault::Package(PackageFault::OtherKey)));
    assert_eq!(signer(&mut quorum, 1).stock_len(), 2);
    // If two packages of one request use one nonce, neither is signed.
    let mut twin = good.clone();
    twin.message[0] ^= 1;
    assert_eq!(
        signer(&mut quorum, 1).sign_all(&[good, twin]),
        Err(SignFault::NonceUsed)
    );
    assert_eq!(signer(&mut quorum, 1).stock_len(), 2);
}

#[test]
fn shares_of_another_generation_make_no_signature() {
    let (mut quorum, mut keys) = tr_quorum();
    let mut other = Quorum::of(&Cluster::new(TR, 2, 3, 12).run());
    let mut package = plain(&mut quorum, &[1, 2]);
    let theirs = plain(&mut other, &[2, 3]).commitments[&2].clone();
    package.commitments.insert(2, theirs);
    let one = signer(&mut quorum, 1).sign(&package).unwrap();
    let two = signer(&mut other, 2).sign(&package).unwrap();
    assert_eq!(
        keys.aggregate(&package, &[one, two])
            .unwrap_err()
            .culprits(),
        [2]
    );
}

#[test]
fn the_stock_is_bounded() {
    let mut quorum = Quorum::new(SuiteId::FrostEd25519, 2, 2);
    let one = signer(&mut quorum, 1);
    one.prepare(NONCES_MAX as u16, &mut rng(1)).unwrap();
    assert_eq!(one.prepare(1, &mut rng(1)), Err(PrepareFault::StockFull));
}

#[test]
fn a_stored_share_that_is_not_the_signers_is_refused() {
    for suite in SUITES {
        let cluster = Cluster::new(suite, 2, 3, 13).run();
        let record = &cluster.records[&1];
        let stored = record.to_secret_bytes();
        assert!(KeyShareRecord::from_secret_bytes(&stored).is_ok());
        // Every changed byte of version, index and share is noticed (the rest is public).
        for position in 0..35 {
            let mut changed = stored.to_vec();
            changed[position] ^= 1;
            assert!(
                KeyShareRecord::from_secret_bytes(&changed).is_err(),
                "byte {position}"
            );
        }
        assert!(KeyShareRecord::from_secret_bytes(&stored[..stored.len() - 1]).is_err());
        assert!(KeyShareRecord::from_secret_bytes(&[&stored[..], &[0]].concat()).is_err());
        let mut random = Zeroizing::new([0; 32]);
        rng(3).fill_bytes(&mut random[1..31]);
        assert!(KeyShareRecord::new(1, random, record.public().clone(), [0; 32], [0; 32]).is_err());
    }
}

#[test]
fn a_public_record_with_another_encoding_of_a_point_is_refused() {
    let record = Quorum::new(TR, 2, 3).public;
    assert!(PublicKeyRecord::from_bytes(&record.to_bytes()).is_ok());
    // SEC 1 has a second 33-byte form (tag 5); the identity pads to 33 zero bytes.
    let changes: [fn(&mut Vec<u8>); 4] = [
        |point| point[0] = 5,
        |point| point.fill(0),
        |point| point.push(0),
        |point| point.truncate(32),
    ];
    for change in changes {
        let mut other = record.clone();
        change(&mut other.group_key);
        assert_eq!(
            PublicKeyRecord::from_bytes(&other.to_bytes()),
            Err(RecordError::Point)
        );
        let mut other = record.clone();
        change(other.verifying_shares.get_mut(&2).unwrap());
        assert_eq!(
            PublicKeyRecord::from_bytes(&other.to_bytes()),
            Err(RecordError::Point)
        );
    }
    type Change = fn(&mut PublicKeyRecord);
    let changes: [Change; 4] = [
        |r| r.min_signers = 1,
        |r| r.min_signers = 4,
        |r| drop(r.verifying_shares.insert(0, r.group_key.clone())),
        |r| r.key_id = vec![0; 129],
    ];
    for change in changes {
        let mut other = record.clone();
        change(&mut other);
        assert_eq!(
            PublicKeyRecord::from_bytes(&other.to_bytes()),
            Err(RecordError::Signers)
        );
    }
    let mut long = record.to_bytes();
    long.push(0);
    assert!(matches!(
        PublicKeyRecord::from_bytes(&long),
        Err(RecordError::NotCanonical(_))
    ));
}

#[test]
fn a_public_record_has_sixty_four_signers_at_most() {
    let mut record = Quorum::new(TR, 2, 3).public;
    let share = record.verifying_shares[&1].clone();
    for index in 4..=64 {
        record.verifying_shares.insert(index, share.clone());
    }
    assert!(PublicKeyRecord::from_bytes(&record.to_bytes()).is_ok());
    record.verifying_shares.insert(65, share);
    assert_eq!(
        PublicKeyRecord::from_bytes(&record.to_bytes()),
        Err(RecordError::Signers)
    );
}
