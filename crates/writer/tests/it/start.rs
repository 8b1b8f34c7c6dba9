//! A start appends nothing before topic and witnesses say that its database is not behind.

use crate::buses::{Emptied, Hiding};
use crate::fixture::*;
use std::sync::Arc;
use std::time::Duration;
use strongroom_ports::bus::{Bus, Delivered, Topic};
use strongroom_stage::StopFlag;
use strongroom_store_sqlite::SqliteDb;
use strongroom_tlog::{NoteSigner, sign_note};
use strongroom_types::UnixMs;
use strongroom_wire::{JournalBatch, Role, topics};
use strongroom_world::{Letter, Sender, World, WorldOptions};
use strongroom_writer::{StartCheck, StartError};

fn empty() -> Arc<SqliteDb> {
    Arc::new(SqliteDb::open_in_memory().unwrap())
}

/// A start of another world's writer at that time.
fn start_of(
    world: &World,
    db: &Arc<SqliteDb>,
    bus: &Arc<dyn Bus>,
) -> Result<StartCheck, StartError> {
    let parts = start_parts(world, db, bus, (9, &StopFlag::new()));
    StartCheck::open(parts, &world.log_key.to_bytes(), at(1_000))
}

fn batches(bus: &dyn Bus) -> Vec<JournalBatch> {
    let topic = Topic::new(topics::JOURNAL_ENTRIES).unwrap();
    let wants = [(topic.clone(), bus.start(&topic).unwrap())];
    let fetched = bus.fetch(&wants, 100, Duration::ZERO).unwrap();
    let open = |delivered: &Delivered| world().open::<JournalBatch>(&delivered.record).1;
    fetched.iter().map(open).collect()
}

#[test]
fn two_first_starts_make_the_same_bytes() {
    let entry_0 = |now: UnixMs, seed| {
        let (db, bus) = (empty(), bus());
        open_start(&db, &bus, (now, seed)).unwrap();
        batches(bus.as_ref())
    };
    let first = entry_0(at(1), 1);
    assert_eq!(first.len(), 1);
    assert_eq!(first, entry_0(at(86_400_000), 2));
}

#[test]
fn a_start_waits_for_enough_distinct_witnesses() {
    let (db, bus) = (empty(), bus());
    let mut check = later(&db, &bus).unwrap();
    let body = stored_body(&db);
    for n in [1, 1, 1, 2, 2] {
        state(bus.as_ref(), n, &body, at(1_001));
        assert!(!is_ready(check.step(at(1_001)).unwrap()));
    }
    state(bus.as_ref(), 4, &body, at(1_001));
    assert!(is_ready(check.step(at(1_001)).unwrap()));
}

/// With five seats a quorum is four, and three witnesses are in every quorum of which one is honest:
/// here the two numbers differ.
#[test]
fn a_start_needs_fewer_witnesses_than_a_quorum_when_fewer_are_in_all_of_them() {
    let options = WorldOptions {
        witnesses: 2,
        ..WorldOptions::default()
    };
    let world = World::new(2, options);
    assert_eq!((world.genesis.quorum, world.genesis.faults), (4, 1));

    let (db, bus) = (empty(), bus());
    let mut check = start_of(&world, &db, &bus).unwrap();
    let body = stored_body(&db);
    for (n, expected) in [(1, false), (4, false), (5, true)] {
        let topic = topics::cosignatures(world.seat(n).node);
        let cosignature = world.cosignature(n, &body, at(1_001));
        let letter = Letter::new(&topic, at(1_001));
        let record = world.record(Sender::Seat(n), letter, &cosignature);
        bus.publish(&[record]).unwrap();
        let found = is_ready(check.step(at(1_001)).unwrap());
        assert_eq!(found, expected, "after seat {n}");
    }
}

