//! Messages whose content is wrong: packages, shares, openings.

use super::{LIAR, assert_blamed, first_from, with_liar};
use crate::cluster::*;
use frost_core::keys::SigningShare;
use frost_core::keys::dkg::{part1, round1};
use frost_ed25519::Ed25519Sha512 as Ed;
use strongroom_mpc_core::SuiteId;
use strongroom_mpc_core::dkg::*;
use strongroom_mpc_core::seal::{open, seal};

pub(super) fn foreign_package(
    t: u16,
    n: u16,
    seed: u64,
) -> (round1::SecretPackage<Ed>, round1::Package<Ed>) {
    part1::<Ed, _>(LIAR.try_into().unwrap(), n, t, rng(seed)).unwrap()
}

pub(super) fn replace_package(message: &mut Message, new: &round1::Package<Ed>) {
    if let Body::Round1 { package, .. } = &mut message.body {
        *package = new.serialize().unwrap();
    }
}

#[test]
fn a_wrong_proof_of_knowledge_names_its_sender() {
    let (_, other) = foreign_package(2, 3, 1);
    let cluster = with_liar(2, 3, |_, _, mut message| {
        if let Body::Round1 { package, .. } = &message.body {
            let own = round1::Package::<Ed>::deserialize(package).unwrap();
            let mixed = round1::Package::new(own.commitment().clone(), *other.proof_of_knowledge());
            replace_package(&mut message, &mixed);
        }
        message
    });
    assert_blamed(
        &cluster,
        &DkgFault::InvalidProofOfKnowledge { culprit: LIAR },
    );
}

#[test]
fn another_signers_package_copied_as_ones_own_is_refused() {
    let honest = Cluster::new(SuiteId::FrostEd25519, 2, 3, 21);
    let stolen = first_from(&honest, 2);
    let Body::Round1 {
        package: stolen, ..
    } = Message::read(&stolen).body
    else {
        panic!()
    };
    let cluster = with_liar(2, 3, |_, _, mut message| {
        if let Body::Round1 { package, .. } = &mut message.body {
            *package = stolen.clone();
        }
        message
    });
    assert_blamed(
        &cluster,
        &DkgFault::InvalidProofOfKnowledge { culprit: LIAR },
    );
}

#[test]
fn a_raised_or_lowered_degree_names_its_sender() {
    for degree in [2, 4] {
        let (_, package) = foreign_package(degree, 4, 2);
        let cluster = with_liar(3, 4, |_, _, mut message| {
            replace_package(&mut message, &package);
            message
        });
        assert_blamed(&cluster, &DkgFault::InvalidPackage { culprit: LIAR });
    }
}

#[test]
fn trailing_bytes_and_the_identity_in_a_package_name_their_sender() {
    type Change = fn(&mut Vec<u8>);
    // A package has 5 bytes of header and 1 byte of count, then points of 32 bytes.
    let changes: [Change; 2] = [
        |package| package.push(0),
        |package| {
            package[6..38].copy_from_slice(&[0; 32]);
            package[6] = 1;
        },
    ];
    for change in changes {
        let cluster = with_liar(2, 3, |_, _, mut message| {
            if let Body::Round1 { package, .. } = &mut message.body {
                change(package);
            }
            message
        });
        assert_blamed(&cluster, &DkgFault::InvalidPackage { culprit: LIAR });
    }
}

/// Opens the message that the liar sealed for `to`, changes the plaintext and seals it again.
fn reseal(
    cluster: &Cluster,
    to: u16,
    mut message: Message,
    change: impl Fn(&mut [u8]),
    info: [u8; 32],
) -> Message {
    if let Body::Round2 { sealed, .. } = &mut message.body {
        let true_info = cluster.seal_info(LIAR, to);
        let mut plaintext = open(&cluster.sealing(to), &true_info, sealed)
            .unwrap()
            .to_vec();
        change(&mut plaintext);
        let key = &cluster.parameters.member(to).unwrap().sealing_key;
        *sealed = seal(key, &info, &plaintext, &mut rng(5)).unwrap();
    }
    message
}

#[test]
fn a_share_off_the_polynomial_names_its_sender() {
    let cluster = with_liar(2, 3, |cluster, to, message| {
        let info = cluster.seal_info(LIAR, to);
        reseal(
            cluster,
            to,
            message,
            |plaintext| {
                let share = SigningShare::<Ed>::deserialize(&plaintext[..32]).unwrap();
                let wrong = share.to_scalar() + share.to_scalar();
                plaintext[..32].copy_from_slice(&SigningShare::<Ed>::new(wrong).serialize());
            },
            info,
        )
    });
    assert_blamed(&cluster, &DkgFault::InvalidSigningShare { culprit: LIAR });
}

#[test]
fn a_share_beyond_the_group_order_names_its_sender() {
    let cluster = with_liar(2, 3, |cluster, to, message| {
        let info = cluster.seal_info(LIAR, to);
        reseal(
            cluster,
            to,
            message,
            |plaintext| plaintext[..32].fill(0xff),
            info,
        )
    });
    assert_blamed(&cluster, &DkgFault::InvalidSigningShare { culprit: LIAR });
}

#[test]
fn a_chain_code_opening_that_differs_from_its_commitment_names_its_sender() {
    let cluster = with_liar(2, 3, |cluster, to, message| {
        let info = cluster.seal_info(LIAR, to);
        reseal(cluster, to, message, |plaintext| plaintext[40] ^= 1, info)
    });
    assert_blamed(&cluster, &DkgFault::ChainCodeOpening { culprit: LIAR });
}

#[test]
fn a_share_sealed_for_another_direction_or_session_does_not_open() {
    let infos: [fn(&Cluster, u16) -> [u8; 32]; 3] = [
        |cluster, to| cluster.seal_info(to, LIAR),
        |cluster, to| {
            let mut other = Cluster::new(SuiteId::FrostEd25519, 2, 3, 21);
            other.parameters = cluster.parameters.clone();
            other.parameters.session[0] ^= 1;
            other.seal_info(LIAR, to)
        },
        |cluster, to| {
            let mut other = Cluster::new(SuiteId::FrostEd25519, 2, 3, 21);
            other.parameters = cluster.parameters.clone();
            other.parameters.epoch += 1;
            other.seal_info(LIAR, to)
        },
    ];
    for info in infos {
        let cluster = with_liar(2, 3, |cluster, to, message| {
            let info = info(cluster, to);
            reseal(cluster, to, message, |_| {}, info)
        });
        assert_blamed(&cluster, &DkgFault::Unsealable { culprit: LIAR });
    }
}

#[test]
fn a_faulted_session_stays_faulted() {
    let mut cluster = with_liar(2, 3, |_, _, mut message| {
        if let Body::Round1 { package, .. } = &mut message.body {
            package.push(0);
        }
        message
    });
    cluster.faults.clear();
    cluster.input(2, DkgInput::Persisted);
    assert_eq!(
        cluster.faults[&2],
        DkgFault::InvalidPackage { culprit: LIAR }
    );
}
