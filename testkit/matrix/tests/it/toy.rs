//! A stage that answers each submission once, and ways to get that wrong.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use strongroom_journal::genesis::Registered;
use strongroom_matrix::Fixture;
use strongroom_ports::bus::{Delivered, Record, Topic};
use strongroom_ports::db::{Arg, Migration, Tx};
use strongroom_stage::post::{Cause, Post, open_record};
use strongroom_stage::{Stage, StageError};
use strongroom_types::UnixMs;
use strongroom_wire::{JournalResult, JournalSubmitted, Role};
use strongroom_world::{Letter, START, Sender, World, WorldOptions};

pub const INBOX: &str = "toy.in.v1";
pub const OTHER: &str = "toy.other.v1";
const OUTBOX: &str = "toy.out.v1";

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Flaw {
    None,
    /// Services of every role are believed.
    AnySender,
    /// Ignores a record that does not open, where it must refuse it.
    SkipsForgeries,
    /// Numbers its answers in memory and starts again from zero.
    ForgetsAtRestart,
    /// Counts a record each time it comes.
    NotIdempotent,
    /// Its records have other ids in each process.
    RandomIds,
    /// Consumes a topic that has no case.
    SecretTopic,
    /// Takes its record and does nothing.
    Idle,
}

pub struct Toy {
    flaw: Flaw,
    post: Post,
    genesis: Arc<strongroom_journal::Genesis>,
    handled: u64,
    process: u64,
}

const TABLE: &[Migration] = &[Migration {
    component: "toy",
    version: 1,
    sql: "CREATE TABLE toy (id {blob} PRIMARY KEY, times {i64} NOT NULL) {strict};",
}];

impl Toy {
    fn on_submitted(
        &mut self,
        tx: &mut dyn Tx,
        delivered: &Delivered,
    ) -> Result<Vec<Record>, StageError> {
        let all = [Role::Api, Role::Writer, Role::Coordinator, Role::Signer];
        let roles = if self.flaw == Flaw::AnySender {
            &all[..]
        } else {
            &all[..1]
        };
        let registered = Registered::of(&self.genesis);
        let opened = open_record::<JournalSubmitted>(delivered, &registered, roles);
        if opened.is_err() && self.flaw == Flaw::SkipsForgeries {
            return Ok(Vec::new());
        }
        let (envelope, submitted) = opened?;
        if self.flaw == Flaw::Idle {
            return Ok(Vec::new());
        }
        let sql = if self.flaw == Flaw::NotIdempotent {
            "INSERT INTO toy (id, times) VALUES ($1, 1)
             ON CONFLICT (id) DO UPDATE SET times = toy.times + 1"
        } else {
            "INSERT INTO toy (id, times) VALUES ($1, 1) ON CONFLICT DO NOTHING"
        };
        if tx.execute(sql, &[Arg::from(&submitted.submission)])? == 0 {
            return Ok(Vec::new());
        }
        self.handled += 1;
        let result = match self.flaw {
            Flaw::ForgetsAtRestart => self.handled,
            Flaw::RandomIds => self.process,
            Flaw::None
            | Flaw::AnySender
            | Flaw::SkipsForgeries
            | Flaw::NotIdempotent
            | Flaw::SecretTopic
            | Flaw::Idle => 0,
        };
        let result = JournalResult {
            submission: submitted.submission,
            result: Ok(result),
        };
        let cause = Cause::of(delivered, &envelope);
        let record = self
            .post
            .record(UnixMs(1), (OUTBOX, b"k"), None, &result, &cause)?;
        Ok(vec![record])
    }
}

impl Stage for Toy {
    fn name(&self) -> &'static str {
        "toy"
    }

    fn topics(&self) -> Vec<Topic> {
        let secret = (self.flaw == Flaw::SecretTopic).then_some(OTHER);
        [Some(INBOX), secret]
            .into_iter()
            .flatten()
            .map(|name| Topic::new(name).unwrap())
            .collect()
    }

    fn migrations(&self) -> &'static [Migration] {
        TABLE
    }

    fn handle(
        &mut self,
        _now_ms: u64,
        tx: &mut dyn Tx,
        batch: &[Delivered],
    ) -> Result<Vec<Record>, StageError> {
        let mut records = Vec::new();
        for delivered in batch {
            records.extend(self.on_submitted(tx, delivered)?);
        }
        Ok(records)
    }
}

pub struct ToyFixture {
    world: World,
    flaw: Flaw,
    processes: AtomicU64,
}

impl ToyFixture {
    pub fn new(flaw: Flaw) -> Self {
        Self {
            world: World::new(1, WorldOptions::default()),
            flaw,
            processes: AtomicU64::new(0),
        }
    }

    pub fn submitted(&self, id: u8) -> Record {
        let payload = JournalSubmitted {
            submission: [id; 16],
            scope: strongroom_types::Scope::Platform,
            body: Vec::new(),
        };
        let letter = Letter::new(INBOX, START);
        self.world
            .record(Sender::Service(Role::Api), letter, &payload)
    }
}

impl Fixture for ToyFixture {
    type Stage = Toy;

    fn stage(&self) -> Toy {
        Toy {
            flaw: self.flaw,
            post: self.world.post(Sender::Service(Role::Transactions)),
            genesis: Arc::clone(&self.world.genesis),
            handled: 0,
            process: self.processes.fetch_add(1, Ordering::Relaxed),
        }
    }

    fn world(&self) -> &World {
        &self.world
    }

    fn now(&self) -> UnixMs {
        START
    }
}
