use crate::fixture::*;
use ed25519_dalek::SigningKey;
use std::sync::Arc;
use std::time::Duration;
use strongroom_bus_embedded::{EmbeddedBus, Options};
use strongroom_ports::bus::{Bus, Headers, Mode, Record, Topic};
use strongroom_replica::{Feed, SharedFollower};
use strongroom_types::{Code, NodeId, UnixMs};
use strongroom_wire::envelope::Heading;
use strongroom_wire::{Payload, seal, topics};

fn sealed<T: Payload>(from: NodeId, seed: u8, payload: &T) -> Vec<u8> {
    let heading = Heading {
        genesis: genesis().hash(),
        from,
        to: None,
        session: [0; 16],
        sequence: 1,
        created: START,
        deadline: UnixMs(1),
    };
    seal(heading, payload, &SigningKey::from_bytes(&[seed; 32]))
}

#[test]
fn a_shared_follower_takes_entries_from_the_writer_and_cosignatures_from_witnesses_only() {
    let mut log = Log::new();
    let shared = SharedFollower::new(genesis()).unwrap();
    let batch = log.tick(START);
    let code = |record: Vec<u8>| shared.receive(&record, START).unwrap_err().code;
    assert_eq!(
        code(sealed(node(50), 51, &batch)),
        Code::BadEnvelopeSignature
    );
    assert_eq!(
        code(sealed(node(1), 11, &batch)),
        Code::Malformed,
        "a signer is no writer"
    );
    assert_eq!(shared.receive(&sealed(node(50), 50, &batch), START), Ok(2));
    let body = log.follower.tip().body.clone();
    assert_eq!(
        code(sealed(node(50), 50, &cosigned(1, &body, START))),
        Code::Malformed,
        "the writer is no witness"
    );
    assert_eq!(
        code(sealed(node(2), 12, &cosigned(1, &body, START))),
        Code::BadSignature,
        "not its own"
    );
    for n in 1..=3 {
        shared
            .receive(&sealed(node(n), 10 + n, &cosigned(n, &body, START)), START)
            .unwrap();
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
    let mut log = Log::new();
    let bus: Arc<dyn Bus> =
        Arc::new(EmbeddedBus::open_in_memory(Mode::Dev, Options::default(), [1; 16]).unwrap());
    let record = |topic: &str, payload| Record {
        topic: Topic::new(topic).unwrap(),
        key: Vec::new(),
        headers: Headers::default(),
        payload,
    };
    let publish = |record: Record| bus.publish(&[record]).unwrap();
    let (one, two) = (log.tick(START), log.tick(START));
    publish(record(topics::JOURNAL_ENTRIES, b"junk".to_vec()));
    publish(record(topics::JOURNAL_ENTRIES, sealed(node(50), 50, &two)));
    publish(record(topics::JOURNAL_ENTRIES, sealed(node(50), 50, &one)));
    let shared = Arc::new(SharedFollower::new(genesis()).unwrap());
    let mut feed = Feed::new(Arc::clone(&bus), Arc::clone(&shared)).unwrap();
    assert_eq!(feed.step(|| START, Duration::ZERO).unwrap(), 3);
    assert_eq!(shared.read(|follower| follower.size()), 2);
    publish(record(topics::JOURNAL_ENTRIES, sealed(node(50), 50, &two)));
    for n in 1..=3 {
        let cosignature = cosigned(n, &log.follower.tip().body, START);
        publish(record(
            &topics::cosignatures(node(n)),
            sealed(node(n), 10 + n, &cosignature),
        ));
    }
    while feed.step(|| START, Duration::ZERO).unwrap() > 0 {}
    assert_eq!(
        shared.read(|follower| follower.fresh(START).unwrap().size),
        3
    );

    let mut other = Log::salted(2);
    publish(record(
        topics::JOURNAL_ENTRIES,
        sealed(node(50), 50, &other.tick(START)),
    ));
    let _ = other.tick(START);
    assert!(
        shared.read(|follower| follower.head(2).is_none()),
        "forgotten, so not compared"
    );
    publish(record(
        topics::JOURNAL_ENTRIES,
        sealed(node(50), 50, &other.tick(START)),
    ));
    assert!(
        feed.step(|| START, Duration::ZERO).is_err(),
        "a fork stops the feed"
    );
}