#[test]
fn a_topic_whose_records_the_bus_has_all_dropped_is_read_from_its_start() {
    let (db, inner) = (empty(), bus());
    let topic = Topic::new(&topics::cosignatures(node(4))).unwrap();
    let bus: Arc<dyn Bus> = Arc::new(Emptied { inner, topic });
    let mut check = later(&db, &bus).unwrap();
    assert!(!is_ready(check.step(at(1_001)).unwrap()));
    for n in 1..=3 {
        state(bus.as_ref(), n, &stored_body(&db), at(1_001));
    }
    assert!(is_ready(check.step(at(1_001)).unwrap()));
}

#[test]
fn statements_made_before_the_start_do_not_count() {
    let (db, bus) = (empty(), bus());
    let mut check = later(&db, &bus).unwrap();
    let body = stored_body(&db);
    for n in 1..=4 {
        state(bus.as_ref(), n, &body, at(1_000));
    }
    assert!(!is_ready(check.step(at(1_002)).unwrap()));
    for n in 1..=3 {
        state(bus.as_ref(), n, &body, at(1_001));
    }
    assert!(is_ready(check.step(at(1_002)).unwrap()));
}

#[test]
fn a_clock_that_was_ahead_at_the_start_counts_from_its_repair() {
    let (db, bus) = (empty(), bus());
    let mut check = open_start(&db, &bus, (at(600_000), 9)).unwrap();
    assert!(!is_ready(check.step(at(1_000)).unwrap()));
    for n in 1..=3 {
        state(bus.as_ref(), n, &stored_body(&db), at(1_001));
    }
    assert!(is_ready(check.step(at(1_001)).unwrap()));
}

/// Witnesses that owe a tightening say nothing of their own accord: without a question the writer
/// waited for as long as the clock had been ahead.
#[test]
fn hole_a_clock_that_was_ahead_when_the_start_asked_delays_no_further_question() {
    let (db, bus) = (empty(), bus());
    let mut check = later(&db, &bus).unwrap();
    check.step(at(600_000)).unwrap();
    let asked = batches(bus.as_ref()).len();

    check.step(at(3_000)).unwrap();
    check.step(at(4_999)).unwrap();
    assert_eq!(
        batches(bus.as_ref()).len(),
        asked,
        "the pause is two seconds"
    );
    check.step(at(5_000)).unwrap();
    assert_eq!(batches(bus.as_ref()).len(), asked + 1);
}

#[test]
fn a_database_behind_its_topic_does_not_start() {
    let (writer, old) = put_back();
    assert!(matches!(
        later(&old, &writer.bus),
        Err(StartError::DatabaseBehind {
            published: 2,
            stored: 1
        })
    ));
}

/// A record under the writer's key of the bus, once: it would keep every later start from becoming
/// ready, and no switch passes it.
#[test]
fn hole_batches_without_the_logs_signature_do_not_keep_a_writer_from_starting() {
    let mut writer = Running::new();
    writer.settle(START).unwrap();
    let known = batches(writer.bus.as_ref()).pop().unwrap();
    let many = vec![Vec::new(); 1_000];
    let invented = JournalBatch {
        first_seq: 0,
        entries: many.clone(),
        note: "x".to_owned(),
    };

    // What the log signed says how far it reaches; the entries beside it do not.
    let longer = JournalBatch {
        entries: many,
        ..known.clone()
    };

    // The same checkpoint, with a further line of signature below it.
    let stranger = NoteSigner::new("stranger.example", &[91; 32]).unwrap();
    let line = sign_note(&stored_body(&writer.db), &stranger).unwrap();
    let line = line.lines().last().unwrap().to_owned();
    let signed_twice = JournalBatch {
        note: format!("{}{line}\n", known.note),
        ..known
    };

    let publish = |batch: &JournalBatch| {
        let letter = Letter::new(topics::JOURNAL_ENTRIES, START);
        let record = world().record(Sender::Service(Role::Writer), letter, batch);
        writer.bus.publish(&[record]).unwrap();
    };
    for batch in [invented, longer, signed_twice] {
        publish(&batch);
        let mut check = later(&writer.db, &writer.bus).unwrap();
        publish(&batch);
        for n in 1..=3 {
            state(writer.bus.as_ref(), n, &stored_body(&writer.db), at(1_001));
        }
        assert!(is_ready(check.step(at(1_002)).unwrap()));
    }
}

