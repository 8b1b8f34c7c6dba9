use crate::fixture::*;
use std::sync::Arc;
use strongroom_journal::Body;
use strongroom_journal::state::Lookup as _;
use strongroom_stage::ShellError;
use strongroom_types::{Code, Signed};
use strongroom_wire::{JournalSubmitted, encode, topics};

fn answer(world: &World, id: u8) -> Result<u64, Code> {
    let answers = world.answers();
    let found = answers
        .into_iter()
        .find(|answer| answer.submission == [id; 16])
        .unwrap();
    found.result.map_err(|(code, _)| code)
}

#[test]
fn the_first_start_publishes_entry_0() {
    let mut world = World::new();
    world.settle(START).unwrap();
    assert_eq!(world.size(), 1);
    assert_eq!(world.replayed().read(|follower| follower.size()), 1);
}

#[test]
fn a_submission_is_appended_published_and_answered() {
    let mut world = World::new();
    world.settle(START).unwrap();
    world.submit(1, &Body::Act(stop(1)));
    world.settle(START).unwrap();
    assert_eq!(answer(&world, 1), Ok(1));
    assert!(
        world
            .replayed()
            .read(|follower| follower.state().platform().unwrap().stopped)
    );
}

#[test]
fn what_apply_refuses_is_answered_with_its_code_and_never_appended() {
    let mut world = World::new();
    world.settle(START).unwrap();
    let mut forged = stop(1);
    forged.endorsements[0].signature[0] ^= 1;
    world.submit(1, &Body::Act(forged));
    world.submit(2, &Body::Act(stop(2)));
    world.submit(3, &Body::Act(stop(2)));
    world.submit(
        4,
        &Body::Act(Signed {
            text: "{}".into(),
            endorsements: Vec::new(),
        }),
    );
    world.settle(START).unwrap();
    let answers = [1, 2, 3, 4].map(|id| answer(&world, id));
    assert_eq!(
        answers,
        [
            Err(Code::BadSignature),
            Ok(1),
            Err(Code::UsedAuthority),
            Err(Code::Malformed)
        ]
    );
    assert_eq!((world.size(), world.replayed().read(|f| f.size())), (2, 2));
}

#[test]
fn nobody_else_appends_ticks_or_a_genesis_and_nothing_is_appended_late_or_undecodable() {
    let mut world = World::new();
    world.settle(START).unwrap();
    world.submit(1, &Body::Tick);
    world.submit(2, &Body::Genesis(genesis().hash()));
    let late = JournalSubmitted {
        submission: [3; 16],
        body: encode(&Body::Act(stop(1))),
    };
    world.publish(topics::JOURNAL_SUBMITTED, (60, 60), START, &late);
    let junk = JournalSubmitted {
        submission: [4; 16],
        body: vec![99],
    };
    world.publish(topics::JOURNAL_SUBMITTED, (60, 60), at(1000), &junk);
    world.settle(START).unwrap();
    let answers = [1, 2, 3, 4].map(|id| answer(&world, id).unwrap_err());
    assert_eq!(
        answers,
        [
            Code::Unsupported,
            Code::Unsupported,
            Code::DeadlineExpired,
            Code::Malformed
        ]
    );
    assert_eq!(world.size(), 1);
}

#[test]
fn a_submission_by_a_stranger_or_of_another_role_becomes_a_dead_letter_and_the_rest_goes_on() {
    let mut world = World::new();
    world.settle(START).unwrap();
    let stop_it = JournalSubmitted {
        submission: [9; 16],
        body: encode(&Body::Act(stop(1))),
    };
    world.publish(topics::JOURNAL_SUBMITTED, (60, 61), at(1000), &stop_it);
    world.publish(topics::JOURNAL_SUBMITTED, (1, 11), at(1000), &stop_it);
    world.submit(1, &Body::Act(stop(2)));
    world.settle(START).unwrap();
    assert_eq!(
        (answer(&world, 1), world.answers().len(), world.size()),
        (Ok(1), 1, 2)
    );
    assert_eq!(
        world
            .records(&format!("{}.dlq", topics::JOURNAL_SUBMITTED))
            .len(),
        2
    );
}

#[test]
fn a_restarted_writer_goes_on_where_it_stood() {
    let mut world = World::new();
    world.settle(START).unwrap();
    world.submit(1, &Body::Act(stop(1)));
    world.settle(START).unwrap();
    let (db, bus) = (Arc::clone(&world.db), Arc::clone(&world.bus));
    let tip = world.shell.stage().follower().unwrap().tip().clone();
    drop(world);
    let mut world = World::on(db, bus, 2);
    assert_eq!(*world.shell.stage().follower().unwrap().tip(), tip);
    world.settle(START).unwrap();
    assert_eq!((world.size(), answer(&world, 1)), (2, Ok(1)));
    assert_eq!(
        world.replayed().read(|follower| follower.tip().clone()),
        tip
    );
}

#[test]
fn a_tick_comes_when_the_tip_grows_old_unwitnessed_and_none_when_it_is_witnessed() {
    let mut world = World::new();
    world.settle(START).unwrap();
    world.settle(at(29_000)).unwrap();
    assert_eq!(world.size(), 1);
    world.settle(at(30_000)).unwrap();
    assert_eq!(world.size(), 2, "an outage does not wedge the journal");
    let body = world.shell.stage().follower().unwrap().tip().body.clone();
    for n in 1..=3 {
        let said = cosigned(n, &body, at(30_000));
        world.publish(&topics::cosignatures(node(n)), (n, 10 + n), at(1000), &said);
    }
    world.settle(at(30_500)).unwrap();
    world.settle(at(90_000)).unwrap();
    assert_eq!(world.size(), 2);
}

fn say(world: &mut World, n: u8, body: &str) {
    world.publish(
        &topics::cosignatures(node(n)),
        (n, 10 + n),
        at(1000),
        &cosigned(n, body, START),
    );
}

#[test]
fn a_writer_whose_database_was_put_back_stops_before_it_orders_a_fork() {
    let mut world = World::new();
    world.settle(START).unwrap();
    let copy = world.db.snapshot().unwrap();
    world.submit(1, &Body::Act(stop(1)));
    world.settle(START).unwrap();
    let body = world.shell.stage().follower().unwrap().tip().body.clone();
    say(&mut world, 1, &body);
    say(&mut world, 4, &body);
    world.settle(START).unwrap();

    let restored = Arc::new(strongroom_store_sqlite::SqliteDb::from_snapshot(&copy).unwrap());
    let mut again = World::on(restored, Arc::clone(&world.bus), 7);
    assert!(matches!(again.settle(START), Err(ShellError::Fatal { .. })));
    assert_eq!(
        world
            .replayed()
            .read(|follower| (follower.size(), follower.halted().cloned())),
        (2, None)
    );
}

#[test]
fn one_hostile_witness_does_not_stop_the_writer() {
    let mut world = World::new();
    world.settle(START).unwrap();
    let body = world
        .shell
        .stage()
        .follower()
        .unwrap()
        .tip()
        .body
        .replace("\n1\n", "\n9\n");
    say(&mut world, 4, &body);
    world.submit(1, &Body::Act(stop(1)));
    world.settle(START).unwrap();
    assert_eq!(answer(&world, 1), Ok(1));
}
