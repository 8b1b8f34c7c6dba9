use crate::fixture::*;
use std::error::Error as _;
use std::sync::Arc;
use strongroom_journal::Body;
use strongroom_journal::state::Lookup as _;
use strongroom_stage::ShellError;
use strongroom_store_sqlite::SqliteDb;
use strongroom_types::{ActBody, Code, Scope, Signed, TenantId};
use strongroom_wire::{JournalResult, JournalSubmitted, Role, encode, topics};
use strongroom_world::{Letter, Sender};
use strongroom_writer::StartError;

fn answer(writer: &Running, id: u8) -> Result<u64, Code> {
    let answers = writer.answers();
    let found = answers
        .into_iter()
        .find(|answer| answer.submission == [id; 16])
        .unwrap();
    found.result.map_err(|(code, _)| code)
}

#[test]
fn the_first_start_publishes_entry_0() {
    let mut writer = Running::new();
    writer.settle(START).unwrap();
    assert_eq!(writer.size(), 1);
    assert_eq!(writer.replayed().read(|follower| follower.size()), 1);
}

#[test]
fn a_submission_is_appended_published_and_answered() {
    let mut writer = Running::new();
    writer.settle(START).unwrap();
    writer.submit(1, &Body::Act(stop(1)));
    writer.settle(START).unwrap();
    assert_eq!(answer(&writer, 1), Ok(1));
    assert!(
        writer
            .replayed()
            .read(|follower| follower.state().platform().unwrap().stopped)
    );
}

#[test]
fn what_apply_refuses_is_answered_with_its_code_and_never_appended() {
    let mut writer = Running::new();
    writer.settle(START).unwrap();
    let mut forged = stop(1);
    strongroom_world::forge(&mut forged.endorsements[0]);
    writer.submit(1, &Body::Act(forged));
    writer.submit(2, &Body::Act(stop(2)));
    writer.submit(3, &Body::Act(stop(2)));
    writer.submit(
        4,
        &Body::Act(Signed {
            text: "{}".into(),
            endorsements: Vec::new(),
        }),
    );
    writer.settle(START).unwrap();
    let answers = [1, 2, 3, 4].map(|id| answer(&writer, id));
    assert_eq!(
        answers,
        [
            Err(Code::BadSignature),
            Ok(1),
            Err(Code::UsedAuthority),
            Err(Code::Malformed)
        ]
    );
    assert_eq!(
        (writer.size(), writer.replayed().read(|f| f.size())),
        (2, 2)
    );
}

#[test]
fn ticks_and_a_genesis_from_others_and_late_or_undecodable_bodies_are_not_appended() {
    let mut writer = Running::new();
    writer.settle(START).unwrap();
    writer.submit(1, &Body::Tick);
    writer.submit(2, &Body::Genesis(genesis().hash()));
    let late = JournalSubmitted {
        submission: [3; 16],
        scope: Scope::Platform,
        body: encode(&Body::Act(stop(1))),
    };
    let letter = Letter::new(topics::JOURNAL_SUBMITTED, START);
    writer.publish(API, letter.until(START), &late);
    let junk = JournalSubmitted {
        submission: [4; 16],
        scope: Scope::Platform,
        body: vec![99],
    };
    writer.publish(API, letter, &junk);
    writer.settle(START).unwrap();
    let answers = [1, 2, 3, 4].map(|id| answer(&writer, id).unwrap_err());
    assert_eq!(
        answers,
        [
            Code::Unsupported,
            Code::Unsupported,
            Code::DeadlineExpired,
            Code::Malformed
        ]
    );
    assert_eq!(writer.size(), 1);
}

#[test]
fn body_of_another_scope_than_the_named_one_is_refused() {
    let mut writer = Running::new();
    writer.settle(START).unwrap();
    let named = JournalSubmitted {
        submission: [1; 16],
        scope: Scope::Tenant(TenantId([1; 16])),
        body: encode(&Body::Act(stop(1))),
    };
    let letter = Letter::new(topics::JOURNAL_SUBMITTED, START);
    writer.publish(API, letter, &named);
    writer.settle(START).unwrap();
    assert_eq!(answer(&writer, 1), Err(Code::WrongScope));

    let named = JournalSubmitted {
        submission: [2; 16],
        scope: Scope::Platform,
        ..named
    };
    writer.publish(API, letter, &named);
    writer.settle(START).unwrap();
    assert_eq!(answer(&writer, 2), Ok(1));
}

#[test]
fn a_submission_by_a_stranger_or_of_another_role_becomes_a_dead_letter_and_the_rest_goes_on() {
    let mut writer = Running::new();
    writer.settle(START).unwrap();
    let stop_it = JournalSubmitted {
        submission: [9; 16],
        scope: Scope::Platform,
        body: encode(&Body::Act(stop(1))),
    };
    let letter = Letter::new(topics::JOURNAL_SUBMITTED, START);
    writer.publish(Sender::Forged(Role::Api), letter, &stop_it);
    writer.publish(Sender::Service(Role::Writer), letter, &stop_it);
    writer.submit(1, &Body::Act(stop(2)));
    writer.settle(START).unwrap();
    assert_eq!(
        (answer(&writer, 1), writer.answers().len(), writer.size()),
        (Ok(1), 1, 2)
    );
    assert_eq!(
        writer
            .records(&format!("{}.dlq", topics::JOURNAL_SUBMITTED))
            .len(),
        2
    );
}

