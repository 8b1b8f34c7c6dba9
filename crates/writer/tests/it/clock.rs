//! A writer whose clock is wrong stops nothing for longer than the clock is wrong.

use crate::fixture::*;
use std::sync::Arc;
use strongroom_journal::Body;
use strongroom_journal::state::Lookup as _;
use strongroom_store_sqlite::SqliteDb;
use strongroom_types::{ActBody, Scope, Signed, UnixMs};
use strongroom_wire::{JournalBatch, JournalSubmitted, encode, topics};
use strongroom_world::Letter;
use strongroom_writer::{AHEAD_MAX_MS, Start};

const DAY_MS: u64 = 86_400_000;

fn tip(writer: &Running) -> (String, UnixMs) {
    let tip = writer.shell.stage().follower().unwrap().tip();
    (tip.body.clone(), tip.at)
}

/// Witnesses answer the newest head at a time of their clocks.
fn answer(writer: &Running, seats: impl IntoIterator<Item = u16>, made: UnixMs) {
    let body = tip(writer).0;
    for n in seats {
        state(writer.bus.as_ref(), n, &body, made);
    }
}

/// Submits an act that may wait for as long as any clock here is wrong.
fn submit(writer: &Running, id: u8, act: Signed) {
    let submitted = JournalSubmitted {
        submission: [id; 16],
        scope: Scope::Platform,
        body: encode(&Body::Act(act)),
    };
    let letter = Letter::new(topics::JOURNAL_SUBMITTED, START);
    writer.publish(API, letter.until(at(60 * DAY_MS)), &submitted);
}

#[test]
fn hole_clock_that_jumps_ahead_stops_the_journal_for_a_minute_and_not_for_a_month() {
    let mut writer = Running::new();
    writer.settle(START).unwrap();
    answer(&writer, 1..=4, at(10_000));
    writer.settle(at(10_000)).unwrap();

    submit(&writer, 1, stop(1));
    writer.settle(at(30 * DAY_MS)).unwrap();
    assert_eq!(
        (writer.size(), tip(&writer).1),
        (2, at(10_000 + AHEAD_MAX_MS))
    );

    // The clock is repaired; no one has touched anything else.
    answer(&writer, 1..=4, at(80_000));
    writer.settle(at(80_000)).unwrap();
    submit(&writer, 2, quarantine(2, 1));
    writer.settle(at(80_000)).unwrap();
    assert_eq!((writer.size(), tip(&writer).1), (3, at(80_000)));
}

#[test]
fn as_many_witnesses_as_may_be_hostile_do_not_lead_the_stamp_into_the_future() {
    let mut writer = Running::new();
    writer.settle(START).unwrap();
    answer(&writer, [4], at(30 * DAY_MS));
    answer(&writer, 1..=3, at(20_000));
    writer.settle(at(20_000)).unwrap();

    submit(&writer, 1, stop(1));
    writer.settle(at(30 * DAY_MS)).unwrap();
    assert_eq!(tip(&writer).1, at(20_000 + AHEAD_MAX_MS));
}

#[test]
fn silent_witnesses_are_asked_for_the_time_with_bytes_that_they_know() {
    let mut writer = Running::new();
    writer.settle(START).unwrap();
    answer(&writer, 1..=4, at(1_000));
    writer.settle(at(1_000)).unwrap();
    let asked = |writer: &Running| {
        let records = writer.records(topics::JOURNAL_ENTRIES);
        let batches = records.iter().map(|r| world().open::<JournalBatch>(r).1);
        let notes: Vec<String> = batches.map(|batch| batch.note).collect();
        notes
            .iter()
            .filter(|note| Some(*note) == notes.last())
            .count()
            - 1
    };
    assert_eq!(asked(&writer), 0);

    // An outage of an hour, with a look at the clock every second.
    writer.settle(at(61_000)).unwrap();
    assert_eq!(asked(&writer), 0, "within the bound");
    for second in 3_600..3_700 {
        writer.settle(at(second * 1_000)).unwrap();
    }
    let (size, stamp) = (writer.size(), tip(&writer).1);
    assert!(stamp <= at(1_000 + AHEAD_MAX_MS));
    assert!(
        (3..=4).contains(&asked(&writer)),
        "every 30 s: {}",
        asked(&writer)
    );

    // Their answers bring the time along: the tick that is due has an honest stamp.
    answer(&writer, 1..=2, at(3_700_000));
    writer.settle(at(3_700_000)).unwrap();
    writer.settle(at(3_702_000)).unwrap();
    assert_eq!((writer.size(), tip(&writer).1), (size + 1, at(3_702_000)));
}

/// A writer whose start began at [`START`]; these witnesses answered it by these clocks, when its
/// own showed `now`.
fn answered_late(now: UnixMs, answers: &[(u16, UnixMs)]) -> Running {
    let (db, bus) = (Arc::new(SqliteDb::open_in_memory().unwrap()), bus());
    let mut check = open_start(&db, &bus, (START, 1)).unwrap();
    assert!(matches!(check.step(at(500)).unwrap(), Start::Waits));

    for (n, made) in answers {
        state(bus.as_ref(), *n, &stored_body(&db), *made);
    }
    let ready = when_ready(check.step(now).unwrap());
    Running::after(ready, (db, bus), 1)
}

/// No look at this clock after its jump tells that it jumped: only what the witnesses answered does.
#[test]
fn hole_clock_that_jumps_while_the_start_waits_publishes_nothing_beyond_the_bound() {
    let month = at(30 * DAY_MS);
    let honest = at(10_000);
    let mut writer = answered_late(month, &[(4, month), (1, honest), (2, honest)]);
    writer.settle(month).unwrap();
    assert!(
        tip(&writer).1 <= honest.plus(AHEAD_MAX_MS),
        "{:?}",
        tip(&writer)
    );

    submit(&writer, 1, stop(1));
    writer.settle(month).unwrap();
    assert_eq!(tip(&writer).1, honest.plus(AHEAD_MAX_MS));
}

#[test]
fn a_start_that_waited_for_an_hour_stamps_by_the_clocks_that_answered_it() {
    let hour = at(3_600_000);
    let mut writer = answered_late(hour, &[1, 2, 3].map(|n| (n, hour)));
    submit(&writer, 1, stop(1));
    writer.settle(hour).unwrap();
    assert_eq!(tip(&writer).1, hour);
}

/// All at once, as where the bus was away; and one by one, as where the witnesses were.
#[test]
fn cosignatures_after_a_long_silence_count_when_they_arrive() {
    for at_once in [3, 1] {
        let mut writer = Running::new();
        writer.settle(START).unwrap();
        submit(&writer, 1, stop(1));
        writer.settle(START).unwrap();
        submit(&writer, 2, platform_act(2, 2, ActBody::Resume));
        writer.settle(START).unwrap();
        for second in 1..=120 {
            writer.settle(at(second * 1_000)).unwrap();
        }

        let size = writer.size();
        for seats in [1, 2, 3].chunks(at_once) {
            answer(&writer, seats.iter().copied(), at(120_000));
            writer.settle(at(120_000)).unwrap();
        }
        let follower = writer.shell.stage().follower().unwrap();
        let is_stopped = follower.state().platform().unwrap().stopped;
        let found = (writer.size(), tip(&writer).1, is_stopped);
        assert_eq!(found, (size + 1, at(120_000), false), "{at_once} at once");
    }
}