#[test]
fn an_old_batch_that_was_published_again_does_not_hide_the_newest() {
    let (writer, old) = put_back();
    let all = writer.records(topics::JOURNAL_ENTRIES);
    writer.bus.publish(&all[..1]).unwrap();
    assert!(matches!(
        later(&old, &writer.bus),
        Err(StartError::DatabaseBehind {
            published: 2,
            stored: 1
        })
    ));
}

#[test]
fn a_topic_whose_records_are_held_back_is_not_taken_for_a_short_one() {
    let (writer, old) = put_back();
    let hiding = Hiding::new(Arc::clone(&writer.bus));
    hiding.hide_from(0);
    let shown: Arc<dyn Bus> = hiding;
    let refused = later(&old, &shown).map(drop).unwrap_err();
    assert!(matches!(refused, StartError::TopicUnread), "{refused}");
    assert!(refused.is_transient() && !refused.proves_restore());
}

#[test]
fn a_start_waits_for_its_own_question_to_come_back() {
    let (writer, old) = put_back();
    // A bus that lost its records, and delivers those of an earlier life late.
    let late = writer.records(topics::JOURNAL_ENTRIES);
    let hiding = Hiding::new(bus());
    let shown: Arc<dyn Bus> = hiding.clone();
    let mut check = later(&old, &shown).unwrap();
    hiding.hide_from(0);
    for n in 1..=4 {
        state(shown.as_ref(), n, &stored_body(&old), at(1_001));
    }
    assert!(!is_ready(check.step(at(1_002)).unwrap()));
    shown.publish(&late[1..]).unwrap();
    hiding.show_all();
    assert!(matches!(
        check.step(at(1_003)),
        Err(StartError::DatabaseBehind {
            published: 2,
            stored: 1
        })
    ));
}

/// What was published between an older record and the question may be of an earlier life.
#[test]
fn an_older_record_of_the_topic_does_not_stand_for_the_question() {
    let mut writer = Running::new();
    writer.settle(START).unwrap();
    let published = writer.records(topics::JOURNAL_ENTRIES).len() as u64;
    let hiding = Hiding::new(Arc::clone(&writer.bus));
    let shown: Arc<dyn Bus> = hiding.clone();
    let mut check = later(&writer.db, &shown).unwrap();
    hiding.hide_from(published);
    for n in 1..=3 {
        state(shown.as_ref(), n, &stored_body(&writer.db), at(1_001));
    }
    assert!(!is_ready(check.step(at(1_002)).unwrap()));
    hiding.show_all();
    assert!(is_ready(check.step(at(1_003)).unwrap()));
}

#[test]
fn witnesses_that_are_behind_on_the_same_history_are_level() {
    let (writer, old) = put_back();
    let (db, bus) = (Arc::clone(&writer.db), bus());
    let mut check = later(&db, &bus).unwrap();
    for n in 1..=3 {
        assert!(!is_ready(check.step(at(1_001)).unwrap()));
        state(bus.as_ref(), n, &stored_body(&old), at(1_001));
    }
    assert!(is_ready(check.step(at(1_001)).unwrap()));
}

#[test]
fn a_start_ends_when_the_process_is_asked_to_stop() {
    let (writer, _) = put_back();
    let stop = StopFlag::new();
    stop.set();

    // One topic is long to read, and one is long to fill.
    let hiding = Hiding::new(Arc::clone(&writer.bus));
    hiding.hide_from(0);
    let shown: Arc<dyn Bus> = hiding;
    for bus in [shown, bus()] {
        let stopped = open_start_until(&writer.db, &bus, (at(1_000), 9), &stop).map(drop);
        assert!(matches!(stopped, Err(StartError::Stopped)));
    }
}

