//! A stage that counts, and the parts around it that can fail.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use strongroom_bus_embedded::{EmbeddedBus, Options as BusOptions};
use strongroom_ports::bus::{Bus as _, Delivered, Headers, Mode, Record, Topic};
use strongroom_ports::db::{Arg, Db, DbError, DbErrorKind, Migration, Tx};
use strongroom_stage::post::message_id;
use strongroom_stage::{Options, Shell, ShellError, Stage, StageError};
use strongroom_store_sqlite::SqliteDb;
use strongroom_world::{Crashes, ScriptedBus};

pub fn topic(name: &str) -> Topic {
    Topic::new(name).unwrap()
}

/// A command for the counting stage. The id is its last byte: no two commands are the same record.
pub fn command(id: u8, key: &str, what: &str) -> Record {
    command_on("in.v1", id, key, what)
}

pub fn command_on(name: &str, id: u8, key: &str, what: &str) -> Record {
    let headers = Headers {
        schema: 1,
        ..Headers::default()
    };
    Record {
        topic: topic(name),
        key: key.into(),
        headers,
        payload: [what.as_bytes(), &[id]].concat(),
    }
}

/// Switches shared with the test.
#[derive(Default)]
pub struct Switches {
    pub transient: AtomicBool,
    pub poison_is_fine: AtomicBool,
    pub tick_writes: AtomicBool,
    pub tick_is_too_large: AtomicBool,
    pub handled: AtomicUsize,
}

/// Adds one to its key's count per `add`, in its table and in memory, and announces the new count.
#[derive(Default)]
pub struct Counter {
    pub counts: BTreeMap<String, i64>,
    pub switches: Arc<Switches>,
}

const TABLE: &[Migration] = &[Migration {
    component: "counter",
    version: 1,
    sql: "CREATE TABLE counter (name {text} PRIMARY KEY, n {i64} NOT NULL) {strict};",
}];

impl Stage for Counter {
    fn name(&self) -> &'static str {
        "counter"
    }
    fn topics(&self) -> Vec<Topic> {
        vec![topic("in.v1"), topic("in-two.v1")]
    }
    fn migrations(&self) -> &'static [Migration] {
        TABLE
    }
    fn reload(&mut self, tx: &mut dyn Tx) -> Result<(), StageError> {
        self.counts.clear();
        for row in tx.query("SELECT name, n FROM counter", &[])? {
            self.counts.insert(row.text(0)?.to_owned(), row.i64(1)?);
        }
        Ok(())
    }
    fn handle(
        &mut self,
        _: u64,
        tx: &mut dyn Tx,
        batch: &[Delivered],
    ) -> Result<Vec<Record>, StageError> {
        let mut out = Vec::new();
        for delivered in batch {
            let key = String::from_utf8(delivered.record.key.clone()).unwrap();
            // The count in memory changes first, on purpose: a refused batch leaves it wrong until
            // it is reloaded.
            let n = self.counts.entry(key.clone()).or_insert(0);
            *n += 1;
            let upsert = "INSERT INTO counter (name, n) VALUES ($1, $2)
                ON CONFLICT (name) DO UPDATE SET n = EXCLUDED.n";
            tx.execute(upsert, &[(&key).into(), (*n).into()])?;
            let mut answer = Record {
                topic: topic("out.v1"),
                ..delivered.record.clone()
            };
            let (id, what) = delivered.record.payload.split_last().unwrap();
            answer.payload = n.to_be_bytes().to_vec();
            answer.payload.push(*id);
            match what {
                b"add" => {}
                b"poison" if self.switches.poison_is_fine.load(Ordering::Relaxed) => {}
                b"poison" => return Err(StageError::poison("not a command")),
                b"transient" if self.switches.transient.load(Ordering::Relaxed) => {
                    return Err(StageError::transient("a part is away"));
                }
                b"transient" => {}
                // As text of another party that a stage keeps.
                b"nul" => drop(tx.execute(upsert, &[Arg::from("\0"), 1.into()])?),
                b"large" => drop(tx.execute(upsert, &[(&key).into(), Arg::u64(u64::MAX)?])?),
                b"big" => answer.payload = vec![0; Record::PAYLOAD_MAX + 1],
                b"fatal" => return Err(StageError::fatal("cannot be")),
                other => panic!("{other:?}"),
            }
            out.push(answer);
        }
        self.switches
            .handled
            .fetch_add(batch.len(), Ordering::Relaxed);
        Ok(out)
    }
    fn tick(&mut self, now_ms: u64, tx: &mut dyn Tx) -> Result<Vec<Record>, StageError> {
        if !self.switches.tick_writes.load(Ordering::Relaxed) {
            assert!(
                tx.query("SELECT n FROM counter WHERE name = 'tick'", &[])?
                    .len()
                    < 2
            );
            return Ok(Vec::new());
        }
        tx.execute(
            "INSERT INTO counter (name, n) VALUES ('tick', 1) ON CONFLICT (name) DO UPDATE SET n = counter.n + 1",
            &[],
        )?;
        self.reload(tx)?;
        let mut record = command("t".as_bytes()[0], "tick", "");
        record.payload = now_ms.to_be_bytes().to_vec();
        record.topic = topic("ticks.v1");
        let mut records = vec![record];
        if self.switches.tick_is_too_large.load(Ordering::Relaxed) {
            let mut large = records[0].clone();
            large.payload = vec![0; Record::PAYLOAD_MAX + 1];
            records.insert(0, large);
        }
        Ok(records)
    }
    fn tick_every_ms(&self) -> u64 {
        1000
    }
}

