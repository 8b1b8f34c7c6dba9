//! The replica: what stops it, what counts as witnessed, what is fresh.

use strongroom_journal::follower::{Follower, HEADS_MAX, PENDING_MAX, SplitView};
use strongroom_journal::state::Lookup as _;
use strongroom_journal::{Body, Entry, SealedEntry, entry};
use strongroom_tlog::{Checkpoint, Frontier, Hash, NoteSigner, sign_note};
use strongroom_types::{ActBody, Code, NodeId, Refusal, Scope, Tighten};
use strongroom_wire::{JournalBatch, WitnessCosignature, encode};
use strongroom_world::small::*;

fn follower() -> Follower {
    Follower::new(genesis()).unwrap()
}

fn code<T: std::fmt::Debug>(result: Result<T, Refusal>) -> Code {
    result.unwrap_err().code
}

/// Signs whatever the body says: what a hostile writer can do.
fn note(body: &str) -> String {
    sign_note(
        body,
        &NoteSigner::new(&genesis().origin, &log_seed()).unwrap(),
    )
    .unwrap()
}

#[test]
fn a_follower_ends_where_the_writer_stands() {
    let (mut log, mut replica) = (log(), follower());
    for i in 0..5 {
        let applied = replica.append(&log.tick(at(i * 1000))).unwrap();
        assert_eq!(applied.len(), if i == 0 { 2 } else { 1 });
    }
    assert_eq!(replica.tip(), log.follower.tip());
    assert_eq!(
        (replica.size(), replica.state().map()),
        (6, log.follower.state().map())
    );
}

#[test]
fn a_batch_that_was_applied_before_is_skipped() {
    let (mut log, mut replica) = (log(), follower());
    let (one, two) = (log.tick(START), log.tick(START));
    replica.append(&one).unwrap();
    replica.append(&two).unwrap();
    assert_eq!(replica.append(&one).unwrap(), []);
    assert_eq!(replica.append(&two).unwrap(), []);
    assert_eq!((replica.size(), replica.halted()), (3, None));
}

#[test]
fn a_batch_that_overlaps_the_tip_adds_only_what_is_new() {
    let (mut log, mut replica) = (log(), follower());
    let (one, two) = (log.tick(START), log.tick(START));
    replica.append(&one).unwrap();
    let entries = [one.entries, two.entries].concat();
    let both = JournalBatch {
        first_seq: 0,
        entries,
        note: two.note,
    };
    assert_eq!(replica.append(&both).unwrap().len(), 1);
    assert_eq!(replica.tip(), log.follower.tip());
}

#[test]
fn a_gap_is_refused_and_the_missing_batch_still_fits() {
    let (mut log, mut replica) = (log(), follower());
    let (one, two) = (log.tick(START), log.tick(START));
    assert_eq!(code(replica.append(&two)), Code::NotReady);
    replica.append(&one).unwrap();
    replica.append(&two).unwrap();
}

#[test]
fn a_checkpoint_that_the_log_did_not_sign_is_refused_without_stopping() {
    let (mut log, mut replica) = (log(), follower());
    let good = log.tick(START);
    let stranger = NoteSigner::new(&genesis().origin, &[91; 32]).unwrap();
    let note = sign_note(&log.follower.tip().body, &stranger).unwrap();
    assert_eq!(
        code(replica.append(&JournalBatch {
            note,
            ..good.clone()
        })),
        Code::BadSignature
    );
    assert_eq!((replica.size(), replica.halted()), (0, None));
    replica.append(&good).unwrap();
}

#[test]
fn a_checkpoint_of_another_size_than_its_entries_give_proves_nothing() {
    let (mut log, mut replica) = (log(), follower());
    let (one, two) = (log.tick(START), log.tick(START));
    let spliced = JournalBatch {
        note: two.note.clone(),
        ..one.clone()
    };
    assert_eq!(code(replica.append(&spliced)), Code::Malformed);
    let empty = JournalBatch {
        first_seq: 2,
        entries: Vec::new(),
        note: one.note.clone(),
    };
    assert_eq!(code(replica.append(&empty)), Code::Malformed);
    let beyond = JournalBatch {
        first_seq: u64::MAX,
        ..one.clone()
    };
    assert_eq!(code(replica.append(&beyond)), Code::Malformed);
    assert_eq!(replica.halted(), None);
    replica.append(&one).unwrap();
    replica.append(&two).unwrap();
}

#[test]
fn a_checkpoint_of_another_origin_is_refused() {
    let (mut log, mut replica) = (log(), follower());
    let good = log.tick(START);
    let other = log
        .follower
        .tip()
        .body
        .replace(&genesis().origin, "other.example");
    assert_eq!(
        code(replica.append(&JournalBatch {
            note: note(&other),
            ..good
        })),
        Code::Malformed
    );
}

