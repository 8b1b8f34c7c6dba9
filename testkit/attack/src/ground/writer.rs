//! The honest writer: the role's own code in this process, on the journal as it is.

use super::{Ground, now};
use anyhow::bail;
use rand_chacha::ChaCha20Rng;
use rand_core::{CryptoRngCore, SeedableRng as _};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use strongroom_bus_embedded::EmbeddedBus;
use strongroom_journal::Body;
use strongroom_ports::bus::{Bus, Mode, Position, Topic};
use strongroom_ports::db::Db;
use strongroom_ports::host::Entropy;
use strongroom_replica::Replica;
use strongroom_stage::{NoFaults, Options, Shell, StopFlag};
use strongroom_store_sqlite::SqliteDb;
use strongroom_types::Refusal;
use strongroom_wire::frame::ToSigner;
use strongroom_wire::{
    JournalBatch, JournalResult, JournalSubmitted, Payload, Role, WitnessCosignature, topics,
};
use strongroom_world::{Letter, Sender, World};
use strongroom_writer::{BoundedWriter, Start, StartCheck, StartError, StartParts, Writer};

/// Salts of its entries; each start has others.
struct Salts(AtomicU64);

impl Entropy for Salts {
    fn rng(&self) -> Box<dyn CryptoRngCore + Send> {
        let seed = self.0.fetch_add(1, Ordering::Relaxed);
        Box::new(ChaCha20Rng::seed_from_u64(seed))
    }
}

/// A running writer, to which services submit.
pub struct HonestWriter {
    world: World,
    link: WriterLink,
    shell: Shell<BoundedWriter>,
}

/// What came of a writer's start.
pub enum Started {
    /// It orders.
    Runs(Box<HonestWriter>),
    /// It does not start, for this reason.
    Ended(StartError),
}

/// The link between the writer's bus and the nodes.
struct WriterLink {
    bus: Arc<dyn Bus>,
    /// Next record of the entries topic that the nodes get.
    next: Position,
    /// The newest word of each seat that is on the bus, or that is older than the bus.
    carried: BTreeMap<u16, Vec<u8>>,
    /// Seats of which a word is on the bus.
    heard: BTreeSet<u16>,
}

impl Ground {
    /// The honest writer at the end of the journal, after a start that found the witnesses
    /// agreeing.
    pub fn honest_writer(&mut self) -> anyhow::Result<HonestWriter> {
        match self.start_writer(self.log.batches.len())? {
            Started::Runs(writer) => Ok(*writer),
            Started::Ended(error) => bail!("the witnesses do not bear out its start: {error}"),
        }
    }

    /// Starts the honest writer on a new bus, with so many batches in its database. As the shipped
    /// role does, it asks until it knows, and nothing is appended before.
    pub fn start_writer(&mut self, batches: usize) -> anyhow::Result<Started> {
        let genesis = Arc::clone(&self.world.genesis);
        let db = Arc::new(SqliteDb::open_in_memory()?);
        let mut replica = Replica::open(db.as_ref(), Arc::clone(&genesis))?;
        for batch in self.log.batches.iter().take(batches) {
            let mut tx = db.begin()?;
            replica.append(tx.as_mut(), batch)?;
            tx.commit()?;
        }

        let options = strongroom_bus_embedded::Options::default();
        let bus = EmbeddedBus::open_in_memory(Mode::Dev, options, [1; 16])?;
        let bus: Arc<dyn Bus> = Arc::new(bus);
        let mut link = WriterLink {
            next: bus.start(&Topic::new(topics::JOURNAL_ENTRIES)?)?,
            bus: Arc::clone(&bus),
            carried: self.words.clone(),
            heard: BTreeSet::new(),
        };
        let entropy: Arc<dyn Entropy> = Arc::new(Salts(AtomicU64::new(now().0)));
        let post = self.world.post(Sender::Service(Role::Writer));
        let log_key = self.world.log_key.to_bytes();
        let parts = StartParts {
            genesis,
            db: Arc::clone(&db) as Arc<dyn Db>,
            bus: Arc::clone(&bus),
            post: self.world.post(Sender::Service(Role::Writer)),
            entropy: Arc::clone(&entropy),
            stop: StopFlag::new(),
        };
        let mut check = StartCheck::open(parts, &log_key, now())?;
        let ready = self.until("the writer's start has no end", |ground| {
            ground.carry_between(&mut link)?;
            Ok(match check.step(now()) {
                Ok(Start::Ready(ready)) => Some(Ok(ready)),
                Ok(Start::Waits) => None,
                Err(error) => Some(Err(error)),
            })
        })?;
        let ready = match ready {
            Ok(ready) => ready,
            Err(error) => return Ok(Started::Ended(error)),
        };

        let writer = Writer::new(ready, &log_key, post, entropy);
        let writer = writer.map_err(|refusal| anyhow::anyhow!("the writer: {refusal}"))?;
        let shell = Shell::new(
            BoundedWriter::new(writer),
            db as Arc<dyn Db>,
            bus,
            Options::default(),
            Box::new(NoFaults),
        )?;
        Ok(Started::Runs(Box::new(HonestWriter {
            world: self.world.clone(),
            link,
            shell,
        })))
    }

