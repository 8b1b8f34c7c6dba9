//! Honest key generation.

use crate::cluster::*;
use rand_core::RngCore;
use std::collections::BTreeSet;
use strongroom_mpc_core::dkg::*;
use strongroom_mpc_core::seal::SealingSecret;
use strongroom_mpc_core::{KeyShareRecord, SuiteId};

fn assert_one_key(cluster: &Cluster, n: usize) {
    assert!(cluster.faults.is_empty(), "{:?}", cluster.faults);
    assert_eq!(cluster.outcomes.len(), n);
    let transcripts: BTreeSet<_> = cluster
        .outcomes
        .values()
        .map(|outcome| outcome.transcript)
        .collect();
    assert_eq!(transcripts.len(), 1);
    let first = &cluster.outcomes[&1];
    assert!(cluster.outcomes.values().all(|outcome| outcome == first));
    assert_eq!(first.certificates.len(), n);
    assert_eq!(verify_outcome(&cluster.parameters, first), Ok(()));
    for member in &cluster.parameters.roster {
        let signature = &first.certificates[&member.index];
        assert!(verify_certificate(
            &member.signing_key,
            &first.transcript,
            signature
        ));
        assert!(!verify_certificate(
            &member.signing_key,
            &[0; 32],
            signature
        ));
    }
}

#[test]
fn all_signers_agree_on_one_certified_key_in_every_suite() {
    for suite in SUITES {
        for (t, n) in [(2, 2), (2, 3), (3, 5)] {
            assert_one_key(&Cluster::new(suite, t, n, 1).run(), n.into());
        }
    }
}

#[test]
fn eighteen_of_twenty_four_make_a_key() {
    assert_one_key(
        &Cluster::new(SuiteId::FrostSecp256k1Tr, 18, 24, 2).run(),
        24,
    );
}

#[test]
fn messages_may_arrive_in_any_order() {
    for seed in 0..8 {
        let mut cluster = Cluster::new(SuiteId::FrostEd25519, 2, 4, seed);
        let mut order = rng(1000 + seed);
        while !cluster.queue.is_empty() {
            let pick = order.next_u32() as usize % cluster.queue.len();
            let (from, to, bytes) = cluster.queue.remove(pick).unwrap();
            cluster.input(to, DkgInput::Received { from, bytes });
        }
        assert_one_key(&cluster, 4);
    }
}

#[test]
fn every_message_delivered_twice_changes_nothing() {
    let mut cluster = Cluster::new(SuiteId::FrostSecp256k1, 2, 3, 3);
    cluster.run_with(|_, d| vec![d.bytes.to_vec(), d.bytes.to_vec()]);
    assert_one_key(&cluster, 3);
    assert!(
        cluster
            .ignored
            .iter()
            .any(|(_, reason)| *reason == IgnoredReason::Duplicate)
    );
}

#[test]
fn nothing_is_certified_before_the_share_is_persisted() {
    let cluster = Cluster::new(SuiteId::FrostSecp256k1Tr, 2, 3, 4).run();
    for index in 1..=3 {
        let of_one: Vec<_> = cluster
            .log
            .iter()
            .filter(|(me, _)| *me == index)
            .map(|(_, what)| *what)
            .collect();
        assert_eq!(of_one, ["persist", "done"]);
    }
    // Without `Persisted` the machine does not continue, and no transcript is handed out.
    let mut cluster = Cluster::new(SuiteId::FrostSecp256k1Tr, 2, 2, 4);
    let mut effects = Vec::new();
    while let Some((from, to, bytes)) = cluster.queue.pop_front() {
        if to == 1 {
            let session = cluster.sessions.get_mut(&1).unwrap();
            let new = session
                .step(DkgInput::Received { from, bytes }, &mut rng(5))
                .unwrap();
            for effect in &new {
                match effect {
                    DkgEffect::Broadcast(bytes) => cluster.queue.push_back((1, 2, bytes.clone())),
                    DkgEffect::Send { to, bytes } => {
                        cluster.queue.push_back((1, *to, bytes.clone()))
                    }
                    _ => {}
                }
            }
            effects.extend(new);
        } else {
            cluster.input(to, DkgInput::Received { from, bytes });
        }
    }
    assert!(
        effects
            .iter()
            .any(|effect| matches!(effect, DkgEffect::Persist(_)))
    );
    assert!(
        !effects
            .iter()
            .any(|effect| matches!(effect, DkgEffect::Done { .. }))
    );
}

#[test]
fn persisted_without_a_pending_share_is_ignored() {
    let mut cluster = Cluster::new(SuiteId::FrostEd25519, 2, 2, 5);
    cluster.input(1, DkgInput::Persisted);
    assert_eq!(cluster.ignored, [(1, IgnoredReason::NothingToPersist)]);
    assert_one_key(&cluster.run(), 2);
}

