//! Cosignatures: which of them count, and for which heads.

use super::{code, follower, note};
use strongroom_journal::entry::VERSION;
use strongroom_journal::follower::{PENDING_MAX, SplitView};
use strongroom_journal::{Body, Entry, SealedEntry};
use strongroom_types::{ActBody, Code, NodeId, Scope};
use strongroom_wire::{JournalBatch, WitnessCosignature, encode};
use strongroom_world::small::*;

#[test]
fn a_head_is_witnessed_by_k_distinct_witnesses_and_not_by_fewer() {
    let (mut log, mut replica) = (log(), follower());
    replica.append(&log.tick(START)).unwrap();
    cosign_tip(&mut replica, &[1, 2, 2, 1], START);
    assert_eq!(
        (replica.witnessed(), code(replica.fresh(START))),
        (0, Code::JournalStale)
    );
    cosign_tip(&mut replica, &[4], START);
    assert_eq!(
        (replica.witnessed(), replica.fresh(START).unwrap().size),
        (2, 2)
    );
}

#[test]
fn a_cosignature_covers_every_head_before_it() {
    let (mut log, mut replica) = (log(), follower());
    replica.append(&log.tick(START)).unwrap();
    cosign_tip(&mut replica, &[1], START);
    replica.append(&log.tick(START)).unwrap();
    cosign_tip(&mut replica, &[2], START);
    replica.append(&log.tick(START)).unwrap();
    cosign_tip(&mut replica, &[3], START);
    assert_eq!(
        (replica.witnessed(), replica.fresh(START).unwrap().size),
        (2, 2)
    );
}

#[test]
fn cosignatures_that_come_before_their_entries_wait_for_them() {
    let (mut log, mut replica) = (log(), follower());
    let batch = log.tick(START);
    let body = log.follower.tip().body.clone();
    for n in 1..=3 {
        replica
            .cosignature(node(n), &cosignature(n, &body, START), START)
            .unwrap();
    }
    assert_eq!(replica.witnessed(), 0);
    replica.append(&batch).unwrap();
    assert_eq!(
        (replica.witnessed(), replica.fresh(START).unwrap().size),
        (2, 2)
    );
}

#[test]
fn of_heads_that_are_not_here_yet_only_a_bounded_number_waits_per_witness() {
    let (mut log, mut replica) = (log(), follower());
    let mut batches = Vec::new();
    for _ in 0..=PENDING_MAX {
        batches.push(log.tick(START));
        let body = log.follower.tip().body.clone();
        replica
            .cosignature(node(1), &cosignature(1, &body, START), START)
            .unwrap();
    }

    // One cosignature too many waited: that over the smallest head was forgotten, the next one was
    // not.
    replica.append(&batches[0]).unwrap();
    assert_eq!(replica.latest(node(1)), None);
    replica.append(&batches[1]).unwrap();
    assert_eq!(replica.latest(node(1)).unwrap().size, 3);
}

#[test]
fn only_a_valid_cosignature_of_a_known_witness_counts() {
    let (mut log, mut replica) = (log(), follower());
    replica.append(&log.tick(START)).unwrap();
    let body = replica.tip().body.clone();
    assert_eq!(
        code(replica.cosignature(NodeId([9; 16]), &cosignature(1, &body, START), START)),
        Code::UnknownSender
    );
    assert_eq!(
        code(replica.cosignature(node(2), &cosignature(1, &body, START), START)),
        Code::BadSignature
    );
    let later = WitnessCosignature {
        time_s: START.0 / 1000 + 1,
        ..cosignature(1, &body, START)
    };
    assert_eq!(
        code(replica.cosignature(node(1), &later, START)),
        Code::BadSignature
    );
    assert_eq!(replica.latest(node(1)), None);
}

#[test]
fn a_cosignature_of_another_log_is_neither_counted_nor_evidence() {
    let (mut log, mut replica) = (log(), follower());
    replica.append(&log.tick(START)).unwrap();
    let other = replica
        .tip()
        .body
        .replace(&genesis().origin, "other.example");
    assert_eq!(
        code(replica.cosignature(node(1), &cosignature(1, &other, START), START)),
        Code::Malformed
    );
    assert!(replica.evidence().is_empty());
}

#[test]
fn an_older_cosignature_delivered_again_replaces_nothing() {
    let (mut log, mut replica) = (log(), follower());
    replica.append(&log.tick(START)).unwrap();
    let smaller = replica.tip().body.clone();
    replica.append(&log.tick(START)).unwrap();
    cosign_tip(&mut replica, &[1], at(1_000));
    let newest = replica.latest(node(1)).unwrap();
    let tip = replica.tip().body.clone();
    replica
        .cosignature(node(1), &cosignature(1, &tip, START), at(1_000))
        .unwrap();
    replica
        .cosignature(node(1), &cosignature(1, &smaller, at(2_000)), at(2_000))
        .unwrap();
    assert_eq!(replica.latest(node(1)), Some(newest));
}

