use crate::fixture::*;
use std::sync::Arc;
use std::time::Duration;
use strongroom_bus_embedded::{EmbeddedBus, Options};
use strongroom_ports::bus::{Bus, Headers, Mode, Record, Topic};
use strongroom_replica::{Feed, SharedFollower};
use strongroom_types::Code;
use strongroom_wire::{JournalBatch, Payload, Role, WitnessCosignature, topics};
use strongroom_world::{Letter, Sender};

const WRITER: Sender = Sender::Service(Role::Writer);

fn sealed<T: Payload>(from: Sender, topic: &str, payload: &T) -> Record {
    world().record(from, Letter::new(topic, START), payload)
}

fn entries(batch: &JournalBatch) -> Record {
    sealed(WRITER, topics::JOURNAL_ENTRIES, batch)
}

fn own_cosignature(n: u16, cosignature: &WitnessCosignature) -> Record {
    sealed(Sender::Seat(n), &topics::cosignatures(node(n)), cosignature)
}

#[test]
fn a_shared_follower_takes_entries_from_the_writer_and_cosignatures_from_witnesses_only() {
    let mut log = log();
    let shared = SharedFollower::new(genesis()).unwrap();
    let batch = log.tick(START);
    let receive = |record: Record| shared.receive(&record.payload, START);
    let code = |record: Record| receive(record).unwrap_err().code;
    let as_entries = |from| sealed(from, topics::JOURNAL_ENTRIES, &batch);
    assert_eq!(
        code(as_entries(Sender::Forged(Role::Writer))),
        Code::BadEnvelopeSignature
    );
    assert_eq!(
        code(as_entries(Sender::Seat(1))),
        Code::Malformed,
        "a signer is not a writer"
    );
    assert_eq!(receive(as_entries(WRITER)), Ok(2));
    let body = log.follower.tip().body.clone();
    let first = cosignature(1, &body, START);
    assert_eq!(
        code(sealed(WRITER, &topics::cosignatures(node(1)), &first)),
        Code::Malformed,
        "the writer is not a witness"
    );
    assert_eq!(
        code(own_cosignature(2, &first)),
        Code::BadSignature,
        "not its own"
    );
    for n in 1..=3 {
        receive(own_cosignature(n, &cosignature(n, &body, START))).unwrap();
    }
    assert_eq!(
        shared.read(|follower| follower.fresh(START).unwrap().size),
        2
    );
}

#[test]
fn a_panic_in_the_middle_of_a_write_stops_the_replica() {
    let shared = Arc::new(SharedFollower::new(genesis()).unwrap());
    let broken = Arc::clone(&shared);
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        broken.write(|_| panic!("bug"))
    }));
    assert!(panicked.is_err());
    assert_eq!(
        shared.read(|follower| follower.halted().unwrap().code),
        Code::Internal
    );
}

#[test]
fn a_feed_replays_the_bus_from_its_start_and_skips_junk() {
    let mut log = log();
    let bus: Arc<dyn Bus> =
        Arc::new(EmbeddedBus::open_in_memory(Mode::Dev, Options::default(), [1; 16]).unwrap());
    let publish = |record: Record| bus.publish(&[record]).unwrap();
    let (one, two) = (log.tick(START), log.tick(START));
    publish(Record {
        topic: Topic::new(topics::JOURNAL_ENTRIES).unwrap(),
        key: Vec::new(),
        headers: Headers::default(),
        payload: b"junk".to_vec(),
    });
    publish(entries(&two));
    publish(entries(&one));
    let shared = Arc::new(SharedFollower::new(genesis()).unwrap());
    let mut feed = Feed::new(Arc::clone(&bus), Arc::clone(&shared)).unwrap();
    assert_eq!(feed.step(|| START, Duration::ZERO).unwrap(), 3);
    assert_eq!(shared.read(|follower| follower.size()), 2);
    publish(entries(&two));
    for n in 1..=3 {
        let made = cosignature(n, &log.follower.tip().body, START);
        publish(own_cosignature(n, &made));
    }
    while feed.step(|| START, Duration::ZERO).unwrap() > 0 {}
    assert_eq!(
        shared.read(|follower| follower.fresh(START).unwrap().size),
        3
    );

    let mut other = salted_log(2);
    publish(entries(&other.tick(START)));
    let (three, four) = (other.tick(START), other.tick(START));
    assert!(
        shared.read(|follower| follower.head(2).is_none()),
        "forgotten, so not compared"
    );
    publish(entries(&four));
    assert_eq!(
        feed.step(|| START, Duration::ZERO).unwrap(),
        2,
        "of our tree it says nothing"
    );
    publish(entries(&three));
    assert!(
        feed.step(|| START, Duration::ZERO).is_err(),
        "two trees of one size stop the feed"
    );
}

/// Each witness makes some for every batch, and only its newest ones say anything.
#[test]
fn a_feed_reads_all_entries_and_of_each_witness_the_newest_cosignatures() {
    let mut log = log();
    let bus: Arc<dyn Bus> =
        Arc::new(EmbeddedBus::open_in_memory(Mode::Dev, Options::default(), [1; 16]).unwrap());
    let publish = |record: Record| bus.publish(&[record]).unwrap();
    for _ in 0..300 {
        publish(entries(&log.tick(START)));
    }
    for n in 1..=3 {
        let made = own_cosignature(n, &cosignature(n, &log.follower.tip().body, START));
        (0..300).for_each(|_| publish(made.clone()));
    }

    let shared = Arc::new(SharedFollower::new(genesis()).unwrap());
    let mut feed = Feed::new(Arc::clone(&bus), Arc::clone(&shared)).unwrap();
    let mut taken = 0;
    loop {
        match feed.step(|| START, Duration::ZERO).unwrap() {
            0 => break,
            some => taken += some,
        }
    }
    assert_eq!(taken, 300 + 3 * 256);
    let fresh = shared.read(|follower| follower.fresh(START).unwrap().size);
    assert_eq!(fresh, log.follower.size());
}