    /// Brings the nodes what the writer published, and the writer what they say, until it has heard
    /// each of them.
    pub fn carry(&mut self, writer: &mut HonestWriter) -> anyhow::Result<()> {
        let seats = self.seats().len();
        self.until("a node says nothing to the writer", |ground| {
            ground.carry_between(&mut writer.link)?;
            Ok((writer.link.heard.len() >= seats).then_some(()))
        })
    }

    fn carry_between(&mut self, link: &mut WriterLink) -> anyhow::Result<()> {
        let topic = Topic::new(topics::JOURNAL_ENTRIES)?;
        let published = link
            .bus
            .fetch(&[(topic, link.next)], 1_000, Duration::ZERO)?;
        for delivered in published {
            link.next.next = delivered.offset + 1;
            for seat in self.seats() {
                let batch = ToSigner::Batch(delivered.record.payload.clone());
                self.send(seat, &batch);
            }
        }

        // The words are the nodes' own records; what is around them on the bus is in clear.
        for (seat, sealed) in self.words.clone() {
            if link.carried.get(&seat) == Some(&sealed) {
                continue;
            }
            let topic = topics::cosignatures(self.world.seat(seat).node);
            let cosignature: WitnessCosignature = self.open(&sealed)?;
            let letter = Letter::new(&topic, now());
            let mut record = self.world.record(Sender::Seat(seat), letter, &cosignature);
            record.payload.clone_from(&sealed);
            link.bus.publish(&[record])?;
            link.carried.insert(seat, sealed);
            link.heard.insert(seat);
        }
        Ok(())
    }

    /// The writer's own replica here takes what the honest writer ordered, and every node gets it.
    pub fn pass_on(&mut self, writer: &HonestWriter) -> anyhow::Result<()> {
        for batch in writer.published()? {
            // What it published at its start is here already.
            if batch.first_seq < self.size() {
                continue;
            }
            let taken = self.log.follower.append(&batch);
            taken.map_err(|refusal| anyhow::anyhow!("an honest batch: {refusal}"))?;
            self.log.batches.push(batch.clone());
            self.publish(&batch);
        }
        Ok(())
    }
}

impl HonestWriter {
    /// A service submits a body under its own key; the journal's answer.
    pub fn submit(&mut self, role: Role, body: &Body) -> anyhow::Result<Result<(), Refusal>> {
        let mut submission = [0x46; 16];
        submission[..8].copy_from_slice(&self.world.next().to_be_bytes());
        let submitted = JournalSubmitted {
            submission,
            scope: strongroom_world::scope_of(body, self.world.scope()),
            body: strongroom_wire::encode(body),
        };
        let letter = Letter::new(topics::JOURNAL_SUBMITTED, now());
        let record = (self.world).record(Sender::Service(role), letter, &submitted);
        self.link.bus.publish(&[record])?;
        while !self.shell.step(now().0, Duration::ZERO)?.idle() {}

        let answers: Vec<JournalResult> = self.read(topics::JOURNAL_RESULTS)?;
        let mut answers = answers.into_iter();
        let answer = answers.find(|answer| answer.submission == submission);
        let answer = anyhow::Context::context(answer, "the writer does not answer")?;
        let refused = |(code, detail)| Refusal::new(code, detail);
        Ok(answer.result.map(drop).map_err(refused))
    }

    /// The batches that it published, those of its start included.
    pub fn published(&self) -> anyhow::Result<Vec<JournalBatch>> {
        self.read(topics::JOURNAL_ENTRIES)
    }

    fn read<T: Payload>(&self, topic: &str) -> anyhow::Result<Vec<T>> {
        let topic = Topic::new(topic)?;
        let start = self.link.bus.start(&topic)?;
        let found = self
            .link
            .bus
            .fetch(&[(topic, start)], 1_000, Duration::ZERO)?;
        let records = found.into_iter().map(|delivered| delivered.record);
        Ok(records.map(|record| self.world.open(&record).1).collect())
    }
}