#[test]
fn witnesses_that_know_more_than_the_database_stop_a_start_on_a_new_bus() {
    let (writer, old) = put_back();
    let newest = stored_body(&writer.db);
    let bus = bus();
    let mut check = later(&old, &bus).unwrap();
    for n in 1..=3 {
        state(bus.as_ref(), n, &stored_body(&old), at(1_001));
    }
    state(bus.as_ref(), 1, &newest, at(1_002));
    assert!(!is_ready(check.step(at(1_003)).unwrap()), "one may lie");
    state(bus.as_ref(), 2, &newest, at(1_002));
    let refused = check.step(at(1_003)).unwrap_err();
    assert!(matches!(
        refused,
        StartError::WitnessesAhead { witnesses: 2 }
    ));
    assert!(refused.proves_restore() && !refused.is_transient());
}

/// A quiet witness says nothing new for a while.
#[test]
fn what_witnesses_said_before_the_start_stops_it_if_it_is_more() {
    let (writer, old) = put_back();
    let bus = bus();
    for n in 1..=2 {
        state(bus.as_ref(), n, &stored_body(&writer.db), at(500));
    }
    let mut check = later(&old, &bus).unwrap();
    assert!(matches!(
        check.step(at(1_001)),
        Err(StartError::WitnessesAhead { witnesses: 2 })
    ));
}

#[test]
fn a_witness_that_has_shown_more_does_not_count_again() {
    let (db, bus) = (empty(), bus());
    let mut check = later(&db, &bus).unwrap();
    let body = stored_body(&db);
    state(bus.as_ref(), 3, &body.replace("\n1\n", "\n9\n"), at(1_001));
    for n in 1..=3 {
        state(bus.as_ref(), n, &body, at(1_002));
    }
    assert!(!is_ready(check.step(at(1_003)).unwrap()));
    state(bus.as_ref(), 4, &body, at(1_002));
    assert!(is_ready(check.step(at(1_003)).unwrap()));
}

#[test]
fn one_hostile_witness_does_not_keep_a_writer_from_starting() {
    let (db, bus) = (empty(), bus());
    let mut check = later(&db, &bus).unwrap();
    let body = stored_body(&db);
    state(bus.as_ref(), 4, &body.replace("\n1\n", "\n9\n"), at(1_001));
    for n in 1..=3 {
        assert!(!is_ready(check.step(at(1_001)).unwrap()));
        state(bus.as_ref(), n, &body, at(1_001));
    }
    assert!(is_ready(check.step(at(1_001)).unwrap()));
}

#[test]
fn a_writer_that_lost_database_and_bus_makes_entry_0_again_and_stops_there() {
    let (writer, _) = put_back();
    let newest = stored_body(&writer.db);
    let (db, bus) = (empty(), bus());
    let mut check = later(&db, &bus).unwrap();
    assert_eq!(
        batches(bus.as_ref())[0],
        batches(writer.bus.as_ref())[0],
        "entry 0 is the one that was published"
    );
    for n in 1..=3 {
        state(bus.as_ref(), n, &newest, at(1_001));
    }
    assert!(matches!(
        check.step(at(1_002)),
        Err(StartError::WitnessesAhead { witnesses: 3 })
    ));
}

#[test]
fn a_start_without_answers_asks_again_ever_more_seldom() {
    let (db, bus) = (empty(), bus());
    let mut check = later(&db, &bus).unwrap();
    let mut asked = Vec::new();
    for second in 1..=40 {
        let before = batches(bus.as_ref()).len();
        check.step(at(1_000 + second * 1_000)).unwrap();
        if batches(bus.as_ref()).len() > before {
            asked.push(second);
        }
    }
    assert_eq!(asked, [1, 3, 7, 15, 31]);

    // The pauses grow to ten minutes at most.
    for second in (100..6_000).step_by(100) {
        let before = batches(bus.as_ref()).len();
        check.step(at(1_000 + second * 1_000)).unwrap();
        if batches(bus.as_ref()).len() > before {
            asked.push(second);
        }
    }
    let pauses = asked.windows(2).map(|pair| pair[1] - pair[0]);
    assert_eq!(pauses.max(), Some(600));
}
