//! One hostile roster member, or a hostile relay.

use crate::cluster::*;
use borsh::{BorshDeserialize, BorshSerialize};
use frost_core::keys::SigningShare;
use frost_core::keys::dkg::{part1, round1};
use frost_ed25519::Ed25519Sha512 as Ed;
use std::collections::BTreeMap;
use strongroom_mpc_core::SuiteId;
use strongroom_mpc_core::dkg::*;
use strongroom_mpc_core::seal::{open, seal};

const LIAR: u16 = 1;

#[derive(Clone, BorshSerialize, BorshDeserialize)]
struct Round1(Vec<u8>, [u8; 32]);

/// Runs with signer 1's messages rewritten; its echoes agree with what it told the others.
fn with_liar(
    t: u16,
    n: u16,
    mut rewrite: impl FnMut(&Cluster, u16, Message) -> Message,
) -> Cluster {
    let mut cluster = Cluster::new(SuiteId::FrostEd25519, t, n, 21);
    let mut told: BTreeMap<u16, Round1> = BTreeMap::new();
    cluster.run_with(|cluster, delivery| {
        let mut message = Message::read(delivery.bytes);
        if delivery.from == LIAR {
            message = rewrite(cluster, delivery.to, message);
            if let Body::Echo(hash) = &mut message.body {
                let all = borsh::to_vec(&told).unwrap();
                *hash = digest(
                    "strongroom/dkg-round-1/v1",
                    &[&cluster.parameters.context(), &all],
                );
            }
        }
        if let Body::Round1 {
            package,
            chain_code_commitment,
        } = &message.body
            && (delivery.from == LIAR || delivery.to != LIAR)
        {
            told.insert(
                delivery.from,
                Round1(package.clone(), *chain_code_commitment),
            );
        }
        vec![message.write()]
    });
    cluster
}

/// No key anywhere, and every honest signer that faulted names exactly the liar.
fn assert_blamed(cluster: &Cluster, expected: &DkgFault) {
    assert!(cluster.outcomes.is_empty());
    let honest: Vec<_> = cluster
        .faults
        .iter()
        .filter(|(index, _)| **index != LIAR)
        .collect();
    assert!(!honest.is_empty());
    for (index, fault) in honest {
        assert_eq!(
            (fault, fault.culprits()),
            (expected, vec![LIAR]),
            "at signer {index}"
        );
    }
}

fn foreign_package(t: u16, n: u16, seed: u64) -> (round1::SecretPackage<Ed>, round1::Package<Ed>) {
    part1::<Ed, _>(LIAR.try_into().unwrap(), n, t, rng(seed)).unwrap()
}

fn replace_package(message: &mut Message, new: &round1::Package<Ed>) {
    if let Body::Round1 { package, .. } = &mut message.body {
        *package = new.serialize().unwrap();
    }
}