#[test]
fn a_batch_is_applied_whole_or_not_at_all_and_a_wrong_root_stops_the_replica() {
    let mut log = log();
    let first = log.tick(START);
    let before = log.follower.tip().clone();
    let second = log
        .order(START, &[Body::Tick, Body::Act(stop(1)), Body::Tick])
        .batches
        .pop()
        .unwrap()
        .batch;
    let tip = log.follower.tip().clone();
    let wrong_root = tip
        .body
        .replace(&tip.root.to_string(), &before.root.to_string());
    let wrong_state = tip.body.replace(
        &Hash(tip.state_root.0).to_string(),
        &Hash(before.state_root.0).to_string(),
    );
    for body in [wrong_root, wrong_state] {
        assert_ne!(body, tip.body);
        let mut replica = follower();
        replica.append(&first).unwrap();
        let (map, frontier) = (replica.state().map().clone(), replica.frontier().clone());
        let lie = JournalBatch {
            note: note(&body),
            ..second.clone()
        };
        assert_eq!(code(replica.append(&lie)), Code::Conflict);
        assert_eq!(
            (replica.state().map(), replica.frontier()),
            (&map, &frontier)
        );
        assert_eq!(replica.state().root(), before.state_root);
        assert_eq!(
            code(replica.append(&second)),
            Code::Conflict,
            "stopped for good"
        );
        assert_eq!(
            code(replica.fresh(START)),
            Code::Conflict,
            "and shares nothing"
        );
    }
}

#[test]
fn an_entry_that_apply_refuses_stops_the_replica_and_leaves_no_trace() {
    let mut log = log();
    let first = log.tick(at(9000));
    let mut replica = follower();
    replica.append(&first).unwrap();
    let before = replica.state().map().clone();
    // The hostile writer appends a good tick and one that goes back in time, and signs the tree
    // over both.
    let tick = |seq, at| {
        let (version, scope) = (entry::VERSION, Scope::Platform);
        SealedEntry::new(
            &Entry {
                version,
                seq,
                at,
                scope,
                body: Body::Tick,
            },
            [0; 32],
        )
    };
    let sealed = [tick(2, at(9000)), tick(3, at(8999))];
    let mut frontier = replica.frontier().clone();
    sealed
        .iter()
        .for_each(|s| frontier.append(s.leaf_hash(&s.open().unwrap())));
    let checkpoint = Checkpoint::with_state(
        &genesis().origin,
        4,
        frontier.root(),
        Hash(replica.state().root().0),
    )
    .unwrap();
    let entries = sealed.iter().map(encode).collect();
    let batch = JournalBatch {
        first_seq: 2,
        entries,
        note: note(&checkpoint.to_body()),
    };
    assert_eq!(code(replica.append(&batch)), Code::TimeWentBack);
    assert_eq!((replica.state().map(), replica.size()), (&before, 2));
    assert_eq!(replica.halted().unwrap().code, Code::TimeWentBack);
}

#[test]
fn a_second_tree_of_a_known_size_is_kept_as_evidence_and_stops_the_replica() {
    let (mut log, mut other, mut replica) = (log(), salted_log(2), follower());
    replica.append(&log.tick(START)).unwrap();
    let theirs = other.tick(START);
    assert_eq!(code(replica.append(&theirs)), Code::Conflict);
    let ours = log.follower.tip().body.clone();
    assert_eq!(
        replica.evidence(),
        [SplitView::Log {
            ours,
            note: theirs.note
        }]
    );
    assert!(replica.halted().is_some());
}

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

    // One too many waited: the smallest head was forgotten, the next one was not.
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
    assert_eq!(replica.halted(), None, "one witness's word stops nobody");
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
    for n in 1..=3 {
        in_time
            .cosignature(node(n), &cosignature(n, &body, START), at(5000))
            .unwrap();
    }
    assert!(in_time.fresh(at(5000)).is_ok());
}

#[test]
fn one_witness_with_a_wrong_clock_stops_nobody() {
    let (mut log, mut replica) = (log(), follower());
    replica.append(&log.tick(START)).unwrap();
    let body = replica.tip().body.clone();
    cosign_tip(&mut replica, &[1, 2, 3], START);
    replica
        .cosignature(node(4), &cosignature(4, &body, at(9_000_000)), START)
        .unwrap();
    assert!(replica.fresh(START).is_ok());
}

