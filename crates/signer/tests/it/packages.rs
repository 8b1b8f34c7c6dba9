//! Nonce commitments and what is signed with them.

use crate::cluster::Cluster;
use crate::coordinator::coin;
use strongroom_types::{Code, KeyId};
use strongroom_wire::frame::{AdminReply, AdminRequest};
use strongroom_wire::{CoordinatorMessage, SignerMessage};
use strongroom_world::FRIEND;

/// Spoils a request.
type Lie = fn(&mut strongroom_wire::SigningRequest);

#[test]
fn the_same_request_gets_the_same_shares_and_another_package_on_a_used_nonce_gets_none() {
    let mut cluster = Cluster::ready();
    let (payment, other) = (
        cluster.authorized(300_000, &[]),
        cluster.authorized(310_000, &[]),
    );
    let request = cluster.request(&payment, &[1, 2]);
    let first = cluster.ask(1, &request).shares();
    assert_eq!(cluster.ask(1, &request).shares(), first);
    let mut reused = cluster.request(&other, &[1, 2]);
    reused.commitments[0][0] = request.commitments[0][0].clone();
    assert_eq!(cluster.ask(1, &reused).code(), Code::NonceUsed);
    let mut other_peer = request.clone();
    other_peer.commitments[0][1] = cluster.request(&payment, &[1, 2]).commitments[0][1].clone();
    assert_eq!(cluster.ask(1, &other_peer).code(), Code::NonceUsed);
    cluster.assert_signs(1, &other);
}

#[test]
fn a_nonce_of_another_process_life_is_unknown() {
    let mut cluster = Cluster::ready();
    let payment = cluster.authorized(300_000, &[]);
    let request = cluster.request(&payment, &[1, 2]);
    let now = cluster.now;
    cluster.signer(1).start(now).unwrap();
    cluster.wait(15_000);
    assert_eq!(cluster.ask(1, &request).code(), Code::CommitmentUnknown);
    let fresh = cluster.request(&payment, &[1, 2]);
    let mut ahead = fresh.clone();
    ahead.commitments[0][0].1.number += 1_000;
    assert_eq!(cluster.ask(1, &ahead).code(), Code::CommitmentUnknown);
    assert_eq!(cluster.ask(1, &fresh).shares().len(), 1);
}

#[test]
fn a_request_that_is_not_well_formed_is_refused_and_burns_no_nonce() {
    let mut cluster = Cluster::ready();
    let mut payment = cluster.payment(900_000);
    payment.built = cluster.build_with(FRIEND, 900_000, &[coin(91, 500_000), coin(92, 500_000)]);
    payment.attempt = cluster.attempt_of(&payment.intent, &payment.built);
    cluster.authorize(&payment, &[]);
    let honest = cluster.request(&payment, &[1, 2]);
    let lies: [(&str, Lie); 9] = [
        ("no commitments", |r| r.commitments.clear()),
        ("a set missing", |r| drop(r.commitments.pop())),
        ("a set more", |r| {
            r.commitments.push(r.commitments[0].clone())
        }),
        ("descending", |r| r.commitments[1].reverse()),
        ("doubled", |r| {
            r.commitments[1] = vec![r.commitments[1][0].clone(), r.commitments[1][0].clone()]
        }),
        ("too few", |r| r.commitments[1].truncate(1)),
        ("not a participant", |r| r.commitments[1][0].0 = 3),
        ("not a point", |r| {
            r.commitments[1][1].1.commitment = vec![1; 66]
        }),
        ("empty", |r| r.commitments[1][1].1.commitment.clear()),
    ];
    for (what, lie) in lies {
        let mut request = honest.clone();
        lie(&mut request);
        let code = cluster.ask(1, &request).code();
        assert!(
            matches!(code, Code::PackageInvalid | Code::CommitmentUnknown),
            "{what}: {code}"
        );
    }
    let mut other_key = honest.clone();
    other_key.key = KeyId([1; 16]);
    assert_eq!(cluster.ask(1, &other_key).code(), Code::PackageInvalid);
    assert_eq!(cluster.ask(1, &honest).shares().len(), 2);
}