#[test]
fn one_missing_certificate_keeps_the_session_open() {
    let mut cluster = Cluster::new(SuiteId::FrostEd25519, 2, 3, 6);
    let silent = cluster.keys[&3].clone();
    // Signer 3 certifies with a key that is not the roster's.
    cluster
        .keys
        .insert(3, ed25519_dalek::SigningKey::from_bytes(&[9; 32]));
    cluster.run_with(|_, d| vec![d.bytes.to_vec()]);
    assert!(cluster.outcomes.is_empty() && cluster.faults.is_empty());
    assert_eq!(cluster.records.len(), 3);
    let transcript = *cluster.records[&1].transcript();
    use ed25519_dalek::Signer as _;
    let signature = silent.sign(&certificate_digest(&transcript)).to_bytes();
    cluster.input(1, DkgInput::Certificate { from: 3, signature });
    assert_eq!(cluster.outcomes.len(), 1);
}

#[test]
fn a_restarted_signer_certifies_again_from_its_stored_share() {
    let cluster = Cluster::new(SuiteId::FrostSecp256k1Tr, 2, 3, 7).run();
    let stored = cluster.records[&2].to_secret_bytes();
    let record = KeyShareRecord::from_secret_bytes(&stored).unwrap();
    let (mut session, effects) =
        DkgSession::resume(cluster.parameters.clone(), cluster.sealing(2), &record).unwrap();
    let transcript = cluster.outcomes[&1].transcript;
    assert!(
        matches!(effects.as_slice(), [DkgEffect::Done { transcript: same }] if *same == transcript)
    );
    let mut last = Vec::new();
    for (from, signature) in &cluster.outcomes[&1].certificates {
        let input = DkgInput::Certificate {
            from: *from,
            signature: *signature,
        };
        last = session.step(input, &mut rng(1)).unwrap();
    }
    assert!(
        matches!(last.as_slice(), [DkgEffect::Finished(outcome)] if **outcome == cluster.outcomes[&1])
    );
    let mut other = cluster.parameters.clone();
    other.epoch = 2;
    assert!(DkgSession::resume(other, cluster.sealing(2), &record).is_err());
}

#[test]
fn a_published_ceremony_with_another_key_share_chain_code_or_certificate_is_refused() {
    for suite in SUITES {
        let cluster = Cluster::new(suite, 2, 3, 14).run();
        let other = Cluster::new(suite, 2, 3, 15).run().outcomes[&1].clone();
        type Change = fn(&mut DkgOutcome, &DkgOutcome);
        let changes: [(Change, OutcomeFault); 11] = [
            (
                |o, other| o.public.group_key = other.public.group_key.clone(),
                OutcomeFault::Transcript,
            ),
            (
                |o, other| o.public.verifying_shares = other.public.verifying_shares.clone(),
                OutcomeFault::Transcript,
            ),
            (|o, _| o.public.chain_code[0] ^= 1, OutcomeFault::Transcript),
            (|o, _| o.round1_hash[0] ^= 1, OutcomeFault::Transcript),
            (|o, _| o.transcript[0] ^= 1, OutcomeFault::Transcript),
            (|o, _| o.public.epoch += 1, OutcomeFault::OtherKey),
            (|o, _| o.public.min_signers += 1, OutcomeFault::OtherKey),
            (|o, _| o.public.key_id.push(0), OutcomeFault::OtherKey),
            (
                |o, _| drop(o.public.verifying_shares.remove(&3)),
                OutcomeFault::OtherKey,
            ),
            (
                |o, other| o.certificates.extend([(2, other.certificates[&2])]),
                OutcomeFault::Certificate(2),
            ),
            (
                |o, other| o.certificates.extend([(4, other.certificates[&2])]),
                OutcomeFault::Strangers,
            ),
        ];
        for (change, expected) in changes {
            let mut outcome = cluster.outcomes[&1].clone();
            assert_eq!(verify_outcome(&cluster.parameters, &outcome), Ok(()));
            change(&mut outcome, &other);
            assert_eq!(verify_outcome(&cluster.parameters, &outcome), Err(expected));
        }
        let mut outcome = cluster.outcomes[&1].clone();
        outcome.certificates.remove(&3);
        assert_eq!(
            verify_outcome(&cluster.parameters, &outcome),
            Err(OutcomeFault::Certificate(3))
        );
        let mut parameters = cluster.parameters.clone();
        parameters.genesis[0] ^= 1;
        assert_eq!(
            verify_outcome(&parameters, &cluster.outcomes[&1]),
            Err(OutcomeFault::Transcript)
        );
    }
}

