//! Effects happen once, whatever the transport and the process do.

use std::time::Duration;

use strongroom_ports::db::Db as _;
use strongroom_stage::{CrashPoint, ShellError, StopFlag};

use crate::kit::{World, command, command_on, settle};

fn adds(n: u8) -> Vec<strongroom_ports::bus::Record> {
    (0..n)
        .map(|id| command(id, if id % 2 == 0 { "a" } else { "b" }, "add"))
        .collect()
}

#[test]
fn a_batch_is_one_commit_and_its_answers_are_published() {
    let world = World::new();
    let mut shell = world.shell();
    shell.step(0, Duration::ZERO).unwrap();
    let before = world.db.commits();
    world.publish(&adds(10));
    assert_eq!(shell.step(0, Duration::ZERO).unwrap().records, 10);
    world.publish(&[command(50, "a", "add")]);
    assert_eq!(shell.step(0, Duration::ZERO).unwrap().records, 1);
    assert_eq!(
        world.db.commits() - before,
        2,
        "sent rows are deleted by the next commit, not by their own"
    );
    assert_eq!((world.count("a"), world.count("b")), (6, 5));
    let a: Vec<i64> = world
        .announced()
        .into_iter()
        .filter(|(key, _)| key == "a")
        .map(|(_, n)| n)
        .collect();
    assert_eq!(a, [1, 2, 3, 4, 5, 6]);
}

#[test]
fn sent_rows_are_deleted_when_it_is_quiet() {
    let world = World::new();
    let mut shell = world.shell();
    world.publish(&adds(3));
    settle(&mut shell, 0);
    assert_eq!(world.rows("SELECT COUNT(*) FROM stage_outbox"), 3);
    settle(&mut shell, 499);
    assert_eq!(world.rows("SELECT COUNT(*) FROM stage_outbox"), 3);
    settle(&mut shell, 500);
    assert_eq!(world.rows("SELECT COUNT(*) FROM stage_outbox"), 0);
    let before = world.db.commits();
    settle(&mut shell, 999);
    assert_eq!(world.db.commits(), before, "idling costs nothing");
}

#[test]
fn a_record_delivered_twice_has_one_effect() {
    let world = World::new();
    let mut shell = world.shell();
    let twice = command(1, "a", "add");
    world.publish(&[twice.clone(), twice.clone()]);
    settle(&mut shell, 0);
    world.publish(&[twice]);
    settle(&mut shell, 0);
    assert_eq!(world.count("a"), 1);
    assert_eq!(world.announced(), [("a".to_owned(), 1)]);
}

#[test]
fn one_id_on_two_topics_is_two_records() {
    let world = World::new();
    let mut shell = world.shell();
    world.publish(&[
        command(1, "a", "add"),
        command_on("in-two.v1", 1, "a", "add"),
    ]);
    settle(&mut shell, 0);
    assert_eq!(
        world.count("a"),
        2,
        "a writer to one topic cannot suppress a record of another"
    );
}

#[test]
fn a_topic_replayed_from_the_start_has_no_effect() {
    let world = World::new();
    let mut shell = world.shell();
    world.publish(&adds(100));
    settle(&mut shell, 0);
    shell.close(0).unwrap();
    let mut tx = world.db.begin().unwrap();
    tx.execute("UPDATE stage_position SET next = 0", &[])
        .unwrap();
    tx.commit().unwrap();
    settle(&mut world.shell(), 0);
    assert_eq!(world.count("a") + world.count("b"), 100);
    assert_eq!(world.read("out.v1").len(), 100);
}

#[test]
fn a_crash_at_any_point_loses_and_doubles_nothing() {
    let points = [
        CrashPoint::BeforeCommit,
        CrashPoint::AfterCommit,
        CrashPoint::AfterPublish,
    ];
    for point in points {
        for nth in 1..=6 {
            let mut world = World::new();
            world.options.batch_records_max = 7;
            world.crashes.arm(point, nth);
            world.publish(&adds(40));
            let mut crashes = 0;
            let mut shell = world.shell();
            for now in 0.. {
                match shell.step(now, Duration::ZERO) {
                    Ok(progress) if progress.idle() => break,
                    Ok(_) => {}
                    Err(ShellError::Crashed(at)) => {
                        assert_eq!(at, point);
                        assert!(matches!(
                            shell.step(now, Duration::ZERO),
                            Err(ShellError::Ended)
                        ));
                        crashes += 1;
                        shell = world.shell();
                    }
                    Err(other) => panic!("{other}"),
                }
            }
            assert_eq!(crashes, 1, "{point:?} {nth}");
            assert_eq!(
                (world.count("a"), world.count("b")),
                (20, 20),
                "{point:?} {nth}"
            );
            assert_eq!(shell.stage().counts["a"], 20);
            let announced = world.announced();
            assert_eq!(announced.len(), 40, "{point:?} {nth}");
            for key in ["a", "b"] {
                let numbers: Vec<i64> = announced
                    .iter()
                    .filter(|(k, _)| k == key)
                    .map(|(_, n)| *n)
                    .collect();
                assert_eq!(numbers, (1..=20).collect::<Vec<_>>(), "{point:?} {nth}");
            }
        }
    }
}

