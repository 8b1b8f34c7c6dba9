//! A start on a database whose history is not the published one appends nothing.

use crate::fixture::*;
use std::sync::Arc;
use strongroom_journal::Body;
use strongroom_store_sqlite::SqliteDb;
use strongroom_wire::topics;
use strongroom_writer::StartError;

#[test]
fn another_history_of_the_same_length_that_comes_late_does_not_start() {
    let (writer, old) = put_back();
    let late = writer.records(topics::JOURNAL_ENTRIES);
    ordered_once(&old);

    let bus = bus();
    let mut check = later(&old, &bus).unwrap();
    bus.publish(&late[1..]).unwrap();
    let refused = check.step(at(1_001));
    assert!(matches!(refused, Err(StartError::OtherHistory { size: 2 })));
}

#[test]
fn another_history_of_the_same_length_does_not_start() {
    let (writer, old) = put_back();
    ordered_once(&old);
    let refused = later(&old, &writer.bus).and_then(|mut check| check.step(at(1_001)));
    assert!(matches!(refused, Err(StartError::OtherHistory { size: 2 })));
}

/// Two witnesses show a start on a new bus, of this database, what stands in another one: it ends.
fn is_stopped_by_witnesses_of(newest: &SqliteDb, old: &Arc<SqliteDb>) {
    let bus = bus();
    let mut check = later(old, &bus).unwrap();
    for n in 1..=2 {
        assert!(!is_ready(check.step(at(1_001)).unwrap()));
        state(bus.as_ref(), n, &stored_body(newest), at(1_001));
    }
    assert!(matches!(
        check.step(at(1_001)),
        Err(StartError::WitnessesAhead { witnesses: 2 })
    ));
}

/// A database put back and ordered on, in one entry.
fn ordered_once(old: &Arc<SqliteDb>) {
    strongroom_stage::forget_positions(old.as_ref(), "writer").unwrap();
    let mut fork = Running::unchecked(Arc::clone(old), bus(), 5);
    fork.submit(2, &Body::Act(stop(2)));
    fork.settle(at(1)).unwrap();
}

/// A database put back and ordered on, of three entries; the last two in one batch or in two.
fn ordered_on(old: &Arc<SqliteDb>, is_one_batch: bool) {
    strongroom_stage::forget_positions(old.as_ref(), "writer").unwrap();
    let mut fork = Running::unchecked(Arc::clone(old), bus(), 5);
    fork.submit(2, &Body::Act(stop(2)));
    if !is_one_batch {
        fork.settle(at(1)).unwrap();
    }
    fork.submit(3, &Body::Act(stop(3)));
    fork.settle(at(1)).unwrap();
    assert_eq!(fork.size(), 3);
}

#[test]
fn another_history_that_is_longer_than_the_published_one_does_not_start() {
    for is_one_batch in [false, true] {
        let (writer, old) = put_back();
        ordered_on(&old, is_one_batch);
        let before = writer.records(topics::JOURNAL_ENTRIES).len();
        let refused = later(&old, &writer.bus).map(drop).unwrap_err();
        assert!(matches!(refused, StartError::OtherHistory { size: 2 }));
        assert_eq!(writer.records(topics::JOURNAL_ENTRIES).len(), before);
    }
}

#[test]
fn witnesses_of_another_history_that_is_shorter_stop_a_start_on_a_new_bus() {
    let (writer, old) = put_back();
    ordered_on(&old, false);
    is_stopped_by_witnesses_of(&writer.db, &old);
}

#[test]
fn witnesses_of_another_history_of_the_same_length_stop_a_start_on_a_new_bus() {
    let (writer, old) = put_back();
    ordered_once(&old);
    is_stopped_by_witnesses_of(&writer.db, &old);
}
