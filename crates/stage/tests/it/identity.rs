//! Which records are repetitions of each other: by what their sender signed, and by nothing else.

use std::sync::Arc;
use std::time::Duration;

use strongroom_bus_embedded::{EmbeddedBus, Options as BusOptions};
use strongroom_ports::bus::{Bus as _, Delivered, Mode, Record, Topic};
use strongroom_ports::db::{Migration, Tx};
use strongroom_stage::post::{Cause, open_record};
use strongroom_stage::{NoFaults, Options, Shell, Stage, StageError};
use strongroom_store_sqlite::SqliteDb;
use strongroom_types::{Digest, NodeId, Scope, UnixMs};
use strongroom_wire::envelope::NodeKey;
use strongroom_wire::{JournalSubmitted, Role, Senders};
use strongroom_world::{START, Sender, World, WorldOptions};

const INBOX: &str = "in.v1";
/// Submission at which the stage fails for the moment.
const FAILS: u8 = 9;
const ROLES: [Role; 2] = [Role::Api, Role::Coordinator];

/// The senders whose records the stage takes.
struct Known {
    genesis: Digest,
    keys: Vec<NodeKey>,
}

impl Known {
    fn of(world: &World) -> Self {
        let key = |role: Role| NodeKey {
            node: world.service(role).node,
            role,
            public_key: world.service(role).signing.verifying_key().to_bytes(),
        };
        Self {
            genesis: world.genesis.hash(),
            keys: ROLES.map(key).to_vec(),
        }
    }
}

impl Senders for Known {
    fn genesis(&self) -> Digest {
        self.genesis
    }

    fn sender(&self, node: NodeId) -> Option<&NodeKey> {
        self.keys.iter().find(|key| key.node == node)
    }
}

/// Notes the submissions that it was given, in order.
struct Notes {
    known: Known,
    seen: Vec<u8>,
}

impl Stage for Notes {
    fn name(&self) -> &'static str {
        "notes"
    }

    fn topics(&self) -> Vec<Topic> {
        vec![Topic::new(INBOX).unwrap()]
    }

    fn migrations(&self) -> &'static [Migration] {
        &[]
    }

    fn handle(
        &mut self,
        _: u64,
        _: &mut dyn Tx,
        batch: &[Delivered],
    ) -> Result<Vec<Record>, StageError> {
        for delivered in batch {
            let (_, submitted) = open_record::<JournalSubmitted>(delivered, &self.known, &ROLES)?;
            if submitted.submission[0] == FAILS {
                return Err(StageError::transient("not now"));
            }
            self.seen.push(submitted.submission[0]);
        }
        Ok(Vec::new())
    }
}

struct Desk {
    world: World,
    bus: Arc<EmbeddedBus>,
    shell: Shell<Notes>,
}

impl Desk {
    fn new() -> Self {
        let world = World::new(1, WorldOptions::default());
        let stage = Notes {
            known: Known::of(&world),
            seen: Vec::new(),
        };

        let bus = EmbeddedBus::open_in_memory(Mode::Dev, BusOptions::default(), [1; 16]).unwrap();
        let bus = Arc::new(bus);
        let db = Arc::new(SqliteDb::open_in_memory().unwrap());
        let options = Options::default();
        let shell = Shell::new(stage, db, bus.clone(), options, Box::new(NoFaults)).unwrap();
        Self { world, bus, shell }
    }

    /// A submission, made by a new process of its sender.
    fn record(&self, role: Role, submission: u8, cause: &Cause) -> Record {
        self.record_to(None, role, submission, cause)
    }

    fn record_to(&self, to: Option<NodeId>, role: Role, submission: u8, cause: &Cause) -> Record {
        let payload = JournalSubmitted {
            submission: [submission; 16],
            scope: Scope::Platform,
            body: Vec::new(),
        };
        let mut post = self.world.post(Sender::Service(role));
        post.record(START, (INBOX, b"k"), to, &payload, cause)
            .unwrap()
    }

    /// What the stage was given of these records, each delivered when those before it had settled.
    fn seen_of(&mut self, records: &[Record]) -> Vec<u8> {
        for record in records {
            self.bus.publish(std::slice::from_ref(record)).unwrap();
            while !self.shell.step(START.0, Duration::ZERO).unwrap().idle() {}
        }
        self.shell.stage().seen.clone()
    }
}

