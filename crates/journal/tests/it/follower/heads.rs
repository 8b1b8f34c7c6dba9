//! Heads that are kept: the state at each, and for how long.

use super::{code, follower};
use strongroom_journal::Body;
use strongroom_journal::follower::{Follower, HEADS_MAX};
use strongroom_journal::state::Lookup as _;
use strongroom_tlog::Frontier;
use strongroom_types::{ActBody, Code, Refusal, Tighten};
use strongroom_world::small::*;

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
        [false, true, true, true],
        "a resume waits until it is witnessed"
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