#[test]
fn a_cosignature_over_another_tree_counts_for_nothing_and_is_evidence() {
    let (mut log, mut other, mut replica) = (log(), salted_log(2), follower());
    replica.append(&log.tick(START)).unwrap();
    other.tick(START);
    let theirs = cosignature(4, &other.follower.tip().body, START);
    cosign_tip(&mut replica, &[1, 2], START);
    replica.cosignature(node(4), &theirs, START).unwrap();
    assert_eq!((replica.witnessed(), replica.latest(node(4))), (0, None));
    let ours = replica.tip().body.clone();
    assert_eq!(
        replica.evidence(),
        [SplitView::Witness {
            node: node(4),
            ours,
            cosignature: theirs
        }]
    );
    assert_eq!(
        replica.halted(),
        None,
        "one witness's statement stops no replica"
    );
}

/// A witness that contradicts itself at will must hide neither the log's contradiction, which
/// outlives a restart, nor another witness's.
#[test]
fn hole_one_witness_fills_the_evidence_with_no_more_than_one_piece() {
    let (mut log, mut other, mut replica) = (log(), salted_log(2), follower());
    replica.append(&log.tick(START)).unwrap();
    let ours = replica.tip().body.clone();
    for n in 0..40 {
        let invented = ours.replace("state ", &format!("other{n} "));
        let lie = cosignature(4, &invented, START);
        replica.cosignature(node(4), &lie, START).unwrap();
    }
    assert_eq!(replica.evidence().len(), 1);

    let theirs = other.tick(START);
    let lied_to = cosignature(1, &other.follower.tip().body, START);
    replica.cosignature(node(1), &lied_to, START).unwrap();
    assert_eq!(replica.witnesses_elsewhere(), 2);
    assert_eq!(code(replica.append(&theirs)), Code::Conflict);
    let note = theirs.note;
    assert!(replica.evidence().contains(&SplitView::Log { ours, note }));
    assert_eq!(replica.evidence().len(), 3);
}

#[test]
fn witnesses_that_vouch_for_something_else_are_counted_once_each() {
    let (mut log, mut other, mut replica) = (log(), salted_log(2), follower());
    replica.append(&log.tick(START)).unwrap();
    other.tick(START);
    let beside = cosignature(4, &other.follower.tip().body, START);
    let next = log.tick(START);
    let ahead = log.follower.tip().body.clone();
    assert_eq!(replica.witnesses_elsewhere(), 0);
    replica.cosignature(node(4), &beside, START).unwrap();
    replica
        .cosignature(node(4), &cosignature(4, &ahead, START), START)
        .unwrap();
    replica
        .cosignature(node(1), &cosignature(1, &ahead, START), START)
        .unwrap();
    assert_eq!(replica.witnesses_elsewhere(), 2);
    replica.append(&next).unwrap();
    assert_eq!(replica.witnesses_elsewhere(), 1);
}

#[test]
fn hole_witnessed_entry_over_another_tree_stops_the_replica_with_evidence() {
    let (mut log, mut replica) = (log(), follower());
    for body in [
        Body::Act(stop(1)),
        Body::Act(platform_act(2, 2, ActBody::Resume)),
    ] {
        replica.append(&log.batch(START, &[body])).unwrap();
    }
    let ours = replica.tip().body.clone();
    let other = ours.replace("state ", "other ");
    let witnessed = Body::Witnessed(world().witnessed(&other, &[1, 2, 3], START));
    let refused = log.order(START, std::slice::from_ref(&witnessed)).results;
    assert_eq!(refused[0].as_ref().unwrap_err().code, Code::Conflict);

    // The writer appends the entry all the same.
    let entry = Entry {
        version: VERSION,
        seq: 3,
        at: START,
        scope: Scope::Platform,
        body: witnessed,
    };
    let sealed = SealedEntry::new(&entry, [1; 32]);
    let mut frontier = replica.frontier().clone();
    let before = frontier.root().to_string();
    frontier.append(sealed.leaf_hash(&entry));
    let body = ours.replace("\n3\n", "\n4\n");
    let batch = JournalBatch {
        first_seq: 3,
        entries: vec![encode(&sealed)],
        note: note(&body.replace(&before, &frontier.root().to_string())),
    };
    assert_eq!(code(replica.append(&batch)), Code::Conflict);
    assert!(replica.halted().is_some());
    let mut nodes: Vec<_> = replica
        .evidence()
        .iter()
        .map(|evidence| match evidence {
            SplitView::Witness { node, .. } => *node,
            SplitView::Log { .. } => panic!("the log signed one tree"),
        })
        .collect();
    nodes.sort();
    let mut seats = [1, 2, 3].map(node);
    seats.sort();
    assert_eq!(nodes, seats);
}