#[test]
fn the_state_at_a_head_is_the_state_before_what_came_after() {
    let (mut log, mut replica) = (log(), follower());
    replica.append(&log.tick(START)).unwrap();
    let resumed = Body::Act(platform_act(2, 2, ActBody::Resume));
    for bodies in [
        [Body::Act(stop(1))],
        [resumed],
        [Body::Act(quarantine(3, 2))],
    ] {
        let ordered = log.order(START, &bodies).batches.pop().unwrap();
        assert_eq!(replica.append(&ordered.batch).unwrap().len(), 1);
    }
    let platform = |size| replica.head_view(size).unwrap().platform().unwrap();
    assert_eq!(
        [2, 3, 4, 5].map(|size| platform(size).stopped),
        [false, true, false, false]
    );
    assert_eq!(
        [4, 5].map(|size| platform(size).quarantined),
        [vec![], vec![2]]
    );
    assert_eq!(
        [2, 5].map(|size| replica
            .head_view(size)
            .unwrap()
            .position()
            .unwrap()
            .next_seq),
        [2, 5]
    );
}

#[test]
fn heads_are_forgotten_only_once_a_later_one_was_fresh_and_none_comes_back() {
    let (mut log, mut replica) = (log(), follower());
    for _ in 0..3 {
        replica.append(&log.tick(START)).unwrap();
    }
    assert!(replica.head_view(2).is_ok());
    cosign_tip(&mut replica, &[1, 2, 3], START);
    assert_eq!(replica.fresh(START).unwrap().size, 4);
    assert_eq!(
        replica.head_view(2).map(|_| ()),
        Err(Refusal::new(
            Code::HeadBelowFloor,
            "no head of size 2 is kept"
        ))
    );
    assert!(replica.head_view(4).is_ok());
    // The quorum is fresh again, but over less than was fresh once.
    replica.append(&log.tick(START)).unwrap();
    assert_eq!(replica.fresh(START).unwrap().size, 4);
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

#[test]
fn heads_that_are_never_witnessed_do_not_grow_without_bound() {
    let (mut log, mut replica) = (log(), follower());
    for _ in 0..HEADS_MAX + 3 {
        replica.append(&log.tick(START)).unwrap();
    }
    let kept = (1..=replica.size()).filter(|size| replica.head(*size).is_some());
    assert_eq!(kept.count(), HEADS_MAX);
    assert!(replica.head_view(2).is_err() && replica.head_view(replica.size()).is_ok());
}

#[test]
fn a_restored_replica_refuses_until_a_fresh_head_covers_all_it_had_stored() {
    let mut log = log();
    let batches = [log.tick(START), log.tick(START)];
    let (map, frontier) = (
        log.follower.state().map().clone(),
        log.follower.frontier().clone(),
    );
    let note = batches[1].note.as_str();
    let mut replica =
        Follower::restore(genesis(), map.clone(), frontier.clone(), Some(note)).unwrap();
    assert_eq!(replica.tip(), log.follower.tip());
    let mut first = follower();
    first.append(&batches[0]).unwrap();
    let older = first.tip().body.clone();
    for n in 1..=3 {
        replica
            .cosignature(node(n), &cosignature(n, &older, START), START)
            .unwrap();
    }
    assert!(
        replica.fresh(START).is_err(),
        "the old head is not acted under after a start"
    );
    cosign_tip(&mut replica, &[1, 2, 3], START);
    assert_eq!(replica.fresh(START).unwrap().size, 3);

    let mut edited = map.clone();
    edited.values_mut().next().unwrap()[0] ^= 1;
    let restore = |map, frontier, note| code(Follower::restore(genesis(), map, frontier, note));
    assert_eq!(
        restore(edited, frontier.clone(), Some(note)),
        Code::StoreCorrupt
    );
    assert_eq!(
        restore(map.clone(), Frontier::new(), Some(note)),
        Code::StoreCorrupt
    );
    assert_eq!(
        restore(map.clone(), frontier.clone(), None),
        Code::StoreCorrupt
    );
    assert_eq!(
        restore(map, frontier, Some(&batches[0].note)),
        Code::StoreCorrupt
    );
}

#[test]
fn a_tightening_counts_at_the_tip_while_the_head_does_not_know_it() {
    let (mut log, mut replica) = (log(), follower());
    replica.append(&log.tick(START)).unwrap();
    cosign_tip(&mut replica, &[1, 2, 3], START);
    let body = Body::Act(platform_act(1, 0, ActBody::Tighten(Tighten::Stop)));
    replica
        .append(&log.order(START, &[body]).batches.pop().unwrap().batch)
        .unwrap();
    let head = replica.fresh(START).unwrap().size;
    assert!(!replica.head_view(head).unwrap().platform().unwrap().stopped);
    assert!(replica.state().platform().unwrap().stopped);
}
