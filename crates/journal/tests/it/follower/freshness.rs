//! Clocks: while a quorum cosigned lately, the head is fresh.

use super::{code, follower};
use crate::writer::proposal;
use strongroom_journal::Body;
use strongroom_journal::writer::Orderer;
use strongroom_types::{ActBody, Code, UnixMs};
use strongroom_world::small::*;

#[test]
fn a_head_is_fresh_only_while_the_same_quorum_cosigned_lately() {
    let (mut log, mut replica) = (log(), follower());
    replica.append(&log.tick(START)).unwrap();
    cosign_tip(&mut replica, &[1, 2, 3, 4], START);
    assert!(replica.fresh(at(60_000)).is_ok());
    assert_eq!(code(replica.fresh(at(60_001))), Code::JournalStale);
    cosign_tip(&mut replica, &[1, 2], at(50_000));
    assert_eq!(
        code(replica.fresh(at(61_000))),
        Code::JournalStale,
        "two fresh of three needed"
    );
    cosign_tip(&mut replica, &[3], at(50_000));
    assert!(replica.fresh(at(61_000)).is_ok());
}

#[test]
fn a_cosignature_from_the_future_does_not_count() {
    let (mut log, mut replica) = (log(), follower());
    replica.append(&log.tick(START)).unwrap();
    let body = replica.tip().body.clone();
    cosign_tip(&mut replica, &[1, 2], START);
    replica
        .cosignature(node(4), &cosignature(4, &body, at(6000)), START)
        .unwrap();
    assert_eq!(code(replica.fresh(START)), Code::JournalStale);
    replica
        .cosignature(node(4), &cosignature(4, &body, at(5000)), START)
        .unwrap();
    assert!(
        replica.fresh(START).is_ok(),
        "within the skew, and it replaces the implausible one"
    );
}

#[test]
fn a_clock_that_is_slower_than_most_witnesses_refuses() {
    let (mut log, mut replica) = (log(), follower());
    replica.append(&log.tick(START)).unwrap();
    let body = replica.tip().body.clone();
    for n in 1..=3 {
        replica
            .cosignature(node(n), &cosignature(n, &body, at(6000)), START)
            .unwrap();
    }
    cosign_tip(&mut replica, &[4], START);
    assert_eq!(code(replica.fresh(START)), Code::ClockSkew);
}

#[test]
fn a_clock_that_is_faster_than_most_witnesses_refuses() {
    let (mut log, mut replica) = (log(), follower());
    replica.append(&log.tick(START)).unwrap();
    let body = replica.tip().body.clone();
    for n in 1..=3 {
        replica
            .cosignature(node(n), &cosignature(n, &body, START), at(6000))
            .unwrap();
    }
    cosign_tip(&mut replica, &[4], at(6000));
    assert_eq!(code(replica.fresh(at(6000))), Code::ClockSkew);
    let mut in_time = follower();
    in_time.append(&log.batches[0]).unwrap();

    // A cosignature is dated in whole seconds, so it may be a second younger than it says.
    for n in 1..=3 {
        in_time
            .cosignature(node(n), &cosignature(n, &body, START), at(5999))
            .unwrap();
    }
    assert!(in_time.fresh(at(5999)).is_ok());
}

#[test]
fn one_witness_with_a_wrong_clock_does_not_stop_the_replica() {
    let (mut log, mut replica) = (log(), follower());
    replica.append(&log.tick(START)).unwrap();
    let body = replica.tip().body.clone();
    cosign_tip(&mut replica, &[1, 2, 3], START);
    replica
        .cosignature(node(4), &cosignature(4, &body, at(9_000_000)), START)
        .unwrap();
    assert!(replica.fresh(START).is_ok());
}

/// Two of four are not most: one witness may lie while the link of another is slow.
#[test]
fn half_of_the_witnesses_do_not_stop_the_replica_as_one_with_a_wrong_clock() {
    let (mut log, mut replica) = (log(), follower());
    replica.append(&log.tick(START)).unwrap();
    let body = replica.tip().body.clone();
    cosign_tip(&mut replica, &[1, 2], START);
    for (n, dated) in [(3, START), (4, UnixMs(START.0 - 3_600_000))] {
        replica
            .cosignature(node(n), &cosignature(n, &body, dated), at(6000))
            .unwrap();
    }
    assert!(replica.fresh(at(6000)).is_ok());

    // Two of four from the future are too few for a quorum without them, which is another reason.
    let mut other = follower();
    other.append(&log.batches[0]).unwrap();
    cosign_tip(&mut other, &[1, 2], START);
    for n in [3, 4] {
        other
            .cosignature(node(n), &cosignature(n, &body, at(9_000_000)), START)
            .unwrap();
    }
    assert_eq!(code(other.fresh(START)), Code::JournalStale);
}

