//! Messages that differ by recipient, are changed on their way, or belong elsewhere.

use super::rounds::{foreign_package, replace_package};
use super::{LIAR, first_from};
use crate::cluster::*;
use strongroom_mpc_core::SuiteId;
use strongroom_mpc_core::dkg::*;

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
    // In each round the liar's second body arrives after its first.
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
            // The changed message is not the one that completes a round: after that one, the phase
            // would be another.
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
    let (old, other_epoch) = (first_from(&old, 1), first_from(&other_epoch, 1));

    let mut cluster = Cluster::new(SuiteId::FrostEd25519, 2, 3, 24);
    let mut oversized = Message::read(&cluster.queue[0].2);
    if let Body::Round1 { package, .. } = &mut oversized.body {
        package.resize(8 * 1024, 0);
    }
    let own = first_from(&cluster, 2);
    let longer = [own.as_slice(), &[0]].concat();

    for (from, bytes, reason) in [
        (1, old, IgnoredReason::OtherSession),
        (1, other_epoch, IgnoredReason::OtherParameters),
        (2, own.clone(), IgnoredReason::OwnMessage),
        (0, own.clone(), IgnoredReason::UnknownSender),
        (4, own.clone(), IgnoredReason::UnknownSender),
        (1, oversized.write(), IgnoredReason::Malformed),
        (1, Vec::new(), IgnoredReason::Malformed),
        (1, longer, IgnoredReason::Malformed),
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
fn a_sealed_message_for_another_participant_is_ignored_and_names_no_culprit() {
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
            .filter(|(_, reason)| *reason == IgnoredReason::OtherRecipient)
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
            // Sealed bytes are one authenticated block, so only some of their positions are
            // changed.
            position += if kind == 2 && position > 110 { 41 } else { 1 };
            if position >= len {
                break;
            }
        }
    }
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
        [
            (1, IgnoredReason::UnknownSender),
            (1, IgnoredReason::BadCertificate)
        ]
    );
    assert!(cluster.outcomes.is_empty());
    use ed25519_dalek::Signer as _;
    let signature = real
        .sign(&certificate_digest(cluster.records[&1].transcript()))
        .to_bytes();
    cluster.input(1, DkgInput::Certificate { from: 2, signature });
    assert_eq!(cluster.outcomes.len(), 1);
}
