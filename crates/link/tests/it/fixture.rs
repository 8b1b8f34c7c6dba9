//! An installation's bus with the link of its first signer.

use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;
use strongroom_bus_embedded::{EmbeddedBus, Options};
use strongroom_link::Link;
use strongroom_ports::bus::{Bus, BusError, Delivered, Headers, Mode, Position, Record, Topic};
use strongroom_stage::StopFlag;
use strongroom_types::{NodeId, Scope};
use strongroom_wire::frame::{FromSigner, ToSigner, read_frame, write_frame};
use strongroom_wire::{JournalBatch, JournalSubmitted, Role, encode, topics};
use strongroom_world::{Letter, START, Sender, World, WorldOptions};
use tempfile::TempDir;

/// A frame or record is there within this time, or the test fails.
const WITHIN: Duration = Duration::from_secs(10);

pub struct Fixture {
    pub bus: Arc<EmbeddedBus>,
    pub node: NodeId,
    /// A witness other than `node`.
    pub witness: NodeId,
    pub socket: PathBuf,
    folder: TempDir,
    world: World,
    serving: Option<(StopFlag, JoinHandle<()>)>,
}

impl Fixture {
    /// The bus, without a link.
    pub fn without_link() -> Self {
        let world = World::new(1, WorldOptions::default());
        let genesis = &world.genesis;
        let folder = tempfile::tempdir().unwrap();
        let bus = EmbeddedBus::open_in_memory(Mode::Dev, Options::default(), [7; 16]).unwrap();
        Self {
            bus: Arc::new(bus),
            node: genesis.signers[0].node,
            witness: genesis.signers[1].node,
            socket: folder.path().join("signer-1.sock"),
            folder,
            world,
            serving: None,
        }
    }

    pub fn new() -> Self {
        let mut fixture = Self::without_link();
        fixture.start();
        fixture
    }

    pub fn start(&mut self) {
        self.start_on(self.bus.clone());
    }

    pub fn start_on(&mut self, bus: Arc<dyn Bus>) {
        let stop = StopFlag::new();
        let link = Link::open(
            bus,
            &self.world.genesis,
            self.node,
            &self.socket,
            stop.clone(),
        )
        .unwrap();
        let serve = move || link.serve(&|_, work| std::thread::spawn(work));
        self.serving = Some((stop, std::thread::spawn(serve)));
    }

    /// Connects as a signer that has no entry.
    pub fn connect(&self) -> Signer {
        self.connect_at(0)
    }

    /// Connects as a signer that has `next_seq` entries.
    pub fn connect_at(&self, next_seq: u64) -> Signer {
        let mut signer = self.connect_silently();
        signer.send(&FromSigner::Hello { next_seq });
        signer
    }

    /// Connects and says nothing.
    pub fn connect_silently(&self) -> Signer {
        let stream = UnixStream::connect(&self.socket).unwrap();
        stream.set_read_timeout(Some(WITHIN)).unwrap();
        Signer(stream)
    }

    /// What a seat seals around a text: a record as signers send it.
    pub fn sealed_by(&self, seat: u16, text: &str) -> Vec<u8> {
        let submitted = JournalSubmitted {
            submission: [1; 16],
            scope: Scope::Platform,
            body: text.as_bytes().to_vec(),
        };
        let letter = Letter::new(topics::JOURNAL_SUBMITTED, START);
        self.world
            .record(Sender::Seat(seat), letter, &submitted)
            .payload
    }

    /// As [`Self::sealed_by`], of the link's own signer.
    pub fn sealed(&self, text: &str) -> Vec<u8> {
        self.sealed_by(1, text)
    }

    /// A batch of the writer, sealed.
    pub fn batch(&self, first_seq: u64, entries: usize) -> Vec<u8> {
        let batch = JournalBatch {
            first_seq,
            entries: vec![vec![1]; entries],
            note: String::new(),
        };
        let letter = Letter::new(topics::JOURNAL_ENTRIES, START);
        let writer = Sender::Service(Role::Writer);
        self.world.record(writer, letter, &batch).payload
    }

    pub fn publish(&self, topic: &str, payload: &[u8]) {
        let record = Record {
            topic: Topic::new(topic).unwrap(),
            key: vec![1],
            headers: Headers::default(),
            payload: payload.to_vec(),
        };
        self.bus.publish(&[record]).unwrap();
    }

    pub fn publish_request(&self, payload: &[u8]) {
        self.publish(&topics::signer_inbox(self.node), payload);
    }

    /// The first `count` records of a topic, once they are there.
    pub fn published(&self, topic: &str, count: usize) -> Vec<Record> {
        let topic = Topic::new(topic).unwrap();
        let mut next = self.bus.start(&topic).unwrap();

        // Each fetch starts behind what was found, so that it waits for the next record instead of
        // returning the first ones again.
        let mut found = Vec::new();
        for _ in 0..WITHIN.as_millis() / 100 {
            let wait = Duration::from_millis(100);
            let more = self.bus.fetch(&[(topic.clone(), next)], 100, wait).unwrap();
            next.next += more.len() as u64;
            found.extend(more);
            if found.len() >= count {
                break;
            }
        }
        found
            .into_iter()
            .map(|delivered| delivered.record)
            .collect()
    }

    /// Stops the link; whether it has ended within this time.
    pub fn stops_within(&mut self, time: Duration) -> bool {
        let (stop, thread) = self.serving.take().unwrap();
        stop.set();
        let pause = StopFlag::new();
        let pauses = time.as_millis() / 10;
        (0..pauses).any(|_| thread.is_finished() || pause.wait(Duration::from_millis(10)))
    }

    pub fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }
}

impl Drop for Fixture {
    fn drop(&mut self) {
        if let Some((stop, thread)) = self.serving.take() {
            stop.set();
            let _ = thread.join();
        }
    }
}

/// The signer's end of a connection.
pub struct Signer(UnixStream);

impl Signer {
    pub fn receive(&mut self) -> ToSigner {
        let bytes = read_frame(&mut self.0)
            .unwrap()
            .expect("the link closed the connection");
        borsh::from_slice(&bytes).unwrap()
    }

    pub fn send(&mut self, frame: &FromSigner) {
        write_frame(&mut self.0, &encode(frame)).unwrap();
    }

    pub fn send_raw(&mut self, bytes: &[u8]) {
        write_frame(&mut self.0, bytes).unwrap();
    }

    /// Whether the link closed the connection.
    pub fn is_closed(&mut self) -> bool {
        matches!(read_frame(&mut self.0), Ok(None) | Err(_))
    }
}

/// A bus with a defect: it panics at a record of this payload.
pub struct DefectiveBus(pub Arc<EmbeddedBus>, pub Vec<u8>);

impl Bus for DefectiveBus {
    fn publish(&self, records: &[Record]) -> Result<(), BusError> {
        let met = records.iter().any(|record| record.payload == self.1);
        assert!(!met, "the defect");
        self.0.publish(records)
    }

    fn start(&self, topic: &Topic) -> Result<Position, BusError> {
        self.0.start(topic)
    }

    fn end(&self, topic: &Topic) -> Result<Position, BusError> {
        self.0.end(topic)
    }

    fn fetch(
        &self,
        wants: &[(Topic, Position)],
        records_max: usize,
        wait: Duration,
    ) -> Result<Vec<Delivered>, BusError> {
        self.0.fetch(wants, records_max, wait)
    }

    fn shutdown(&self, within: Duration) -> Result<(), BusError> {
        self.0.shutdown(within)
    }

    fn fsyncs(&self) -> u64 {
        self.0.fsyncs()
    }
}
