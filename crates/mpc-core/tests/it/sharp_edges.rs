//! Bad inputs that frost-core 3.0 accepts, each beside the check of this crate that stops it. If an
//! upgrade of the library refuses one, the first half of its test goes red and can be removed.

use crate::cluster::*;
use frost_core::keys::dkg::{part1, part2, part3, round2};
use frost_core::keys::{IdentifierList, KeyPackage, SigningShare, generate_with_dealer};
use frost_core::round1::commit;
use frost_core::{Ciphersuite, Group, Identifier, SigningPackage as FrostPackage};
use frost_ed25519::Ed25519Sha512 as Ed;
use k256::ProjectivePoint;
use k256::elliptic_curve::sec1::ToEncodedPoint;
use std::collections::BTreeMap;
use strongroom_mpc_core::SuiteId;
use strongroom_mpc_core::dkg::*;
use strongroom_mpc_core::hd::taproot_output_key;
use strongroom_mpc_core::signing::{PackageFault, SignFault, Tweak};

fn id<C: Ciphersuite>(index: u16) -> Identifier<C> {
    Identifier::try_from(index).unwrap()
}

#[test]
fn part3_takes_a_longer_commitment_than_part2_saw_and_a_session_never_swaps_round_1() {
    // In the library, party 2 shows t coefficients to part 2 and t + 1 to part 3.
    let (secret_1, _) = part1::<Ed, _>(id(1), 2, 2, rng(1)).unwrap();
    let (_, short) = part1::<Ed, _>(id(2), 2, 2, rng(2)).unwrap();
    let (long_secret, long) = part1::<Ed, _>(id(2), 3, 3, rng(3)).unwrap();
    let (secret_1, _) = part2(secret_1, &BTreeMap::from([(id(2), short)])).unwrap();
    let share = SigningShare::from_coefficients(&long_secret.coefficients(), id(1));
    let swapped = BTreeMap::from([(id(2), long.clone())]);
    let shares = BTreeMap::from([(id(2), round2::Package::new(share))]);
    assert!(
        part3(&secret_1, &swapped, &shares).is_ok(),
        "the edge is still there"
    );

    // In the session, a second round-1 body is equivocation, before and after the echo.
    for after_echo in [false, true] {
        let mut cluster = Cluster::new(SuiteId::FrostEd25519, 2, 2, 41);
        let (from, to, bytes) = cluster
            .queue
            .iter()
            .find(|(from, _, _)| *from == 2)
            .unwrap()
            .clone();
        let mut swapped = Message::read(&bytes);
        if let Body::Round1 { package, .. } = &mut swapped.body {
            *package = long.serialize().unwrap();
        }
        cluster.input(to, DkgInput::Received { from, bytes });
        if after_echo {
            let (from, to, bytes) = cluster.queue.pop_front().unwrap();
            cluster.input(to, DkgInput::Received { from, bytes });
        }
        cluster.input(
            1,
            DkgInput::Received {
                from: 2,
                bytes: swapped.write(),
            },
        );
        assert_eq!(
            cluster.faults[&1],
            DkgFault::Equivocation { culprits: vec![2] }
        );
    }
}

#[test]
fn a_proof_of_knowledge_replays_in_the_library_and_not_in_a_session() {
    let (_, old) = part1::<Ed, _>(id(2), 2, 2, rng(1)).unwrap();
    let (fresh_secret, _) = part1::<Ed, _>(id(1), 2, 2, rng(2)).unwrap();
    assert!(
        part2(fresh_secret, &BTreeMap::from([(id(2), old)])).is_ok(),
        "the edge is still there"
    );

    let old = Cluster::with(SuiteId::FrostEd25519, 2, 2, 42, |p| p.session = [1; 32]);
    let mut cluster = Cluster::with(SuiteId::FrostEd25519, 2, 2, 42, |p| p.session = [2; 32]);
    let replayed = old
        .queue
        .iter()
        .find(|(from, _, _)| *from == 2)
        .unwrap()
        .2
        .clone();
    cluster.input(
        1,
        DkgInput::Received {
            from: 2,
            bytes: replayed,
        },
    );
    assert_eq!(cluster.ignored, [(1, IgnoredReason::OtherSession)]);
    assert_eq!(cluster.run().outcomes.len(), 2);
}