fn cause(name: &[u8]) -> Cause {
    Cause::own(&[name], START.plus(60_000))
}

#[test]
fn hole_a_record_is_not_dropped_for_another_that_came_under_its_headers() {
    let mut desk = Desk::new();
    let honest = desk.record(Role::Api, 1, &cause(b"stop"));
    // All that a broker can change: the old record is validly sealed by the same sender.
    let mut old = desk.record(Role::Api, 2, &cause(b"an old one"));
    old.headers = honest.headers.clone();
    old.key.clone_from(&honest.key);
    assert_eq!(desk.seen_of(&[old, honest]), [2, 1]);
}

#[test]
fn hole_a_copy_with_a_false_signature_does_not_stand_for_the_record() {
    let mut desk = Desk::new();
    let honest = desk.record(Role::Api, 1, &cause(b"stop"));
    let mut forged = honest.clone();
    *forged.payload.last_mut().unwrap() ^= 1;
    assert_eq!(desk.seen_of(&[forged, honest]), [1]);
}

#[test]
fn hole_a_copy_with_a_false_signature_in_one_batch_does_not_stand_for_the_record() {
    let mut desk = Desk::new();
    let honest = desk.record(Role::Api, 1, &cause(b"stop"));
    let mut forged = honest.clone();
    *forged.payload.last_mut().unwrap() ^= 1;
    desk.bus.publish(&[forged, honest]).unwrap();
    assert_eq!(desk.seen_of(&[]), Vec::<u8>::new());
    while !desk.shell.step(START.0, Duration::ZERO).unwrap().idle() {}
    assert_eq!(desk.seen_of(&[]), [1]);
}

#[test]
fn hole_a_record_is_given_up_at_the_deadline_that_its_sender_signed() {
    // The sender's is 60 s after the start.
    for header in [0, START.0 + 1, u64::MAX] {
        let mut desk = Desk::new();
        let mut record = desk.record(Role::Api, FAILS, &cause(b"fails"));
        record.headers.deadline_ms = header;
        let next = desk.record(Role::Api, 1, &cause(b"next"));
        desk.bus.publish(&[record, next]).unwrap();

        let mut dead_after = |ms: u64| desk.shell.step(START.0 + ms, Duration::ZERO).unwrap().dead;
        assert_eq!((dead_after(2), dead_after(59_000)), (0, 0), "{header}");
        assert_eq!(dead_after(62_000), 1, "{header}");
        assert_eq!(desk.seen_of(&[]), [1], "what waited behind it");
    }
}

#[test]
fn hole_another_sender_cannot_use_up_the_id_of_a_record() {
    let mut desk = Desk::new();
    let honest = desk.record(Role::Api, 1, &cause(b"stop"));
    let same = desk.record(Role::Coordinator, 1, &cause(b"stop"));
    assert_eq!(desk.seen_of(&[same, honest]), [1, 1]);
}

#[test]
fn a_record_sealed_again_is_a_repetition() {
    let mut desk = Desk::new();
    let payload = |desk: &Desk| desk.record(Role::Api, 1, &cause(b"stop"));
    let first = payload(&desk);

    // Another process, hours later: number, times and signature differ.
    let mut post = desk.world.post(Sender::Service(Role::Api));
    let submitted: JournalSubmitted = desk.world.open(&first).1;
    let cause = cause(b"stop").until(START.plus(90_000));
    let mut again = || {
        let place = (INBOX, b"another".as_slice());
        post.record(UnixMs(START.0 + 9), place, None, &submitted, &cause)
    };
    let second = again().unwrap();
    assert_ne!(second.payload, first.payload);
    assert_eq!(desk.seen_of(&[first, second, again().unwrap()]), [1]);
}

#[test]
fn cause_content_and_recipient_each_make_another_record() {
    let mut desk = Desk::new();
    let node = desk.world.service(Role::Writer).node;
    let records = [
        desk.record(Role::Api, 1, &cause(b"one")),
        desk.record(Role::Api, 1, &cause(b"two")),
        desk.record(Role::Api, 2, &cause(b"one")),
        desk.record_to(Some(node), Role::Api, 1, &cause(b"one")),
    ];
    assert_eq!(desk.seen_of(&records), [1, 1, 2, 1]);
}
