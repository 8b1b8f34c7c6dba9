//! The check before a writer appends: its database must not be behind what it published.
//!
//! A database that was put back looks like any other. Two sources know better: the writer's own
//! topic, unless the bus lost it too, and the witnesses, unless too many of them are away. Both are
//! asked, and nothing is appended before both have answered.

use crate::clocks::WitnessClocks;
use crate::error::StartError;
use crate::ready::ReadyStart;
use crate::republish::{Places, Published, republish};
use crate::writer::batch_record;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use strongroom_guard::{G, guard};
use strongroom_journal::genesis::Genesis;
use strongroom_journal::writer::Orderer;
use strongroom_ports::bus::{Bus, Delivered, Position, Topic};
use strongroom_ports::db::Db;
use strongroom_ports::host::Entropy;
use strongroom_replica::{
    MIGRATIONS, Replica, StoredTip, WitnessStatement, WitnessStatements, journal_topics,
};
use strongroom_stage::StopFlag;
use strongroom_stage::post::Post;
use strongroom_types::{Code, NodeId, Refusal, UnixMs};
use strongroom_wire::topics;

/// Records taken from the bus at once.
const RECORDS_MAX: usize = 256;
/// Pause after the first question; it doubles with each further one.
const ASK_AGAIN_MS: u64 = 1_000;
/// Longest pause between two questions: witnesses that are away for hours must not fill the topic.
const ASK_AGAIN_MAX_MS: u64 = 600_000;

/// Parts of a writer that starts.
pub struct StartParts {
    /// Genesis of the journal.
    pub genesis: Arc<Genesis>,
    /// The writer's database.
    pub db: Arc<dyn Db>,
    /// The bus with its topics.
    pub bus: Arc<dyn Bus>,
    /// Its identity on the bus.
    pub post: Post,
    /// Source of the salts of entries.
    pub entropy: Arc<dyn Entropy>,
    /// Set when the process is to end: the topic may be long.
    pub stop: StopFlag,
}

/// State of a start.
#[derive(Debug)]
pub enum Start {
    /// Something is not known yet: nothing may be appended.
    Waits,
    /// The database is not behind.
    Ready(ReadyStart),
}

/// A start under way: asks the topic and the witnesses how far the journal is.
pub struct StartCheck {
    genesis: Arc<Genesis>,
    db: Arc<dyn Db>,
    bus: Arc<dyn Bus>,
    published: Published,
    statements: WitnessStatements,
    post: Post,
    stop: StopFlag,
    /// Clock at the start; statements made before it say nothing about what came later.
    since: UnixMs,
    /// Head of the database. Its batch, published again, is the question.
    tip: StoredTip,
    /// Entries topic and cosignature topics, with the next record of each.
    wants: Vec<(Topic, Position)>,
    /// Payloads of the questions: few, since the pauses grow.
    questions: BTreeSet<Vec<u8>>,
    /// Whether a question came back: the topic is read past all that was published before it.
    is_topic_read: bool,
    /// Witnesses that have made a statement since the start and know no more than this database,
    /// with the time of the newest one by their clock.
    level: BTreeMap<NodeId, UnixMs>,
    /// Witnesses that vouch for entries which this database does not hold.
    ahead: BTreeSet<NodeId>,
    /// Witnesses that must be level.
    needed: usize,
    /// Most witnesses that may be hostile.
    faults: usize,
    asked_at: UnixMs,
    pause_ms: u64,
}

impl StartCheck {
    /// Publishes what the topic lacks, entry 0 of a new journal included, and asks.
    ///
    /// `log_seed` is the Ed25519 seed of genesis' log key.
    ///
    /// # Errors
    /// See [`StartError`].
    pub fn open(parts: StartParts, log_seed: &[u8; 32], now: UnixMs) -> Result<Self, StartError> {
        parts.db.migrate(MIGRATIONS)?;
        order_entry_0(&parts, log_seed, now)?;

        let StartParts {
            genesis,
            db,
            bus,
            mut post,
            stop,
            ..
        } = parts;
        let published = Published::new(&genesis)?;

        // The positions are read before anything is published: a question must be found behind all
        // that was published before it.
        let wants = journal_topics(&genesis)?
            .into_iter()
            .map(|topic| from_newest(bus.as_ref(), topic))
            .collect::<Result<_, StartError>>()?;
        let places = Places {
            db: db.as_ref(),
            bus: bus.as_ref(),
            genesis: &genesis,
            stop: &stop,
        };
        let republished = republish(&places, &mut post, now)?;

        let tip = Replica::stored_tip(db.begin()?.as_mut())?;
        let tip = tip.ok_or_else(|| Refusal::new(Code::StoreCorrupt, "no batch is stored"))?;

        let (witnesses, quorum) = (genesis.witness_keys().count(), genesis.quorum as usize);
        let faults = genesis.faults as usize;
        let mut check = Self {
            statements: WitnessStatements::new(&genesis)?,
            published,
            db,
            bus,
            post,
            stop,
            since: now,
            tip,
            wants,
            questions: BTreeSet::new(),
            is_topic_read: false,
            level: BTreeMap::new(),
            ahead: BTreeSet::new(),
            // Any quorum that cosigned more than this database holds shares f + 1 witnesses with so
            // many others, at least one of them honest.
            needed: witnesses.saturating_sub(quorum) + faults + 1,
            faults,
            asked_at: now,
            pause_ms: ASK_AGAIN_MS,
            genesis,
        };
        // The newest batch is the question, also when it was just published for the first time.
        match republished.last {
            Some(payload) => {
                tracing::info!(republished.batches, "journal batches published");
                check.questions.insert(payload);
            }
            None => check.ask(now)?,
        }
        Ok(check)
    }