fn dealt() -> BTreeMap<Identifier<Ed>, KeyPackage<Ed>> {
    let (shares, _) =
        generate_with_dealer::<Ed, _>(3, 2, IdentifierList::Default, &mut rng(5)).unwrap();
    shares
        .into_iter()
        .map(|(id, share)| (id, KeyPackage::try_from(share).unwrap()))
        .collect()
}

#[test]
fn the_library_signs_with_unknown_and_repeated_participants_and_we_do_not() {
    let keys = dealt();
    let one = &keys[&id(1)];
    let (nonces, mine) = commit(one.signing_share(), &mut rng(6));
    let (_, theirs) = commit(keys[&id(2)].signing_share(), &mut rng(7));
    let unknown = FrostPackage::new(BTreeMap::from([(id(1), mine), (id(77), theirs)]), b"m");
    assert!(
        frost_core::round2::sign(&unknown, &nonces, one).is_ok(),
        "the edge is still there"
    );
    let repeated = BTreeMap::from([(id(1), mine), (id(2), theirs), (id(3), theirs)]);
    let repeated = FrostPackage::new(repeated, b"m");
    assert!(
        frost_core::round2::sign(&repeated, &nonces, one).is_ok(),
        "the edge is still there"
    );

    let mut quorum = Quorum::new(SuiteId::FrostEd25519, 2, 3);
    let package = quorum.package(&[1, 2], b"m", &path(&[]), Tweak::None);
    for (index, expected) in [
        (77, PackageFault::UnknownParticipant(77)),
        (3, PackageFault::RepeatedCommitment(3)),
    ] {
        let mut other = package.clone();
        other
            .commitments
            .insert(index, package.commitments[&2].clone());
        let refused = quorum.shares.get_mut(&1).unwrap().sign(&other);
        assert_eq!(refused, Err(SignFault::Package(expected)));
    }
}

#[test]
fn the_library_reuses_a_nonce_which_gives_the_share_away_and_we_do_not() {
    let keys = dealt();
    let one = &keys[&id(1)];
    let (nonces, mine) = commit(one.signing_share(), &mut rng(6));
    let (_, theirs) = commit(keys[&id(2)].signing_share(), &mut rng(7));
    let commitments = BTreeMap::from([(id(1), mine), (id(2), theirs)]);
    for message in [b"a", b"b", b"c"] {
        let package = FrostPackage::new(commitments.clone(), message);
        assert!(
            frost_core::round2::sign(&package, &nonces, one).is_ok(),
            "the edge is still there"
        );
    }

    let mut quorum = Quorum::new(SuiteId::FrostEd25519, 2, 3);
    let mut package = quorum.package(&[1, 2], b"a", &path(&[]), Tweak::None);
    let share = quorum.shares.get_mut(&1).unwrap();
    assert!(share.sign(&package).is_ok());
    package.message = b"b".to_vec();
    assert_eq!(share.sign(&package), Err(SignFault::NonceUsed));
}

#[test]
fn taproot_key_generation_adds_one_tweak_and_the_record_keeps_that_key_as_root() {
    type Tr = frost_secp256k1_tr::Secp256K1Sha256TR;
    let mut constants: BTreeMap<u16, ProjectivePoint> = BTreeMap::new();
    let mut cluster = Cluster::new(SuiteId::FrostSecp256k1Tr, 2, 3, 43);
    cluster.run_with(|_, delivery| {
        if let Body::Round1 { package, .. } = Message::read(delivery.bytes).body {
            let package =
                frost_secp256k1_tr::keys::dkg::round1::Package::deserialize(&package).unwrap();
            constants.insert(
                delivery.from,
                package.commitment().coefficients()[0].value(),
            );
        }
        vec![delivery.bytes.to_vec()]
    });
    let sum = constants
        .values()
        .fold(<Tr as Ciphersuite>::Group::identity(), |sum, point| {
            sum + point
        });
    let untweaked: [u8; 33] = sum
        .to_affine()
        .to_encoded_point(true)
        .as_bytes()
        .try_into()
        .unwrap();
    let root = &cluster.outcomes[&1].public.group_key;
    assert_ne!(root[1..], untweaked[1..]);
    assert_eq!(root[1..], taproot_output_key(&untweaked).unwrap());
    assert_eq!(
        cluster.outcomes[&1].public.child_key(&path(&[])).unwrap(),
        *root
    );
}