#[test]
fn a_witness_passes_on_tightenings_and_nothing_else() {
    let mut writer = Running::new();
    writer.settle(START).unwrap();
    let letter = Letter::new(topics::JOURNAL_SUBMITTED, START);
    let submitted = |body: &Body| JournalSubmitted {
        submission: [9; 16],
        scope: Scope::Platform,
        body: encode(body),
    };
    let loosening = Body::Act(platform_act(3, 1, ActBody::Resume));
    for (seat, size) in [(1, 2), (4, 3)] {
        let stop = Body::Act(stop(u8::try_from(seat).unwrap()));
        writer.publish(Sender::Seat(seat), letter, &submitted(&stop));
        writer.publish(Sender::Seat(seat), letter, &submitted(&loosening));
        writer.settle(START).unwrap();
        assert_eq!(writer.size(), size);
    }
    let answers = writer.records(topics::JOURNAL_RESULTS);
    let codes = answers.iter().map(|record| {
        let result: JournalResult = world().open(record).1;
        result.result.err().map(|(code, _)| code)
    });
    let unsupported = Some(Code::Unsupported);
    let wanted = [None, unsupported, None, unsupported];
    assert_eq!(codes.collect::<Vec<_>>(), wanted);
}

#[test]
fn a_restarted_writer_goes_on_where_it_stood() {
    let mut writer = Running::new();
    writer.settle(START).unwrap();
    writer.submit(1, &Body::Act(stop(1)));
    writer.settle(START).unwrap();
    let (db, bus) = (Arc::clone(&writer.db), Arc::clone(&writer.bus));
    let tip = writer.shell.stage().follower().unwrap().tip().clone();
    drop(writer);
    let mut writer = Running::on(db, bus, 2);
    assert_eq!(*writer.shell.stage().follower().unwrap().tip(), tip);
    writer.settle(START).unwrap();
    assert_eq!((writer.size(), answer(&writer, 1)), (2, Ok(1)));
    assert_eq!(
        writer.replayed().read(|follower| follower.tip().clone()),
        tip
    );
}

#[test]
fn a_tick_comes_when_the_tip_grows_old_unwitnessed_and_none_when_it_is_witnessed() {
    // Entry 0 is made, and no witness has answered.
    let (db, bus) = (Arc::new(SqliteDb::open_in_memory().unwrap()), bus());
    open_start(&db, &bus, (START, 1)).unwrap();
    let mut writer = Running::unchecked(db, bus, 1);
    writer.settle(START).unwrap();
    writer.settle(at(29_000)).unwrap();
    assert_eq!(writer.size(), 1);
    writer.settle(at(30_000)).unwrap();
    assert_eq!(writer.size(), 2, "an outage does not wedge the journal");
    let body = writer.shell.stage().follower().unwrap().tip().body.clone();
    for n in 1..=3 {
        writer.cosign(n, &body, at(30_000));
    }
    writer.settle(at(30_500)).unwrap();
    writer.settle(at(90_000)).unwrap();
    assert_eq!(writer.size(), 2);
}

#[test]
fn a_writer_whose_database_was_put_back_stops_before_it_orders_a_fork() {
    let mut writer = Running::new();
    writer.settle(START).unwrap();
    let copy = writer.db.snapshot().unwrap();
    writer.submit(1, &Body::Act(stop(1)));
    writer.settle(START).unwrap();
    let body = writer.shell.stage().follower().unwrap().tip().body.clone();
    writer.cosign(1, &body, START);
    writer.cosign(4, &body, START);
    writer.settle(START).unwrap();

    let restored = Arc::new(SqliteDb::from_snapshot(&copy).unwrap());
    let mut again = Running::unchecked(restored, Arc::clone(&writer.bus), 7);
    let Err(ShellError::Fatal { source, .. }) = again.settle(START) else {
        panic!("it goes on");
    };

    // By its cause the role ends as one whose start found it.
    let cause: Option<&StartError> = source.source().and_then(|cause| cause.downcast_ref());
    assert!(cause.is_some_and(StartError::proves_restore), "{source}");
    assert_eq!(
        writer
            .replayed()
            .read(|follower| (follower.size(), follower.halted().cloned())),
        (2, None)
    );
}

#[test]
fn one_hostile_witness_does_not_stop_the_writer() {
    let mut writer = Running::new();
    writer.settle(START).unwrap();
    let body = writer
        .shell
        .stage()
        .follower()
        .unwrap()
        .tip()
        .body
        .replace("\n1\n", "\n9\n");
    writer.cosign(4, &body, START);
    writer.submit(1, &Body::Act(stop(1)));
    writer.settle(START).unwrap();
    assert_eq!(answer(&writer, 1), Ok(1));
}

