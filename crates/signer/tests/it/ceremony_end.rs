//! Ceremonies that end without a key: their life is over, a signer is in quarantine, the key is revoked.

use crate::ceremony::{refusal, shares, start};
use crate::cluster::Cluster;
use strongroom_journal::Body;
use strongroom_journal::state::Lookup as _;
use strongroom_types::{ActBody, Code, Tighten, UnixMs};
use strongroom_wire::frame::AdminRequest;

/// All n hold a share of the key: with one of them in quarantine it would be in hostile hands from
/// the start.
#[test]
fn hole_no_one_makes_a_key_with_a_signer_in_quarantine() {
    let mut cluster = Cluster::new();
    cluster.release_ceremony();
    for index in [1, 2, 3] {
        cluster.to(index, &start(&cluster, 1));
    }
    assert_eq!(cluster.status(2)["ceremonies"], "1");
    cluster.quarantine(1);
    assert_eq!(
        (cluster.status(2)["ceremonies"].as_str(), refusal(&cluster)),
        ("0", Code::InvalidReference),
        "a run under way ends"
    );
    cluster.to(2, &start(&cluster, 2));
    assert_eq!(refusal(&cluster), Code::InvalidReference);
}

#[test]
fn hole_a_quarantine_handed_over_during_a_run_keeps_the_certificate_in() {
    let mut cluster = Cluster::new();
    cluster.release_ceremony();
    for index in [1, 2, 3] {
        cluster.to(index, &start(&cluster, 1));
    }
    let act = cluster.quarantine_act(1);
    let hand = AdminRequest::Hand(act.to_json().to_text());
    let now = cluster.now;
    cluster.signer(2).node().admin(hand, now);
    cluster.relay_all();
    let certified = cluster.certificates().certificates;
    let by: Vec<u16> = certified.iter().map(|(index, _)| *index).collect();
    assert!(!by.contains(&2), "{by:?}");
    assert!(shares(&mut cluster, 2).is_empty());
}

/// Brings the journal close to the end of the released ceremony's life; gives that end.
fn near_the_end(cluster: &mut Cluster) -> UnixMs {
    let tenant = &cluster.world.tenant;
    let key = cluster
        .writer()
        .state()
        .threshold_key(tenant.id, tenant.key);
    let until = key.unwrap().until;
    cluster.now = UnixMs(until.0 - 60_000);
    cluster.wait(0);
    assert_eq!(cluster.writer().tip().at, cluster.now);
    until
}

#[test]
fn hole_after_its_life_no_run_of_a_ceremony_begins_or_goes_on() {
    let mut cluster = Cluster::new();
    cluster.release_ceremony();
    let until = near_the_end(&mut cluster);
    cluster.to(1, &start(&cluster, 1));
    assert_eq!(cluster.status(1)["ceremonies"], "1");
    cluster.now = until;
    cluster.submit(Body::Tick).unwrap();
    assert_eq!(
        (cluster.status(1)["ceremonies"].as_str(), refusal(&cluster)),
        ("0", Code::AuthorityExpired)
    );
    cluster.to(2, &start(&cluster, 2));
    assert_eq!(refusal(&cluster), Code::AuthorityExpired);
}

/// The writer is late with `finished`: by this signer's clock the ceremony is over, by the journal's
/// it is not.
#[test]
fn hole_a_share_is_not_given_up_while_a_back_dated_finished_can_come() {
    let mut cluster = Cluster::new();
    cluster.release_ceremony();
    let finished = cluster.run_ceremony(1);
    let until = near_the_end(&mut cluster);
    cluster.quiet = true;
    cluster.now = until;
    cluster.wait(60_000);
    assert!(cluster.status(1)["fresh"].starts_with("yes"));
    assert_eq!(shares(&mut cluster, 1), [(false, 1)], "by the clock alone");

    // It is not ended by entries either that only this signer may have seen.
    let now = cluster.now;
    cluster.withhold = true;
    let stamp = UnixMs(until.0 - 30_000);
    cluster.back_date(Body::Finished(Box::new(finished)), stamp);
    cluster.submit(Body::Tick).unwrap();
    assert_eq!(shares(&mut cluster, 1), [(false, 1)]);
    cluster.withhold = false;
    let n = cluster.withheld.len();
    cluster.let_through(n);
    assert_eq!(cluster.now, now);
    assert_eq!(shares(&mut cluster, 1), [(true, 1)], "it has its share");
}

#[test]
fn hole_the_share_of_an_ended_ceremony_is_erased_under_a_witnessed_head() {
    let mut cluster = Cluster::new();
    cluster.release_ceremony();
    let finished = cluster.run_ceremony(1);
    let until = near_the_end(&mut cluster);
    cluster.wait(45_000);
    cluster.withhold = true;
    cluster.now = until.plus(20_000);
    cluster.submit(Body::Tick).unwrap();
    assert!(cluster.status(1)["fresh"].starts_with("yes"));
    assert_eq!(
        shares(&mut cluster, 1),
        [(false, 1)],
        "the tip is past it, and no head"
    );
    cluster.withhold = false;
    let n = cluster.withheld.len();
    cluster.let_through(n);
    assert!(shares(&mut cluster, 1).is_empty());
    let refused = cluster.submit(Body::Finished(Box::new(finished)));
    assert_eq!(refused.unwrap_err().code, Code::AuthorityExpired);
}

#[test]
fn the_share_of_a_key_that_was_revoked_unfinished_is_erased() {
    let mut cluster = Cluster::new();
    cluster.release_ceremony();
    cluster.run_ceremony(1);
    assert_eq!(shares(&mut cluster, 1), [(false, 1)]);
    let key = cluster.world.tenant.key;
    let committee = cluster.ledger().committee();
    cluster.act(ActBody::Tighten(Tighten::revoke(key)), &committee);
    assert!(shares(&mut cluster, 1).is_empty());
}

/// Each costs a read of the share and a signature.
#[test]
fn hole_a_certificate_is_repeated_a_bounded_number_of_times_in_a_second() {
    let mut cluster = Cluster::new();
    cluster.release_ceremony();
    cluster.run_ceremony(1);
    let message = start(&cluster, 1);
    let id = cluster.signer_id(1);
    let again = cluster.seal(
        strongroom_wire::Role::Coordinator,
        Some(id),
        &message,
        30_000,
    );
    let give = |cluster: &mut Cluster| {
        let frame = strongroom_wire::frame::ToSigner::Inbox(again.clone());
        cluster.give(id, frame).len() as u64
    };
    let bound = strongroom_signer_core::ANSWERED_PER_SECOND;
    let answers: u64 = (0..bound + 5).map(|_| give(&mut cluster)).sum();
    assert_eq!(answers, bound);
    cluster.now = cluster.now.plus(1_000);
    assert_eq!(give(&mut cluster), 1);
}
