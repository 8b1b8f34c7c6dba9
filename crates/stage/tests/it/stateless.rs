//! Stages whose output is a pure function of their input.

use std::time::Duration;

use strongroom_ports::bus::{Delivered, Record, Topic};
use strongroom_ports::db::{Db as _, Migration, Tx};
use strongroom_stage::{NoFaults, Shell, Stage, StageError};

use crate::kit::{World, command, topic};

struct Relay;

impl Stage for Relay {
    fn name(&self) -> &'static str {
        "relay"
    }
    fn topics(&self) -> Vec<Topic> {
        vec![topic("in.v1")]
    }
    fn migrations(&self) -> &'static [Migration] {
        &[]
    }
    fn handle(
        &mut self,
        _: u64,
        tx: &mut dyn Tx,
        batch: &[Delivered],
    ) -> Result<Vec<Record>, StageError> {
        assert!(tx.query("SELECT 1", &[]).is_err(), "it has no database");
        if batch
            .iter()
            .any(|d| d.record.payload.starts_with(b"poison"))
        {
            return Err(StageError::poison("no"));
        }
        Ok(batch
            .iter()
            .flat_map(|d| {
                let same = Record {
                    topic: topic("out.v1"),
                    ..d.record.clone()
                };
                let mut large = same.clone();
                large.payload = vec![0; Record::PAYLOAD_MAX + 1];
                let is_big = d.record.payload.starts_with(b"big");
                is_big.then_some(large).into_iter().chain([same])
            })
            .collect())
    }
    fn stateless(&self) -> bool {
        true
    }
}

fn relay(world: &World) -> Shell<Relay> {
    Shell::new(
        Relay,
        world.db.clone(),
        world.bus.clone(),
        world.options,
        Box::new(NoFaults),
    )
    .unwrap()
}

fn position(world: &World) -> i64 {
    world.rows("SELECT next FROM stage_position WHERE stage = 'relay'")
}

fn step(shell: &mut Shell<Relay>, now_ms: u64) -> usize {
    shell.step(now_ms, Duration::ZERO).unwrap().records
}

#[test]
fn nothing_is_committed_per_batch() {
    let world = World::new();
    let mut shell = relay(&world);
    let before = world.db.commits();
    for id in 0..63 {
        world.publish(&[command(id, "a", "add")]);
        assert_eq!(step(&mut shell, 0), 1);
    }
    assert_eq!((world.db.commits() - before, position(&world)), (0, 0));
    assert_eq!(world.read("out.v1").len(), 63);
    world.publish(&[command(63, "a", "add")]);
    step(&mut shell, 0);
    assert_eq!(
        (world.db.commits() - before, position(&world)),
        (1, 64),
        "every 64 batches"
    );
    world.publish(&[command(64, "a", "add")]);
    step(&mut shell, 10);
    step(&mut shell, 1_010);
    assert_eq!(
        (world.db.commits() - before, position(&world)),
        (2, 65),
        "or a second after the first"
    );
    step(&mut shell, 5_000);
    assert_eq!(world.db.commits() - before, 2, "idling costs nothing");
}

#[test]
fn hole_a_record_that_is_too_large_is_dropped_where_memory_has_changed() {
    let world = World::new();
    let mut shell = relay(&world);
    world.publish(&[command(1, "a", "big"), command(2, "a", "add")]);
    step(&mut shell, 0);

    let out = world.read("out.v1");
    let sizes: Vec<usize> = out.iter().map(|record| record.payload.len()).collect();
    assert_eq!(sizes, [4, 4], "only the large one is missing");
}

#[test]
fn a_restart_publishes_the_same_records_again() {
    let world = World::new();
    let mut shell = relay(&world);
    world.publish(&[command(1, "a", "add"), command(2, "a", "add")]);
    step(&mut shell, 0);
    drop(shell);
    let mut shell = relay(&world);
    step(&mut shell, 0);
    let out = world.read("out.v1");
    assert_eq!((out.len(), &out[..2]), (4, &out[2..]));
    shell.close(0).unwrap();
    assert_eq!(position(&world), 2);
    assert_eq!(
        step(&mut relay(&world), 0),
        0,
        "a clean end repeats nothing"
    );
}

#[test]
fn positions_are_not_saved_past_unsent_records() {
    let world = World::new();
    let mut shell = relay(&world);
    world.publish(&[command(1, "a", "add")]);
    world
        .bus
        .down
        .store(true, std::sync::atomic::Ordering::Relaxed);
    step(&mut shell, 0);
    assert!(shell.step(5_000, Duration::ZERO).unwrap().blocked.is_some());
    shell.close(6_000).unwrap();
    assert_eq!(position(&world), 0);
    world
        .bus
        .down
        .store(false, std::sync::atomic::Ordering::Relaxed);
    step(&mut relay(&world), 7_000);
    assert_eq!(world.read("out.v1").len(), 1);
}

#[test]
fn a_zombie_cannot_save_its_position() {
    let world = World::new();
    let mut old = relay(&world);
    world.publish(&[command(1, "a", "add")]);
    step(&mut old, 0);
    let _new = relay(&world);
    assert!(old.step(2_000, Duration::ZERO).is_err());
    assert_eq!(position(&world), 0);
}

#[test]
fn poison_is_set_aside_here_too() {
    let world = World::new();
    let mut shell = relay(&world);
    world.publish(&[
        command(1, "a", "add"),
        command(2, "a", "poison"),
        command(3, "a", "add"),
    ]);
    let progress = shell.step(0, Duration::ZERO).unwrap();
    assert_eq!((progress.records, progress.dead), (3, 1));
    assert_eq!(
        (world.read("out.v1").len(), world.read("in.v1.dlq").len()),
        (2, 1)
    );
}
