//! Heads that no witness has seen: none is skipped, and none costs more than it must.

use crate::cluster::Cluster;
use strongroom_journal::Body;
use strongroom_types::{ActBody, Code, KeyId, Tighten};
use strongroom_wire::{CoordinatorMessage, SignerMessage};

/// Questions that signer 1 has put to its journal: one request in one state, or all key shares at one
/// head.
fn asked(cluster: &mut Cluster) -> u64 {
    cluster.status(1)["asked"].parse().unwrap()
}

/// Counted and not timed: a writer can make heads as fast as its disk takes them.
#[test]
fn hole_heads_that_no_witness_has_seen_make_nothing_be_judged_again() {
    let mut cluster = Cluster::ready();
    cluster.withhold = true;
    let start = asked(&mut cluster);
    for n in 0..4 {
        let payment = cluster.authorized(300_000 + n, &[]);
        let request = cluster.request(&payment, &[1, 2]);
        assert!(cluster.ask(1, &request).is_nothing());
    }
    assert_eq!(cluster.status(1)["held"], "4");
    let before = asked(&mut cluster);
    assert_eq!(before - start, 8, "each at the head and at the tip");

    for _ in 0..60 {
        cluster.submit(Body::Tick).unwrap();
    }
    assert_eq!(asked(&mut cluster), before);

    // A quorum has seen the first of them, so each request is judged once more, at the head and at
    // the tip.
    let n = cluster.withheld.len();
    let shares = |cluster: &Cluster| {
        let said = cluster.said.iter();
        said.filter(|(_, said, _)| matches!(said, SignerMessage::Shares { .. }))
            .count()
    };
    cluster.let_through(n);
    assert_eq!(shares(&cluster), 4);
    let between = 60 + 4;
    let most = before + 4 * (2 + between) * 2 + between;
    assert!(asked(&mut cluster) <= most, "{}", asked(&mut cluster));
}

#[test]
fn hole_a_share_waits_while_more_heads_than_can_be_judged_are_not_witnessed() {
    let mut cluster = Cluster::ready();
    let payment = cluster.authorized(300_000, &[]);
    cluster.withhold = true;
    for _ in 0..256 {
        cluster.submit(Body::Tick).unwrap();
    }
    let before = asked(&mut cluster);
    cluster.assert_signs(1, &payment);
    assert_eq!(
        asked(&mut cluster) - before,
        1 + 1 + 255,
        "at the head, at the tip, and at every head between"
    );

    // With one head more nothing is skipped: the share waits.
    cluster.submit(Body::Tick).unwrap();
    let request = cluster.request(&payment, &[1, 2]);
    let before = asked(&mut cluster);
    assert!(cluster.ask(1, &request).is_nothing());
    assert_eq!(asked(&mut cluster), before);
    cluster.withhold = false;
    let n = cluster.withheld.len();
    let from = cluster.said.len();
    cluster.let_through(n);
    let shared = cluster.said[from..].iter();
    let mut shared = shared.filter(|(_, said, _)| matches!(said, SignerMessage::Shares { .. }));
    assert!(shared.next().is_some());
}

#[test]
fn too_many_heads_without_witnesses_are_named_in_the_refusal() {
    let mut cluster = Cluster::ready();
    let payment = cluster.authorized(300_000, &[]);
    cluster.withhold = true;
    for _ in 0..257 {
        cluster.submit(Body::Tick).unwrap();
    }
    let request = cluster.request(&payment, &[1, 2]);
    assert!(cluster.ask(1, &request).is_nothing());
    cluster.quiet = true;
    cluster.wait(30_000);
    assert_eq!(cluster.status(1)["refused_not_ready"], "1");
}

/// Its quorum's cosignatures have not reached this signer: at its tip the stop is undone already.
#[test]
fn a_stop_behind_its_own_resume_counts_at_the_head_in_between() {
    let mut cluster = Cluster::ready();
    let payment = cluster.authorized(300_000, &[]);
    let id = cluster.signer_id(1);
    cluster.cut_off.insert(id);
    cluster.tighten(Tighten::Stop);
    let who = cluster.ledger().admins();
    cluster.act(ActBody::Resume, &who);
    cluster.cut_off.clear();
    cluster.withhold = true;
    cluster.pump();
    let request = cluster.request(&payment, &[1, 2]);
    assert_eq!(cluster.ask(1, &request).code(), Code::TenantStopped);
    cluster.withhold = false;
    cluster.wait(15_000);
    cluster.assert_signs(1, &payment);
}

/// A release may still come, so the request waits; only another fresh head can bring it.
#[test]
fn a_ceremony_that_waits_is_asked_once_per_fresh_head() {
    let mut cluster = Cluster::ready();
    let ceremony = CoordinatorMessage::Ceremony {
        tenant: cluster.world.tenant.id,
        key: KeyId([9; 16]),
        run: 1,
    };
    let before = asked(&mut cluster);
    assert!(cluster.to(1, &ceremony).is_empty());
    assert_eq!(asked(&mut cluster) - before, 1);
    cluster.withhold = true;
    for _ in 0..10 {
        cluster.submit(Body::Tick).unwrap();
    }
    assert_eq!(asked(&mut cluster) - before, 1);
    cluster.withhold = false;
    let n = cluster.withheld.len();
    cluster.let_through(n);
    let heads = 10;
    assert!((3..=1 + 2 * heads).contains(&(asked(&mut cluster) - before)));
}

/// Witnesses cosign a quiet journal again and again.
#[test]
fn a_head_that_is_cosigned_again_is_acted_upon_once() {
    let mut cluster = Cluster::ready();
    let before = asked(&mut cluster);
    for _ in 0..4 {
        cluster.wait(15_000);
    }
    assert_eq!(asked(&mut cluster), before);
    cluster.submit(Body::Tick).unwrap();
    assert_eq!(asked(&mut cluster), before + 1);
}