#[test]
fn a_faithful_rewriter_still_gets_a_key() {
    let cluster = with_liar(2, 3, |_, _, message| message);
    assert_eq!(cluster.outcomes.len(), 3);
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
    let stolen = honest
        .queue
        .iter()
        .find(|(from, _, _)| *from == 2)
        .unwrap()
        .2
        .clone();
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
    // Package bytes: 5 of header, 1 of count, then points of 32 bytes.
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

/// Opens what the liar sealed for `to`, changes the plaintext, seals it again.
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
fn two_packages_to_two_peers_are_found_by_the_echo() {
    let (_, other) = foreign_package(2, 3, 3);
    let mut cluster = Cluster::new(SuiteId::FrostEd25519, 2, 3, 22);
    cluster.run_with(|_, delivery| {
        let mut message = Message::read(delivery.bytes);
        if delivery.from == LIAR && delivery.to == 3 {
            replace_package(&mut message, &other);
        }
        vec![message.write()]
    });
    assert!(cluster.outcomes.is_empty() && cluster.records.is_empty());
    assert_eq!(
        cluster.faults[&2],
        DkgFault::Equivocation { culprits: vec![] }
    );
    assert_eq!(
        cluster.faults[&3],
        DkgFault::Equivocation { culprits: vec![] }
    );
    assert!(cluster.faults[&2].culprits().is_empty());
}

#[test]
fn two_different_messages_of_one_round_to_one_peer_name_their_sender() {
    // In each round: the second body arrives after the first.
    for round in 0..3 {
        let mut cluster = Cluster::new(SuiteId::FrostEd25519, 2, 3, 23);
        cluster.run_with(|cluster, delivery| {
            let mut out = vec![delivery.bytes.to_vec()];
            let mut message = Message::read(delivery.bytes);
            let this = match &mut message.body {
                Body::Round1 {
                    chain_code_commitment,
                    ..
                } => {
                    chain_code_commitment[0] ^= 1;
                    0
                }
                Body::Echo(hash) => {
                    hash[0] ^= 1;
                    1
                }
                Body::Round2 { sealed, .. } => {
                    sealed.ciphertext[0] ^= 1;
                    2
                }
            };
            // Not the message that completes a round: after it the answer would be a later round's.
            let early =
                cluster.parameters.roster.len() == 3 && delivery.from == LIAR && delivery.to == 2;
            if early && this == round {
                out.push(message.write());
            }
            out
        });
        assert_eq!(
            cluster.faults[&2],
            DkgFault::Equivocation {
                culprits: vec![LIAR]
            },
            "round {round}"
        );
        assert!(cluster.outcomes.is_empty());
    }
}

#[test]
fn messages_of_other_sessions_epochs_and_senders_are_ignored_and_abort_nothing() {
    let old = Cluster::with(SuiteId::FrostEd25519, 2, 3, 24, |p| p.session[0] ^= 1);
    let other_epoch = Cluster::with(SuiteId::FrostEd25519, 2, 3, 24, |p| p.epoch += 1);
    let old = old
        .queue
        .iter()
        .find(|(from, to, _)| (*from, *to) == (1, 2))
        .unwrap()
        .2
        .clone();
    let other_epoch = other_epoch
        .queue
        .iter()
        .find(|(from, to, _)| (*from, *to) == (1, 2))
        .unwrap()
        .2
        .clone();
    let mut cluster = Cluster::new(SuiteId::FrostEd25519, 2, 3, 24);
    let mut oversized = Message::read(&cluster.queue[0].2);
    if let Body::Round1 { package, .. } = &mut oversized.body {
        package.resize(8 * 1024, 0);
    }
    let mut own = cluster
        .queue
        .iter()
        .find(|(from, _, _)| *from == 2)
        .unwrap()
        .2
        .clone();
    for (from, bytes, reason) in [
        (1, old, Ignored::OtherSession),
        (1, other_epoch, Ignored::OtherParameters),
        (2, own.clone(), Ignored::OwnMessage),
        (0, own.clone(), Ignored::UnknownSender),
        (4, own.clone(), Ignored::UnknownSender),
        (1, oversized.write(), Ignored::Malformed),
        (1, Vec::new(), Ignored::Malformed),
        (
            1,
            {
                own.push(0);
                own
            },
            Ignored::Malformed,
        ),
    ] {
        cluster.ignored.clear();
        cluster.input(2, DkgInput::Received { from, bytes });
        assert_eq!(cluster.ignored, [(2, reason)]);
    }
    cluster.ignored.clear();
    cluster.run_with(|_, delivery| vec![delivery.bytes.to_vec()]);
    assert_eq!(cluster.outcomes.len(), 3);
    assert!(cluster.faults.is_empty());
}

#[test]
fn a_sealed_message_for_somebody_else_is_ignored_and_blames_nobody() {
    let mut cluster = Cluster::new(SuiteId::FrostEd25519, 2, 3, 25);
    let mut misrouted = Vec::new();
    cluster.run_with(|_, delivery| {
        if delivery.from == 1 && matches!(Message::read(delivery.bytes).body, Body::Round2 { .. }) {
            misrouted.push((delivery.to, delivery.bytes.to_vec()));
            return Vec::new();
        }
        vec![delivery.bytes.to_vec()]
    });
    for (to, bytes) in &misrouted {
        let wrong = if *to == 2 { 3 } else { 2 };
        cluster.input(
            wrong,
            DkgInput::Received {
                from: 1,
                bytes: bytes.clone(),
            },
        );
    }
    assert_eq!(
        cluster
            .ignored
            .iter()
            .filter(|(_, reason)| *reason == Ignored::OtherRecipient)
            .count(),
        2
    );
    for (to, bytes) in misrouted {
        cluster.input(to, DkgInput::Received { from: 1, bytes });
    }
    assert_eq!(cluster.outcomes.len(), 3);
}

#[test]
fn a_flipped_byte_in_any_message_gives_no_key() {
    for kind in 0..3_usize {
        let mut position = 0;
        loop {
            let mut cluster = Cluster::new(SuiteId::FrostEd25519, 2, 2, 26);
            let mut len = 0;
            cluster.run_with(|_, delivery| {
                let mut bytes = delivery.bytes.to_vec();
                let this = match Message::read(&bytes).body {
                    Body::Round1 { .. } => 0,
                    Body::Echo(_) => 1,
                    Body::Round2 { .. } => 2,
                };
                if this == kind && delivery.from == LIAR {
                    len = bytes.len();
                    bytes[position] ^= 0x01;
                }
                vec![bytes]
            });
            assert!(
                cluster.outcomes.is_empty(),
                "message {kind}, byte {position}"
            );
            assert!(
                !cluster.records.contains_key(&2),
                "message {kind}, byte {position}"
            );
            // Sealed bytes are one authenticated block: sample them.
            position += if kind == 2 && position > 110 { 41 } else { 1 };
            if position >= len {
                break;
            }
        }
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

#[test]
fn certificates_of_strangers_and_forgeries_are_ignored() {
    let mut cluster = Cluster::new(SuiteId::FrostEd25519, 2, 2, 27);
    let real = cluster.keys[&2].clone();
    cluster
        .keys
        .insert(2, ed25519_dalek::SigningKey::from_bytes(&[1; 32]));
    cluster.run_with(|_, delivery| vec![delivery.bytes.to_vec()]);
    cluster.ignored.clear();
    cluster.input(
        1,
        DkgInput::Certificate {
            from: 9,
            signature: [0; 64],
        },
    );
    cluster.input(
        1,
        DkgInput::Certificate {
            from: 2,
            signature: [0; 64],
        },
    );
    assert_eq!(
        cluster.ignored,
        [(1, Ignored::UnknownSender), (1, Ignored::BadCertificate)]
    );
    assert!(cluster.outcomes.is_empty());
    use ed25519_dalek::Signer as _;
    let signature = real
        .sign(&certificate_digest(cluster.records[&1].transcript()))
        .to_bytes();
    cluster.input(1, DkgInput::Certificate { from: 2, signature });
    assert_eq!(cluster.outcomes.len(), 1);
}