/// Outcome of the next commits.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Commit {
    Works,
    FailsUndone,
    FailsDone,
}

/// A database whose commits can fail, with or without having happened.
pub struct FlakyDb {
    pub inner: SqliteDb,
    pub commit: Mutex<Commit>,
    pub busy: AtomicBool,
}

struct FlakyTx<'a>(Box<dyn Tx + 'a>, Commit);

impl Db for FlakyDb {
    fn begin(&self) -> Result<Box<dyn Tx + '_>, DbError> {
        if self.busy.load(Ordering::Relaxed) {
            return Err(DbError::new(DbErrorKind::Busy, "busy").because("code 5"));
        }
        Ok(Box::new(FlakyTx(
            self.inner.begin()?,
            *self.commit.lock().unwrap(),
        )))
    }
    fn migrate(&self, migrations: &[Migration]) -> Result<(), DbError> {
        self.inner.migrate(migrations)
    }
    fn commits(&self) -> u64 {
        self.inner.commits()
    }
}

impl Tx for FlakyTx<'_> {
    fn execute(
        &mut self,
        sql: &'static str,
        args: &[strongroom_ports::db::Arg<'_>],
    ) -> Result<u64, DbError> {
        self.0.execute(sql, args)
    }
    fn query(
        &mut self,
        sql: &'static str,
        args: &[strongroom_ports::db::Arg<'_>],
    ) -> Result<Vec<strongroom_ports::db::Row>, DbError> {
        self.0.query(sql, args)
    }
    fn bulk(
        &mut self,
        bulk: &strongroom_ports::db::Bulk,
        args: &[strongroom_ports::db::Arg<'_>],
    ) -> Result<Vec<strongroom_ports::db::Row>, DbError> {
        self.0.bulk(bulk, args)
    }
    fn commit(self: Box<Self>) -> Result<(), DbError> {
        match self.1 {
            Commit::Works => return self.0.commit(),
            Commit::FailsUndone => drop(self.0),
            Commit::FailsDone => self.0.commit()?,
        }
        Err(DbError::new(DbErrorKind::Io, "the connection was lost"))
    }
}

/// One database, one bus and the switches; shells come and go.
pub struct World {
    pub db: Arc<FlakyDb>,
    pub bus: Arc<ScriptedBus<EmbeddedBus>>,
    pub switches: Arc<Switches>,
    pub options: Options,
    pub crashes: Crashes,
}

impl World {
    pub fn new() -> Self {
        let bus = EmbeddedBus::open_in_memory(Mode::Dev, BusOptions::default(), [1; 16]).unwrap();
        let db = SqliteDb::open_in_memory().unwrap();
        Self {
            db: Arc::new(FlakyDb {
                inner: db,
                commit: Mutex::new(Commit::Works),
                busy: false.into(),
            }),
            bus: Arc::new(ScriptedBus::new(bus)),
            switches: Arc::default(),
            options: Options::default(),
            crashes: Crashes::default(),
        }
    }

    pub fn shell(&self) -> Shell<Counter> {
        self.try_shell().unwrap()
    }

    pub fn try_shell(&self) -> Result<Shell<Counter>, ShellError> {
        let stage = Counter {
            switches: Arc::clone(&self.switches),
            ..Counter::default()
        };
        Shell::new(
            stage,
            self.db.clone(),
            self.bus.clone(),
            self.options,
            Box::new(self.crashes.clone()),
        )
    }

    pub fn publish(&self, records: &[Record]) {
        self.bus.inner.publish(records).unwrap();
    }

    /// All records on a topic.
    pub fn read(&self, name: &str) -> Vec<Record> {
        let topic = topic(name);
        let start = self.bus.start(&topic).unwrap();
        let all = self
            .bus
            .fetch(&[(topic, start)], 10_000, Duration::ZERO)
            .unwrap();
        all.into_iter().map(|d| d.record).collect()
    }

    /// The announced keys and counts, with duplicates removed as a consumer would remove them.
    pub fn announced(&self) -> Vec<(String, i64)> {
        let mut seen = std::collections::BTreeSet::new();
        let fresh = self
            .read("out.v1")
            .into_iter()
            .filter(|r| seen.insert(message_id(r)));
        fresh
            .map(|r| {
                let key = String::from_utf8(r.key.clone()).unwrap();
                (key, number(&r))
            })
            .collect()
    }

    pub fn count(&self, key: &str) -> i64 {
        let mut tx = self.db.inner.begin().unwrap();
        let row = tx
            .query_opt("SELECT n FROM counter WHERE name = $1", &[key.into()])
            .unwrap();
        row.map_or(0, |row| row.i64(0).unwrap())
    }

    pub fn rows(&self, sql: &'static str) -> i64 {
        self.db.inner.begin().unwrap().query(sql, &[]).unwrap()[0]
            .i64(0)
            .unwrap()
    }
}

/// The count that a record announces.
pub fn number(record: &Record) -> i64 {
    i64::from_be_bytes(record.payload[..8].try_into().unwrap())
}

/// Steps until nothing is left to do.
pub fn settle(shell: &mut Shell<Counter>, now_ms: u64) {
    while !shell.step(now_ms, Duration::ZERO).unwrap().idle() {}
}
