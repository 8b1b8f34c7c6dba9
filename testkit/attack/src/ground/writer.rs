//! The honest writer: the role's own code in this process, on the journal as it is.

use super::{Ground, now};
use anyhow::bail;
use rand_chacha::ChaCha20Rng;
use rand_core::{CryptoRngCore, SeedableRng as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use strongroom_bus_embedded::EmbeddedBus;
use strongroom_journal::Body;
use strongroom_ports::bus::{Bus, Mode, Topic};
use strongroom_ports::db::Db;
use strongroom_ports::host::Entropy;
use strongroom_replica::Replica;
use strongroom_stage::{NoFaults, Options, Shell, StopFlag};
use strongroom_store_sqlite::SqliteDb;
use strongroom_types::Refusal;
use strongroom_wire::{JournalBatch, JournalResult, JournalSubmitted, Payload, Role, topics};
use strongroom_world::{Letter, Sender, World};
use strongroom_writer::{BoundedWriter, Start, StartCheck, StartParts, Writer};

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
    bus: Arc<dyn Bus>,
    shell: Shell<BoundedWriter>,
}

impl Ground {
    /// The honest writer at the end of the journal, after a start that found the witnesses
    /// agreeing.
    pub fn honest_writer(&self) -> anyhow::Result<HonestWriter> {
        let genesis = &self.world.genesis;
        let db = Arc::new(SqliteDb::open_in_memory()?);
        let mut replica = Replica::open(db.as_ref(), Arc::clone(genesis))?;
        for batch in &self.log.batches {
            let mut tx = db.begin()?;
            replica.append(tx.as_mut(), batch)?;
            tx.commit()?;
        }

        let options = strongroom_bus_embedded::Options::default();
        let bus = EmbeddedBus::open_in_memory(Mode::Dev, options, [1; 16])?;
        let bus: Arc<dyn Bus> = Arc::new(bus);
        let entropy: Arc<dyn Entropy> = Arc::new(Salts(AtomicU64::new(now().0)));
        let post = || self.world.post(Sender::Service(Role::Writer));
        let log_key = self.world.log_key.to_bytes();
        let parts = StartParts {
            genesis: Arc::clone(genesis),
            db: Arc::clone(&db) as Arc<dyn Db>,
            bus: Arc::clone(&bus),
            post: post(),
            entropy: Arc::clone(&entropy),
            stop: StopFlag::new(),
        };
        let mut check = StartCheck::open(parts, &log_key, now())?;

        // Asked, each witness says again what it said last.
        for seat in self.seats() {
            let mut words = self.cosignatures.iter().rev();
            let Some((_, word)) = words.find(|(of, _)| *of == seat) else {
                continue;
            };
            let topic = topics::cosignatures(self.world.seat(seat).node);
            let letter = Letter::new(&topic, now().plus(1));
            bus.publish(&[self.world.record(Sender::Seat(seat), letter, word)])?;
        }
        let Start::Ready(ready) = check.step(now().plus(1))? else {
            bail!("the witnesses do not bear out the writer's start")
        };

        let writer = Writer::new(ready, &log_key, post(), entropy);
        let writer = writer.map_err(|refusal| anyhow::anyhow!("the writer: {refusal}"))?;
        let shell = Shell::new(
            BoundedWriter::new(writer),
            db as Arc<dyn Db>,
            Arc::clone(&bus),
            Options::default(),
            Box::new(NoFaults),
        )?;
        Ok(HonestWriter {
            world: self.world.clone(),
            bus,
            shell,
        })
    }

    /// The writer's own replica here takes what the honest writer ordered, and every node gets it.
    pub fn pass_on(&mut self, writer: &HonestWriter) -> anyhow::Result<()> {
        let ordered: Vec<JournalBatch> = writer.read(topics::JOURNAL_ENTRIES)?;
        for batch in ordered {
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
        self.bus.publish(&[record])?;
        while !self.shell.step(now().0, Duration::ZERO)?.idle() {}

        let answers: Vec<JournalResult> = self.read(topics::JOURNAL_RESULTS)?;
        let mut answers = answers.into_iter();
        let answer = answers.find(|answer| answer.submission == submission);
        let answer = anyhow::Context::context(answer, "the writer does not answer")?;
        let refused = |(code, detail)| Refusal::new(code, detail);
        Ok(answer.result.map(drop).map_err(refused))
    }

    fn read<T: Payload>(&self, topic: &str) -> anyhow::Result<Vec<T>> {
        let topic = Topic::new(topic)?;
        let start = self.bus.start(&topic)?;
        let found = self.bus.fetch(&[(topic, start)], 1_000, Duration::ZERO)?;
        let records = found.into_iter().map(|delivered| delivered.record);
        Ok(records.map(|record| self.world.open(&record).1).collect())
    }
}
