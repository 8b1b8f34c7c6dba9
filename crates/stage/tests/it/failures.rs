//! Poison, transient failures, a bus that is away, commits of unknown outcome.

use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use strongroom_ports::bus::{Bus as _, BusError, Record};
use strongroom_ports::db::Db as _;
use strongroom_stage::{DeadLetter, ShellError};

use crate::kit::{Commit, World, command, number, settle, topic};

fn letters(world: &World) -> Vec<DeadLetter> {
    world
        .read("in.v1.dlq")
        .iter()
        .map(|r| borsh::from_slice(&r.payload).unwrap())
        .collect()
}

#[test]
fn a_poison_record_stands_alone_in_the_end() {
    let world = World::new();
    let mut records: Vec<Record> = (0..40).map(|id| command(id, "a", "add")).collect();
    records[17] = command(17, "b", "poison");
    world.publish(&records);
    let mut shell = world.shell();
    let progress = shell.step(5, Duration::ZERO).unwrap();
    assert_eq!((progress.records, progress.dead), (40, 1));
    assert_eq!((world.count("a"), world.count("b")), (39, 0));
    assert_eq!(
        (shell.stage().counts["a"], shell.stage().counts.get("b")),
        (39, None),
        "memory was reloaded"
    );
    let numbers: Vec<i64> = world.announced().into_iter().map(|(_, n)| n).collect();
    assert_eq!(numbers, (1..=39).collect::<Vec<_>>());
    let letters = letters(&world);
    assert_eq!(letters.len(), 1);
    let letter = &letters[0];
    assert_eq!(
        (letter.stage.as_str(), letter.topic.as_str()),
        ("counter", "in.v1")
    );
    assert_eq!(
        (letter.partition, letter.offset, letter.attempts),
        (0, 17, 1)
    );
    assert_eq!(
        (letter.key.as_slice(), letter.cause.as_str()),
        (b"b".as_slice(), "not a command")
    );
    assert_eq!(letter.headers, records[17].headers);
    assert_eq!(letter.payload.as_deref(), Some(b"poison\x11".as_slice()));
}

#[test]
fn a_dead_letter_can_be_replayed() {
    let world = World::new();
    world.publish(&[command(1, "a", "poison")]);
    let mut shell = world.shell();
    settle(&mut shell, 0);
    assert_eq!((world.count("a"), letters(&world).len()), (0, 1));
    world.switches.poison_is_fine.store(true, Relaxed);
    world.publish(&[command(1, "a", "poison")]);
    settle(&mut shell, 0);
    assert_eq!((world.count("a"), letters(&world).len()), (1, 1));
}

#[test]
fn an_answer_that_is_too_large_makes_its_cause_a_dead_letter() {
    let world = World::new();
    world.publish(&[
        command(1, "a", "add"),
        command(2, "a", "big"),
        command(3, "a", "add"),
    ]);
    let mut shell = world.shell();
    settle(&mut shell, 0);
    assert_eq!(world.count("a"), 2);
    assert!(
        letters(&world)[0].cause.contains("262145"),
        "{}",
        letters(&world)[0].cause
    );
}

#[test]
fn hole_a_record_whose_values_no_table_holds_is_a_dead_letter() {
    let world = World::new();
    world.publish(&[
        command(1, "a", "add"),
        command(2, "a", "nul"),
        command(3, "a", "large"),
        command(4, "a", "add"),
    ]);
    let mut shell = world.shell();
    settle(&mut shell, 0);

    assert_eq!(world.count("a"), 2);
    let causes: Vec<String> = letters(&world).into_iter().map(|l| l.cause).collect();
    assert_eq!(causes.len(), 2);
    assert!(
        causes.iter().all(|cause| cause.contains("bad value")),
        "{causes:?}"
    );
}

#[test]
fn hole_a_ticks_record_that_is_too_large_is_dropped_and_the_stage_goes_on() {
    let world = World::new();
    world.switches.tick_writes.store(true, Relaxed);
    world.switches.tick_is_too_large.store(true, Relaxed);
    let mut shell = world.shell();
    for now in [1_000, 2_000] {
        shell.step(now, Duration::ZERO).unwrap();
    }
    world.publish(&[command(1, "a", "add")]);
    settle(&mut shell, 2_001);

    assert_eq!(world.read("ticks.v1").len(), 2, "the others are sent");
    assert_eq!((world.count("tick"), world.count("a")), (2, 1));
    assert!(letters(&world).is_empty());
}