#[test]
fn what_waits_is_witnessed_before_the_next_submission_is_ordered() {
    let mut writer = Running::new();
    writer.settle(START).unwrap();
    writer.submit(1, &Body::Act(stop(1)));
    writer.settle(START).unwrap();
    writer.submit(2, &Body::Act(platform_act(2, 2, ActBody::Resume)));
    writer.settle(START).unwrap();
    assert_eq!(answer(&writer, 2), Ok(2));

    writer.submit(3, &Body::Act(quarantine(3, 1)));
    writer.settle(START).unwrap();
    assert_eq!(writer.size(), 3, "held back");

    let body = writer.shell.stage().follower().unwrap().tip().body.clone();
    for n in 1..=3 {
        writer.cosign(n, &body, START);
    }
    writer.settle(START).unwrap();
    assert_eq!(answer(&writer, 3), Ok(4));
    let platform = writer.replayed().read(|f| f.state().platform().unwrap());
    assert_eq!((platform.stopped, platform.quarantined), (false, vec![1]));
}

#[test]
fn hole_a_cosignature_is_not_dropped_for_a_forged_copy_of_it() {
    let mut writer = Running::new();
    writer.submit(1, &Body::Act(stop(1)));
    writer.settle(START).unwrap();
    let body = writer.shell.stage().follower().unwrap().tip().body.clone();
    let witnessed = |writer: &Running| writer.shell.stage().follower().unwrap().witnessed();

    // The bus holds the third one back, and delivers a copy of it first.
    writer.cosign(1, &body, START);
    writer.cosign(2, &body, START);
    let topic = topics::cosignatures(node(3));
    let cosignature = cosignature(3, &body, START);
    let third = world().record(Sender::Seat(3), Letter::new(&topic, START), &cosignature);
    let mut forged = third.clone();
    *forged.payload.last_mut().unwrap() ^= 1;
    writer.bus.publish(&[forged]).unwrap();
    writer.settle(START).unwrap();
    assert_eq!(witnessed(&writer), 1);

    writer.bus.publish(&[third]).unwrap();
    writer.settle(START).unwrap();
    assert_eq!(witnessed(&writer), 2);
}

#[test]
fn silent_witnesses_hold_submissions_back_for_two_seconds_at_most() {
    let mut writer = Running::new();
    writer.settle(START).unwrap();
    writer.submit(1, &Body::Act(stop(1)));
    writer.settle(START).unwrap();
    writer.submit(2, &Body::Act(platform_act(2, 2, ActBody::Resume)));
    writer.settle(START).unwrap();
    writer.submit(3, &Body::Act(quarantine(3, 1)));
    writer.settle(at(1_999)).unwrap();
    assert_eq!(writer.size(), 3);
    writer.settle(at(2_000)).unwrap();
    assert_eq!(answer(&writer, 3), Ok(3));
}

/// By the order of the answers, which is that of the offers.
#[test]
fn scopes_have_their_turns_and_tightenings_and_the_platform_come_first() {
    let mut writer = Running::new();
    writer.settle(START).unwrap();
    let [one, two] = [1, 2].map(|n| Scope::Tenant(TenantId([n; 16])));
    let resume = |n| Body::Act(platform_act(n, 1, ActBody::Resume));
    for n in 1..=40 {
        writer.submit_to(one, n, &resume(n));
    }
    writer.submit_to(two, 41, &resume(41));
    writer.submit_to(two, 42, &resume(42));
    writer.submit_to(one, 43, &Body::Act(stop(43)));
    writer.submit_to(one, 44, &Body::Act(stop(44)));
    writer.submit(45, &Body::Act(stop(45)));
    writer.submit_to(Scope::Platform, 46, &resume(46));
    writer.settle(START).unwrap();

    let order: Vec<u8> = writer
        .answers()
        .iter()
        .map(|answer| answer.submission[0])
        .collect();
    let urgent = [43, 45, 44, 46];
    let turns = [1, 41, 2, 42];
    let rest = 3..=40;
    let expected: Vec<u8> = urgent.into_iter().chain(turns).chain(rest).collect();
    assert_eq!(order, expected);
    assert_eq!(answer(&writer, 45), Ok(1));
}

/// Each answer is that of its own submission, also where some are refused unread.
#[test]
fn answers_are_not_mixed_up_by_submissions_that_are_never_offered() {
    let mut writer = Running::new();
    writer.settle(START).unwrap();
    let tenant = Scope::Tenant(TenantId([1; 16]));
    let resume = |n| Body::Act(platform_act(n, 1, ActBody::Resume));
    writer.submit_to(tenant, 1, &resume(1));
    writer.submit(2, &Body::Tick);
    writer.submit(3, &Body::Act(stop(3)));
    writer.submit(4, &Body::Tick);
    writer.submit_to(tenant, 5, &resume(5));
    writer.submit(6, &Body::Act(stop(6)));
    writer.settle(START).unwrap();
    let (wrong, never) = (Err(Code::WrongScope), Err(Code::Unsupported));
    assert_eq!(
        [1, 2, 3, 4, 5, 6].map(|id| answer(&writer, id)),
        [wrong, never, Ok(1), never, wrong, Ok(2)]
    );
}