#[test]
fn a_head_that_was_fresh_does_not_go_back_when_a_witness_falls_silent() {
    let (mut log, mut replica) = (log(), follower());
    replica.append(&log.tick(START)).unwrap();
    let older = replica.tip().body.clone();
    replica.append(&log.tick(START)).unwrap();
    cosign_tip(&mut replica, &[1], START);
    replica
        .cosignature(node(4), &cosignature(4, &older, at(30_000)), at(30_000))
        .unwrap();
    cosign_tip(&mut replica, &[2, 3], at(30_000));
    assert_eq!(replica.fresh(at(30_000)).unwrap().size, 3);
    // Without the first witness the quorum that is fresh covers less than was witnessed before.
    assert_eq!(replica.fresh(at(61_000)).unwrap().size, 3);
    assert_eq!(replica.witnessed(), 3);
}

const TICK_MAX_MS: u64 = 300_000;

#[test]
fn hole_quiet_journal_whose_newest_entry_is_old_is_stale() {
    let (mut log, mut replica) = (log(), follower());
    replica.append(&log.tick(START)).unwrap();
    let seats = [1, 2, 3];
    cosign_tip(&mut replica, &seats, at(TICK_MAX_MS));
    assert!(replica.fresh(at(TICK_MAX_MS)).is_ok());
    assert_eq!(code(replica.fresh(at(TICK_MAX_MS + 1))), Code::JournalStale);
    replica.append(&log.tick(at(TICK_MAX_MS))).unwrap();
    cosign_tip(&mut replica, &seats, at(TICK_MAX_MS));
    assert!(replica.fresh(at(TICK_MAX_MS + 1)).is_ok());
}

#[test]
fn hole_item_that_waits_for_too_long_makes_the_journal_stale() {
    let (mut log, mut replica) = (log(), follower());
    let seats = [1, 2, 3];
    for body in [
        Body::Act(stop(1)),
        Body::Act(platform_act(2, 2, ActBody::Resume)),
    ] {
        replica.append(&log.batch(START, &[body])).unwrap();
    }
    cosign_tip(&mut log.follower, &seats, START);

    // Ticks go on, but the writer keeps the `witnessed` entry back.
    replica.append(&log.tick(at(TICK_MAX_MS))).unwrap();
    cosign_tip(&mut replica, &seats, at(TICK_MAX_MS));
    assert!(replica.fresh(at(TICK_MAX_MS)).is_ok());
    assert_eq!(code(replica.fresh(at(TICK_MAX_MS + 1))), Code::JournalStale);

    // The next writer makes it from the same cosignatures.
    let due = Orderer::witnessed_due(&log.follower).unwrap();
    replica
        .append(&log.batch(at(TICK_MAX_MS), &[due.body]))
        .unwrap();
    cosign_tip(&mut replica, &seats, at(TICK_MAX_MS));
    assert!(replica.fresh(at(TICK_MAX_MS + 1)).is_ok());
}

/// The writer goes on appending, and keeps the `witnessed` entry back.
#[test]
fn hole_item_that_waits_for_too_long_is_not_hidden_by_a_newer_one() {
    let (mut log, mut replica) = (log(), follower());
    for (time, body) in [(START, proposal(1, 1)), (at(TICK_MAX_MS), proposal(2, 2))] {
        replica.append(&log.batch(time, &[body])).unwrap();
    }
    assert_eq!(replica.tip().waiting_since, Some(START));
    cosign_tip(&mut replica, &[1, 2, 3], at(TICK_MAX_MS));
    assert!(replica.fresh(at(TICK_MAX_MS)).is_ok());
    assert_eq!(code(replica.fresh(at(TICK_MAX_MS + 1))), Code::JournalStale);
}
