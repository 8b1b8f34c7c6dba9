//! What is told again: a record may be lost on the bus.

use std::collections::BTreeSet;
use strongroom_stage::post::message_id;
use strongroom_types::Tighten;
use strongroom_wire::{Decided, TransactionState};
use strongroom_world::{AUTO_MAX, INTENT_LIFE_MS, Who};

use crate::desk::{Desk, MEDIUM, Office};

/// Records of each tick, one every half second.
fn told(desk: &mut Desk, ticks: usize) -> Vec<usize> {
    let tick = |_| {
        desk.office.ledger.borrow_mut().wait(500);
        desk.tick().len()
    };
    (0..ticks).map(tick).collect()
}

/// The transactions service never read it, and the API, which has it, asks no more.
#[test]
fn hole_approval_is_told_again_with_growing_pauses() {
    let mut desk = Desk::new(Office::new());
    let medium = desk.waiting(MEDIUM);
    let first = desk.yes(Who::Approver(0), &medium).unwrap();
    let mut ids = BTreeSet::new();
    let mut pauses = Vec::new();
    let mut waited_ms = 0;
    while pauses.len() < 4 {
        desk.office.ledger.borrow_mut().wait(500);
        waited_ms += 500;
        let records = desk.tick_records();
        if records.is_empty() {
            continue;
        }
        assert_eq!(desk.decisions(&records), std::slice::from_ref(&first));
        ids.insert(message_id(&records[0]));
        pauses.push(waited_ms);
    }
    assert_eq!(pauses, [2_000, 4_000, 8_000, 16_000]);
    assert_eq!(ids.len(), 4, "each is handled");

    let small = desk.office.intent(AUTO_MAX);
    desk.decide(desk.office.submitted(&small)).unwrap();
    assert_eq!(told(&mut desk, 4), [0, 0, 0, 1]);
}

/// A clock that was ahead for a while would keep it from being told for as long again.
#[test]
fn approval_is_told_again_after_a_clock_that_was_ahead_is_set_right() {
    let mut desk = Desk::new(Office::new());
    let intent = desk.waiting(MEDIUM);
    desk.yes(Who::Approver(0), &intent).unwrap();
    let now = desk.office.now();
    let (ahead, right) = (now.plus(600_000), now.plus(10_000));
    for (at, count) in [(ahead, 1), (right, 1), (right.plus(3_000), 0)] {
        desk.office.ledger.borrow_mut().now = at;
        assert_eq!(desk.tick().len(), count, "{at}");
    }
}

#[test]
fn approval_is_told_until_its_payment_is_signed_or_has_ended() {
    for state in [TransactionState::Signed, TransactionState::Failed] {
        let mut desk = Desk::new(Office::new());
        let intent = desk.waiting(MEDIUM);
        desk.yes(Who::Approver(0), &intent).unwrap();
        let signing = desk.office.changed(&intent, TransactionState::Signing);
        desk.deliver(signing).unwrap();
        assert_eq!(
            told(&mut desk, 4),
            [0, 0, 0, 1],
            "as its report may be of before a fault"
        );
        desk.deliver(desk.office.changed(&intent, state)).unwrap();
        assert_eq!(told(&mut desk, 40), [0; 40]);
    }

    let mut desk = Desk::new(Office::new());
    let intent = desk.waiting(MEDIUM);
    desk.yes(Who::Approver(0), &intent).unwrap();
    desk.office.live(INTENT_LIFE_MS + 10_000);
    assert_eq!(told(&mut desk, 4), [0; 4]);
}

#[test]
fn intent_that_waits_is_not_told_as_approved() {
    let mut desk = Desk::new(Office::new());
    desk.waiting(MEDIUM);
    assert_eq!(told(&mut desk, 40), [0; 40]);
}

/// The journal would not take it now.
#[test]
fn approval_that_counts_no_more_is_not_told_again() {
    let mut desk = Desk::new(Office::new());
    let intent = desk.waiting(MEDIUM);
    desk.yes(Who::Approver(0), &intent).unwrap();
    let approver = desk.office.world.person(Who::Approver(0)).credential.id;
    let revoke = Tighten::Revoke(strongroom_types::Revocable::Credential(approver));
    let admins = desk.office.ledger.borrow().admins();
    desk.office.tighten(revoke, &admins);
    assert_eq!(told(&mut desk, 40), [0; 40]);
}

/// A tick must not hold the tables for as long as a backlog takes.
#[test]
fn backlog_of_approvals_is_told_a_page_per_tick() {
    let mut desk = Desk::new(Office::new());
    for n in 0..70 {
        let intent = desk.office.intent(AUTO_MAX - n);
        let decided = desk.decide(desk.office.submitted(&intent)).unwrap();
        assert_eq!(decided.decided, Decided::Approved);
    }
    assert_eq!(told(&mut desk, 6), [0, 0, 0, 64, 6, 0]);
}