#[test]
fn one_nonce_for_two_inputs_is_refused() {
    let mut cluster = Cluster::ready();
    let mut payment = cluster.payment(900_000);
    payment.built = cluster.build_with(FRIEND, 900_000, &[coin(93, 500_000), coin(94, 500_000)]);
    payment.attempt = cluster.attempt_of(&payment.intent, &payment.built);
    cluster.authorize(&payment, &[]);
    let honest = cluster.request(&payment, &[1, 2]);
    let mut request = honest.clone();
    request.commitments[1] = request.commitments[0].clone();
    assert_eq!(cluster.ask(1, &request).code(), Code::NonceUsed);
    assert_eq!(cluster.ask(1, &honest).shares().len(), 2);
}

#[test]
fn commitments_are_made_for_keys_in_use_and_in_bounded_number() {
    let mut cluster = Cluster::ready();
    let (tenant, key) = (cluster.world.tenant.id, cluster.world.tenant.key);
    let refused = |said: Vec<SignerMessage>| match said.as_slice() {
        [SignerMessage::Refused(refusal)] => refusal.code,
        other => panic!("one refusal: {other:?}"),
    };
    for count in [0, 257, u32::MAX] {
        let said = cluster.to(1, &CoordinatorMessage::Prepare { tenant, key, count });
        assert_eq!(refused(said), Code::QuotaExceeded, "{count}");
    }
    let unknown = CoordinatorMessage::Prepare {
        tenant,
        key: KeyId([9; 16]),
        count: 1,
    };
    assert_eq!(refused(cluster.to(1, &unknown)), Code::UnknownKey);
    let made = cluster.prepare(1, 256);
    assert_eq!((made.len(), made[255].commitment.len()), (256, 66));
}

#[test]
fn an_unused_stock_starts_again_under_another_boot() {
    let mut cluster = Cluster::ready();
    let first = cluster.prepare(1, 1)[0].boot;
    for _ in 0..15 {
        assert_eq!(cluster.prepare(1, 256)[0].boot, first);
    }
    assert_ne!(cluster.prepare(1, 256)[0].boot, first);
    cluster.assert_serves(1);
}

/// The other member of the quorum is believed to be in hostile hands; the shares of this one are
/// all that it lacks.
#[test]
fn hole_a_quorum_with_a_quarantined_signer_gets_no_share() {
    let mut cluster = Cluster::ready();
    let payment = cluster.authorized(300_000, &[]);
    let with_two = cluster.request(&payment, &[1, 2]);
    let control = cluster.request(&payment, &[1, 3]);
    cluster.quarantine(2);

    let refused = cluster.ask(1, &with_two);
    assert_eq!(refused.code(), Code::NotReady);
    assert_eq!(cluster.ask(1, &control).shares().len(), 1);
}

/// Not witnessed yet: it counts at this signer all the same.
#[test]
fn quarantine_of_a_peer_counts_before_it_is_witnessed() {
    let mut cluster = Cluster::ready();
    let payment = cluster.authorized(300_000, &[]);
    let with_two = cluster.request(&payment, &[1, 2]);
    cluster.withhold = true;
    cluster.quarantine(2);
    assert_eq!(cluster.ask(1, &with_two).code(), Code::NotReady);
}

/// The writer keeps the act back; it was handed to this signer directly.
#[test]
fn quarantine_of_a_peer_counts_once_it_is_handed_over() {
    let mut cluster = Cluster::ready();
    let payment = cluster.authorized(300_000, &[]);
    let with_two = cluster.request(&payment, &[1, 2]);
    let control = cluster.request(&payment, &[1, 3]);
    let (act, now) = (cluster.quarantine_act(2).to_json().to_text(), cluster.now);
    let reply = cluster.signer(1).node().admin(AdminRequest::Hand(act), now);
    assert_eq!(reply, AdminReply::Done);

    assert_eq!(cluster.ask(1, &with_two).code(), Code::NotReady);
    assert_eq!(cluster.ask(1, &control).shares().len(), 1);
}
