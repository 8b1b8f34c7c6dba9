//! The writer's role appends nothing before topic and witnesses have answered.

use crate::fixture::Installation;
use std::time::Duration;
use strongroom::roles::RoleName;
use strongroom::run::Running;
use strongroom_host::SystemClock;
use strongroom_journal::Body;
use strongroom_ports::bus::Topic;
use strongroom_ports::host::Clock as _;
use strongroom_stage::StopFlag;
use strongroom_tlog::Checkpoint;
use strongroom_types::{ActBody, Scope, Tighten, UnixMs};
use strongroom_wire::{
    JournalBatch, JournalResult, JournalSubmitted, Payload, Role, encode, topics,
};
use strongroom_world::{Letter, Sender, Who};

/// Pause between two looks.
const LOOK: Duration = Duration::from_millis(20);

fn now() -> UnixMs {
    UnixMs(SystemClock.now_ms())
}

/// Waits until `found` gives something.
fn until<T>(mut found: impl FnMut() -> Option<T>) -> T {
    let pause = StopFlag::new();
    for _ in 0..1_000 {
        if let Some(found) = found() {
            return found;
        }
        let _ = pause.wait(LOOK);
    }
    panic!("not within 20 s");
}

fn start(installation: &Installation) -> Running {
    installation.start(&[RoleName::Writer]).unwrap()
}

/// Everything on a topic.
fn published<T: Payload>(installation: &Installation, running: &Running, topic: &str) -> Vec<T> {
    let (bus, topic) = (&running.parts().bus, Topic::new(topic).unwrap());
    let wants = [(topic.clone(), bus.start(&topic).unwrap())];
    let records = bus.fetch(&wants, 1_000, Duration::ZERO).unwrap();
    let open = |record| installation.world.open(&record).1;
    records.into_iter().map(|d| open(d.record)).collect()
}

/// Every batch on the entries topic, repeated ones too.
fn batches(installation: &Installation, running: &Running) -> Vec<JournalBatch> {
    published(installation, running, topics::JOURNAL_ENTRIES)
}

/// The writer's answers to submissions.
fn results(installation: &Installation, running: &Running) -> Vec<JournalResult> {
    published(installation, running, topics::JOURNAL_RESULTS)
}

/// The API submits a stop of the platform, which is good at any version.
fn submit(installation: &Installation, running: &Running) {
    let (world, now) = (&installation.world, now());
    let stop = ActBody::Tighten(Tighten::Stop);
    let act = world.act(now, Scope::Platform, stop, 0);
    let submitted = JournalSubmitted {
        submission: [1; 16],
        scope: Scope::Platform,
        body: encode(&Body::Act(world.sign(&act, &[Who::PlatformAdmin]))),
    };
    let letter = Letter::new(topics::JOURNAL_SUBMITTED, now);
    let record = world.record(Sender::Service(Role::Api), letter, &submitted);
    running.parts().bus.publish(&[record]).unwrap();
}

/// Three witnesses of four say now that they know this head and no other.
fn answer(installation: &Installation, running: &Running, batch: &JournalBatch) {
    let (world, now) = (&installation.world, now());
    let (body, _) = batch.note.split_once("\n\n").unwrap();
    let body = format!("{body}\n");
    assert!(Checkpoint::parse(&body).is_ok());
    for n in 1..=3 {
        let topic = topics::cosignatures(world.seat(n).node);
        let cosignature = world.cosignature(n, &body, now);
        let letter = Letter::new(&topic, now);
        let record = world.record(Sender::Seat(n), letter, &cosignature);
        running.parts().bus.publish(&[record]).unwrap();
    }
}

/// Lets the witnesses answer until the writer has appended what was submitted.
fn answer_until_appended(installation: &Installation, running: &Running) {
    let result = until(|| {
        let batches = batches(installation, running);
        let last = batches.last()?;
        if last.first_seq == 0 {
            answer(installation, running, last);
        }
        results(installation, running).pop()
    });

    // Entry 0 may be followed by a tick first, because its date is that of genesis.
    assert!(result.result.is_ok_and(|seq| seq > 0));
}

#[test]
fn without_witnesses_a_writer_appends_nothing_and_with_them_what_was_submitted() {
    let installation = Installation::new(1);
    let running = start(&installation);
    submit(&installation, &running);

    // It asks again with the bytes of entry 0; what was submitted would have come before that.
    let asked = until(|| {
        let batches = batches(&installation, &running);
        (batches.len() >= 2).then_some(batches)
    });
    assert!(asked.iter().all(|batch| *batch == asked[0]), "{asked:?}");
    assert_eq!((asked[0].first_seq, asked[0].entries.len()), (0, 1));
    assert_eq!(results(&installation, &running), Vec::new());

    answer_until_appended(&installation, &running);
    assert_eq!(running.failure(), None);
    running.stop();
}

#[test]
fn a_writer_whose_database_is_shorter_than_its_topic_ends_with_a_code_and_the_cure() {
    let installation = Installation::new(1);
    let store = installation.path("roles/writer/store.sqlite");

    // The copy is made while no process has the database open: it is whole.
    let running = start(&installation);
    until(|| batches(&installation, &running).pop());
    running.stop();
    let copy = std::fs::read(&store).unwrap();

    let running = start(&installation);
    submit(&installation, &running);
    answer_until_appended(&installation, &running);
    running.stop();

    std::fs::write(&store, copy).unwrap();
    let running = start(&installation);
    let failure = until(|| running.failure());
    running.stop();
    assert_eq!(failure.code, 12, "{failure}");
    let says = "writer: the entries topic reaches ";
    assert!(failure.what.starts_with(says), "{failure}");
    let says = " entries, the writer's database only 1. Put the newest copy";
    assert!(failure.what.contains(says), "{failure}");
}