#[test]
fn a_zombie_is_fenced_before_it_changes_anything() {
    let world = World::new();
    let mut old = world.shell();
    old.step(0, Duration::ZERO).unwrap();
    let mut new = world.shell();
    world.publish(&adds(4));
    assert!(matches!(
        old.step(1, Duration::ZERO),
        Err(ShellError::Fenced("counter"))
    ));
    assert_eq!(world.count("a"), 0);
    settle(&mut new, 1);
    assert_eq!((world.count("a"), world.read("out.v1").len()), (2, 4));
}

#[test]
fn a_zombie_cannot_tick() {
    let world = World::new();
    let mut old = world.shell();
    let _new = world.shell();
    world
        .switches
        .tick_writes
        .store(true, std::sync::atomic::Ordering::Relaxed);
    assert!(matches!(
        old.step(0, Duration::ZERO),
        Err(ShellError::Fenced(_))
    ));
    assert_eq!((world.count("tick"), world.read("ticks.v1").len()), (0, 0));
}

#[test]
fn a_position_that_another_process_moved_drops_the_batch() {
    let world = World::new();
    let mut shell = world.shell();
    world.publish(&adds(4));
    let mut tx = world.db.begin().unwrap();
    tx.execute(
        "UPDATE stage_position SET next = 2 WHERE topic = 'in.v1'",
        &[],
    )
    .unwrap();
    tx.commit().unwrap();
    assert!(matches!(
        shell.step(0, Duration::ZERO),
        Err(ShellError::Fenced(_))
    ));
    assert_eq!((world.count("a"), world.read("out.v1").len()), (0, 0));
}

#[test]
fn a_tick_commits_only_what_it_changed() {
    let world = World::new();
    let mut shell = world.shell();
    let before = world.db.commits();
    assert!(shell.step(0, Duration::ZERO).unwrap().ticked);
    assert!(!shell.step(999, Duration::ZERO).unwrap().ticked);
    assert_eq!(world.db.commits(), before);
    world
        .switches
        .tick_writes
        .store(true, std::sync::atomic::Ordering::Relaxed);
    assert!(shell.step(1000, Duration::ZERO).unwrap().ticked);
    assert_eq!(world.db.commits(), before + 1);
    assert_eq!((world.count("tick"), world.read("ticks.v1").len()), (1, 1));
    assert!(
        shell.step(10, Duration::ZERO).unwrap().ticked,
        "a clock that went back does not stop the ticks"
    );
}

#[test]
fn message_ids_are_forgotten_after_their_time() {
    let mut world = World::new();
    world.options.inbox_keep_ms = 1_000;
    world.options.prune_every_ms = 100;
    let mut shell = world.shell();
    for (id, now) in [(1, 10_000), (2, 10_500), (3, 11_200)] {
        world.publish(&[command(id, "a", "add")]);
        settle(&mut shell, now);
    }
    assert_eq!(world.rows("SELECT COUNT(*) FROM stage_inbox"), 2);
}

#[test]
fn a_thread_runs_it_until_told_to_stop() {
    struct Clock;
    impl strongroom_ports::host::Clock for Clock {
        fn now_ms(&self) -> u64 {
            1_000
        }
    }
    let world = World::new();
    let stop = StopFlag::new();
    let mut shell = world.shell();
    std::thread::scope(|scope| {
        let running = scope.spawn(|| shell.run(&Clock, &stop, &mut |_| {}));
        world.publish(&adds(10));
        while world.read("out.v1").len() < 10 {
            std::thread::yield_now();
        }
        stop.set();
        running.join().unwrap().unwrap();
    });
    assert_eq!(
        world.rows("SELECT COUNT(*) FROM stage_outbox"),
        0,
        "closing leaves nothing behind"
    );
}