#[test]
fn no_share_is_dealt_before_every_echo_is_there() {
    let mut cluster = Cluster::new(SuiteId::FrostEd25519, 2, 3, 16);
    let (mut withheld, mut dealt) = (None, 0);
    cluster.run_with(|_, delivery| {
        let body = Message::read(delivery.bytes).body;
        if delivery.from == 2 && matches!(body, Body::Round2 { .. }) {
            dealt += 1;
        }
        if (delivery.from, delivery.to) == (3, 2) && matches!(body, Body::Echo(_)) {
            withheld = Some(delivery.bytes.to_vec());
            return Vec::new();
        }
        vec![delivery.bytes.to_vec()]
    });
    assert_eq!((dealt, cluster.outcomes.len()), (0, 0));
    cluster.input(
        2,
        DkgInput::Received {
            from: 3,
            bytes: withheld.unwrap(),
        },
    );
    assert_one_key(&cluster.run(), 3);
}

#[test]
fn every_parameter_changes_the_context() {
    let base = Cluster::new(SuiteId::FrostEd25519, 2, 3, 8).parameters;
    let mut seen = BTreeSet::from([base.context()]);
    let changes: [fn(&mut DkgParameters); 8] = [
        |p| p.suite = SuiteId::FrostSecp256k1,
        |p| p.session[0] ^= 1,
        |p| p.genesis[0] ^= 1,
        |p| p.key_id.push(0),
        |p| p.epoch += 1,
        |p| p.min_signers += 1,
        |p| p.roster[0].signing_key[0] ^= 1,
        |p| p.roster[2].index += 1,
    ];
    for change in changes {
        let mut parameters = base.clone();
        change(&mut parameters);
        assert!(seen.insert(parameters.context()));
    }
}

#[test]
fn bad_parameters_are_refused_before_anything_is_sent() {
    let base = Cluster::new(SuiteId::FrostEd25519, 2, 3, 9);
    let changes: [fn(&mut DkgParameters); 9] = [
        |p| p.min_signers = 1,
        |p| p.min_signers = 4,
        |p| p.roster[0].index = 0,
        |p| p.roster[1].index = 1,
        |p| p.roster.swap(0, 1),
        |p| p.roster[1].signing_key = p.roster[0].signing_key,
        |p| p.roster[1].sealing_key = p.roster[0].sealing_key.clone(),
        |p| p.roster[1].sealing_key.truncate(1215),
        |p| p.key_id = vec![0; 129],
    ];
    for change in changes {
        let mut parameters = base.parameters.clone();
        change(&mut parameters);
        let refused = DkgSession::start(parameters, 1, base.sealing(1), &mut rng(1));
        assert!(matches!(refused, Err(DkgFault::Parameters(_))));
    }
    let stranger = DkgSession::start(base.parameters.clone(), 4, base.sealing(1), &mut rng(1));
    assert_eq!(
        stranger.unwrap_err(),
        DkgFault::Parameters("not a member of the roster")
    );
    let mut zero = base.parameters.clone();
    zero.roster[0].index = 0;
    let refused = DkgSession::start(zero, 2, base.sealing(2), &mut rng(1)).unwrap_err();
    assert_eq!(
        refused,
        DkgFault::Parameters("roster indices must be non-zero and strictly ascending")
    );
    let wrong_secret = DkgSession::start(base.parameters.clone(), 1, base.sealing(2), &mut rng(1));
    assert!(matches!(wrong_secret, Err(DkgFault::Parameters(_))));
}

/// Key generation is quadratic in the roster.
#[test]
fn a_roster_has_sixty_four_members_at_most() {
    let base = Cluster::new(SuiteId::FrostEd25519, 2, 3, 9);
    let mut parameters = base.parameters.clone();
    parameters.roster.extend((4..=65).map(|index| {
        RosterMember {
            index,
            signing_key: [index as u8; 32],
            sealing_key: SealingSecret::from_bytes(&[index as u8; 32])
                .public_key()
                .unwrap(),
        }
    }));
    let start = |parameters| DkgSession::start(parameters, 1, base.sealing(1), &mut rng(1));
    assert_eq!(
        start(parameters.clone()).unwrap_err(),
        DkgFault::Parameters("roster too large")
    );
    parameters.roster.pop();
    assert!(start(parameters).is_ok());
}

/// Signers keep messages of runs that they have not begun, up to `ROUND1_LEN_MAX` bytes each.
#[test]
fn the_longest_message_of_round_1_is_within_its_bound() {
    use strongroom_mpc_core::dkg::{DkgEffect, DkgSession, ROUND1_LEN_MAX};
    for suite in [
        SuiteId::FrostSecp256k1Tr,
        SuiteId::FrostSecp256k1,
        SuiteId::FrostEd25519,
    ] {
        let parameters = Cluster::new(suite, 64, 64, 1).parameters;
        let sealing = Cluster::new(suite, 64, 64, 1).sealing(1);
        let (_, effects) = DkgSession::start(parameters, 1, sealing, &mut rng(1)).unwrap();
        let DkgEffect::Broadcast(bytes) = &effects[0] else {
            panic!("round 1 is a broadcast")
        };
        assert!(bytes.len() <= ROUND1_LEN_MAX, "{}", bytes.len());
        assert!(bytes.len() > ROUND1_LEN_MAX / 2, "and is not far from it");
    }
}
