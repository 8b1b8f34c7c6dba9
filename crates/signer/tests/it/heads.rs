//! Heads that no witness has seen: none is skipped, and none costs more than it must.

use crate::cluster::Cluster;
use strongroom_journal::Body;
use strongroom_types::{ActBody, Code, Tighten};
use strongroom_wire::SignerMessage;

/// Questions that signer 1 has put to its journal: one request in one state.
fn asked(cluster: &mut Cluster) -> u64 {
    cluster.status(1)["asked"].parse().unwrap()
}

/// Counted and not timed: a writer can make heads as fast as its disk takes them.
#[test]
fn hole_heads_that_no_witness_has_seen_make_nothing_be_judged_again() {
    let mut cluster = Cluster::ready();
    cluster.withhold = true;
    for n in 0..4 {
        let payment = cluster.authorized(300_000 + n, &[]);
        let request = cluster.request(&payment, &[1, 2]);
        assert!(cluster.ask(1, &request).is_nothing());
    }
    assert_eq!(cluster.status(1)["held"], "4");
    let before = asked(&mut cluster);
    assert_eq!(before, 8, "each at the head and at the tip");

    for _ in 0..60 {
        cluster.submit(Body::Tick).unwrap();
    }
    assert_eq!(asked(&mut cluster), before);

    // A quorum has seen the first of them: each request once more, at the head and at the tip.
    let n = cluster.withheld.len();
    let shares = |cluster: &Cluster| {
        let said = cluster.said.iter();
        said.filter(|(_, said, _)| matches!(said, SignerMessage::Shares { .. }))
            .count()
    };
    cluster.let_through(n);
    assert_eq!(shares(&cluster), 4);
    let between = 60 + 4;
    let most = before + 4 * (2 + between) * 2;
    assert!(asked(&mut cluster) <= most, "{}", asked(&mut cluster));
}

#[test]
fn hole_a_share_waits_while_more_heads_than_can_be_judged_are_not_witnessed() {
    let mut cluster = Cluster::ready();
    let payment = cluster.authorized(300_000, &[]);
    cluster.withhold = true;
    for _ in 0..128 {
        cluster.submit(Body::Tick).unwrap();
    }
    let before = asked(&mut cluster);
    cluster.assert_signs(1, &payment);
    assert_eq!(
        asked(&mut cluster) - before,
        1 + 1 + 127,
        "at the head, at the tip, and at every head between"
    );

    // One more, and nothing is skipped: the share waits.
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
    for _ in 0..129 {
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