#[test]
fn a_transient_failure_is_tried_again_in_place() {
    let world = World::new();
    world.switches.transient.store(true, Relaxed);
    world.publish(&[command(1, "a", "transient"), command(2, "a", "add")]);
    let mut shell = world.shell();
    let blocked = shell.step(1_000, Duration::ZERO).unwrap();
    assert!(blocked.blocked.unwrap().contains("a part is away"));
    assert_eq!(world.count("a"), 0);
    assert!(
        shell.step(1_009, Duration::ZERO).unwrap().blocked.is_some(),
        "held back for 10 ms"
    );
    world.switches.transient.store(false, Relaxed);
    assert!(shell.step(1_009, Duration::ZERO).unwrap().blocked.is_some());
    assert_eq!(shell.step(1_010, Duration::ZERO).unwrap().records, 2);
    assert_eq!(
        world.announced(),
        [("a".to_owned(), 1), ("a".to_owned(), 2)]
    );
    assert!(letters(&world).is_empty());
}

#[test]
fn while_the_bus_is_away_nothing_new_is_handled_and_nothing_overtakes() {
    let world = World::new();
    let mut shell = world.shell();
    world.bus.down.store(true, Relaxed);
    world.publish(&[command(1, "a", "add")]);
    assert_eq!(shell.step(0, Duration::ZERO).unwrap().records, 1);
    world.publish(&[command(2, "a", "add")]);
    for now in [1, 2_000, 4_000] {
        assert!(shell.step(now, Duration::ZERO).unwrap().blocked.is_some());
    }
    assert_eq!((world.count("a"), world.read("out.v1").len()), (1, 0));
    // The process dies before the record is published. The next one sends the committed record
    // first, then the rest.
    drop(shell);
    world.bus.down.store(false, Relaxed);
    settle(&mut world.shell(), 9_000);
    let numbers: Vec<i64> = world
        .read("out.v1")
        .into_iter()
        .map(|r| number(&r))
        .collect();
    assert_eq!(numbers, [1, 2]);
}

#[test]
fn a_busy_database_only_delays() {
    let world = World::new();
    let mut shell = world.shell();
    shell.step(0, Duration::ZERO).unwrap();
    world.publish(&[command(1, "a", "add")]);
    world.db.busy.store(true, Relaxed);
    let cause = shell.step(1, Duration::ZERO).unwrap().blocked.unwrap();
    assert!(cause.contains("code 5"), "down to the engine: {cause}");
    world.db.busy.store(false, Relaxed);
    assert_eq!(shell.step(100, Duration::ZERO).unwrap().records, 1);
}

#[test]
fn after_a_failed_commit_the_stage_is_rebuilt_whatever_happened() {
    for how in [Commit::FailsUndone, Commit::FailsDone] {
        let world = World::new();
        let mut shell = world.shell();
        world.publish(&[command(1, "a", "add"), command(2, "a", "add")]);
        *world.db.commit.lock().unwrap() = how;
        let error = shell.step(0, Duration::ZERO).unwrap_err();
        assert!(matches!(error, ShellError::CommitUnknown { .. }) && error.may_restart());
        assert!(matches!(
            shell.step(0, Duration::ZERO),
            Err(ShellError::Ended)
        ));
        assert_eq!(
            world.read("out.v1").len(),
            0,
            "nothing is published that may not have happened"
        );
        *world.db.commit.lock().unwrap() = Commit::Works;
        let mut shell = world.shell();
        settle(&mut shell, 1);
        assert_eq!((world.count("a"), shell.stage().counts["a"]), (2, 2));
        assert_eq!(
            world.announced(),
            [("a".to_owned(), 1), ("a".to_owned(), 2)]
        );
    }
}

#[test]
fn a_fatal_error_stops_the_shell_and_moves_nothing() {
    let world = World::new();
    let mut shell = world.shell();
    world.publish(&[command(1, "a", "add"), command(2, "a", "fatal")]);
    let error = shell.step(0, Duration::ZERO).unwrap_err();
    assert!(matches!(&error, ShellError::Fatal { source, .. } if source.chain() == "cannot be"));
    assert!(!error.may_restart());
    assert_eq!(
        (
            world.count("a"),
            world.rows("SELECT CAST(SUM(next) AS BIGINT) FROM stage_position")
        ),
        (0, 0)
    );
}

#[test]
fn a_position_that_retention_dropped_stops_with_a_clear_error() {
    let world = World::new();
    let mut shell = world.shell();
    world.publish(
        &(0..10)
            .map(|id| command(id, "a", "add"))
            .collect::<Vec<_>>(),
    );
    world.bus.inner.trim(&topic("in.v1"), 4).unwrap();
    let error = shell.step(0, Duration::ZERO).unwrap_err();
    assert!(!error.may_restart());
    let ShellError::Bus {
        source:
            BusError::PositionGone {
                wanted: 0,
                oldest: 4,
                ..
            },
        ..
    } = error
    else {
        panic!("{error}");
    };
    assert!(world.bus.end(&topic("out.v1")).unwrap().next == 0 && world.db.begin().is_ok());
}
