//! One cell's database, bus and process.

use std::sync::Arc;
use std::time::Duration;

use strongroom_bus_embedded::{EmbeddedBus, Options as BusOptions};
use strongroom_ports::bus::{Bus as _, Mode, Record};
use strongroom_ports::db::Db as _;
use strongroom_stage::{CrashPoint, Options, Shell, ShellError, Stage as _};
use strongroom_store_sqlite::SqliteDb;
use strongroom_types::UnixMs;
use strongroom_world::{Crashes, ScriptedBus};

use crate::fixture::Fixture;
use crate::outcome::Outcome;
use crate::published::Published;

/// A stage that needs more rounds than this at one instant does not come to rest.
const ROUNDS_MAX: usize = 500;

pub(crate) struct Installation<F: Fixture> {
    pub(crate) fixture: F,
    db: Arc<SqliteDb>,
    bus: Arc<ScriptedBus<EmbeddedBus>>,
    crashes: Crashes,
    process: Option<Shell<F::Stage>>,
}

impl<F: Fixture> Installation<F> {
    pub(crate) fn new(fixture: F) -> Self {
        let bus = EmbeddedBus::open_in_memory(Mode::Dev, BusOptions::default(), [1; 16]).unwrap();
        let mut new = Self {
            fixture,
            db: Arc::new(SqliteDb::open_in_memory().unwrap()),
            bus: Arc::new(ScriptedBus::new(bus)),
            crashes: Crashes::default(),
            process: None,
        };
        new.start();
        new.fixture.prepare(new.db.clone());
        new
    }

    /// A new process on the same database and bus.
    fn start(&mut self) {
        // The old process must be gone first: nothing of its memory reaches the new one.
        self.process = None;
        let shell = Shell::new(
            self.fixture.stage(),
            self.db.clone(),
            self.bus.clone(),
            Options::default(),
            Box::new(self.crashes.clone()),
        );
        self.process = Some(shell.expect("the stage starts"));
    }

    /// The process dies here and now, and another one starts.
    pub(crate) fn restart(&mut self) {
        self.start();
    }

    pub(crate) fn is_stateless(&self) -> bool {
        self.fixture.stage().stateless()
    }

    /// The process dies when it passes this point next.
    pub(crate) fn arm(&self, point: CrashPoint) {
        self.crashes.arm(point, 1);
    }

    /// Whether the process has still to die.
    pub(crate) fn is_armed(&self) -> bool {
        self.crashes.is_armed()
    }

    /// Publishes records as another service would.
    pub(crate) fn publish(&self, records: &[Record]) {
        self.bus
            .inner
            .publish(records)
            .expect("the test's record is published");
    }

    /// Steps until nothing is left to do at this instant; a process that dies is started again.
    pub(crate) fn settle(&mut self, now: UnixMs) -> Result<(), String> {
        for _ in 0..ROUNDS_MAX {
            let shell = self.process.as_mut().expect("started");
            match shell.step(now.0, Duration::ZERO) {
                Ok(progress) if progress.idle() => return Ok(()),
                Ok(progress) => {
                    if let Some(cause) = progress.blocked {
                        return Err(format!("held back: {cause}"));
                    }
                }
                Err(ShellError::Crashed(_)) => self.start(),
                Err(error) => return Err(chain(&error)),
            }
        }
        Err(format!("still busy after {ROUNDS_MAX} rounds"))
    }

    /// Forgets which records were handled, as the shell does after two weeks.
    pub(crate) fn forget_message_ids(&self) {
        let mut tx = self.db.begin().unwrap();
        tx.execute("DELETE FROM stage_inbox", &[]).unwrap();
        tx.commit().unwrap();
    }

    pub(crate) fn published(&self) -> Published {
        Published::new(&self.bus.published())
    }

    pub(crate) fn outcome(&self) -> Outcome {
        Outcome::new(&self.fixture, &self.published(), self.db.as_ref())
    }
}

fn chain(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(source) => format!("{error}: {}", chain(source)),
        None => error.to_string(),
    }
}