    /// Takes in what has arrived, and asks again when the pause is over.
    ///
    /// # Errors
    /// See [`StartError`]: after one that is not transient the start has failed.
    pub fn step(&mut self, now: UnixMs) -> Result<Start, StartError> {
        // A clock that was ahead, at the start or when it last asked, would let no statement count
        // and nothing be asked until that time comes.
        self.since = self.since.min(now);
        self.asked_at = self.asked_at.min(now);

        while !self.stop.is_set() && self.take_in()? > 0 {}
        if guard(G::WriterStart, self.ahead.len() > self.faults) {
            return Err(StartError::WitnessesAhead {
                witnesses: self.ahead.len(),
            });
        }
        let is_known = self.is_topic_read && self.level.len() >= self.needed;
        if !guard(G::WriterStart, !is_known) {
            return Ok(Start::Ready(ReadyStart {
                genesis: Arc::clone(&self.genesis),
                clocks: WitnessClocks::new(self.faults, &self.level),
            }));
        }

        if now.since(self.asked_at) >= self.pause_ms {
            self.asked_at = now;
            self.pause_ms = self.pause_ms.saturating_mul(2).min(ASK_AGAIN_MAX_MS);
            self.ask(now)?;
        }
        Ok(Start::Waits)
    }

    /// Number of witnesses that have shown that this database is not behind, and number needed; for
    /// the log.
    #[must_use]
    pub fn level(&self) -> (usize, usize) {
        (self.level.len(), self.needed)
    }

    /// Publishes the last batch once more. Its bytes are known to all replicas; witnesses answer it
    /// with their newest cosignature.
    fn ask(&mut self, now: UnixMs) -> Result<(), StartError> {
        let record = batch_record(&mut self.post, now, &self.tip.batch)?;
        self.questions.insert(record.payload.clone());
        Ok(self.bus.publish(&[record])?)
    }

    fn take_in(&mut self) -> Result<usize, StartError> {
        let records = self.bus.fetch(&self.wants, RECORDS_MAX, Duration::ZERO)?;
        for delivered in &records {
            if delivered.topic.as_str() == topics::JOURNAL_ENTRIES {
                self.on_entries(delivered)?;
            } else {
                self.on_cosignature(delivered)?;
            }

            let mut wants = self.wants.iter_mut();
            if let Some((_, position)) = wants.find(|(topic, _)| *topic == delivered.topic) {
                position.next = delivered.offset + 1;
            }
        }
        Ok(records.len())
    }

    fn on_entries(&mut self, delivered: &Delivered) -> Result<(), StartError> {
        let payload = &delivered.record.payload;
        let Some(published) = self.published.head(payload) else {
            return Ok(());
        };

        // An earlier life of this writer published them: the database was put back.
        let stored = self.tip.size;
        if published.size > stored {
            return Err(StartError::DatabaseBehind {
                published: published.size,
                stored,
            });
        }
        if published.size == stored && published.body != self.tip.body {
            return Err(StartError::OtherHistory { size: stored });
        }

        // Records of one key keep their order, so nothing of an earlier life comes after this.
        self.is_topic_read |= self.questions.contains(payload);
        Ok(())
    }

    fn on_cosignature(&mut self, delivered: &Delivered) -> Result<(), StartError> {
        // A record that does not verify is skipped: it proves nothing, and any party on the bus can
        // send it.
        let statement = match self.statements.open(&delivered.record.payload) {
            Ok(statement) => statement,
            Err(refusal) => {
                tracing::warn!(topic = %delivered.topic, %refusal, "a cosignature was skipped");
                return Ok(());
            }
        };

        let WitnessStatement {
            witness,
            made,
            size,
            body,
        } = statement;

        // Vouching for fewer entries says nothing about the last ones, unless they are others.
        let is_elsewhere = size > self.tip.size || self.has_other_head(size, &body)?;
        if is_elsewhere {
            self.level.remove(&witness);
            self.ahead.insert(witness);
        } else if made > self.since && !self.ahead.contains(&witness) {
            // Only statements since the start count: an older one may have been made before the
            // entries that this database lacks.
            self.level.insert(witness, made);
        }
        Ok(())
    }

    /// Whether this database holds a head of that size with another body.
    fn has_other_head(&self, size: u64, body: &str) -> Result<bool, StartError> {
        let ours = Replica::stored_head(self.db.begin()?.as_mut(), size)?;
        Ok(ours.is_some_and(|ours| ours.body != body))
    }
}

/// Orders entry 0 of a journal that has none. Everything after it waits for the witnesses.
fn order_entry_0(parts: &StartParts, log_seed: &[u8; 32], now: UnixMs) -> Result<(), StartError> {
    // At size 0 no witness can say anything, so entry 0 is exempt: it is a pure function of genesis,
    // and a writer that lost database and bus makes the same bytes again.
    let mut tx = parts.db.begin()?;
    if Replica::stored_size(tx.as_mut())? == 0 {
        let orderer = Orderer::new(&parts.genesis, log_seed)?;
        let mut replica = Replica::load(tx.as_mut(), Arc::clone(&parts.genesis))?;
        let mut rng = parts.entropy.rng();
        replica.order(tx.as_mut(), &orderer, now, &[], &mut *rng)?;
    }
    tx.commit()?;
    Ok(())
}

/// A topic from its newest record on: a cosignature that is there already may show that the
/// database is behind.
fn from_newest(bus: &dyn Bus, topic: Topic) -> Result<(Topic, Position), StartError> {
    let (start, end) = (bus.start(&topic)?, bus.end(&topic)?);

    // Where the bus has dropped all records of a topic, the place of the newest one is gone.
    let next = end.next.saturating_sub(1).max(start.next);
    Ok((topic, Position { next, ..end }))
}
