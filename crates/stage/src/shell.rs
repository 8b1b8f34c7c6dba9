//! The loop around a stage.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use strongroom_ports::bus::{Bus, Position, Topic};
use strongroom_ports::db::{Db, DbError, DbErrorKind, Tx};
use strongroom_ports::host::Clock;

use crate::faults::Faults;
use crate::schema;
use crate::stage::Stage;
use crate::stop::StopFlag;

mod commit;
mod error;
mod options;
mod outbox;
mod positions;
mod tx;
mod work;

pub use error::ShellError;
pub use options::{Options, Progress};
pub use positions::forget_positions;

use outbox::Outbox;
use work::{Work, WorkOutcome};

/// A stage at work. One thread at a time.
pub struct Shell<S: Stage> {
    stage: S,
    name: &'static str,
    db: Arc<dyn Db>,
    bus: Arc<dyn Bus>,
    options: Options,
    faults: Box<dyn Faults>,
    /// Ownership; a later instance has a higher one.
    epoch: i64,
    positions: BTreeMap<Topic, Position>,
    /// Positions in the database, where they may lag (stateless).
    saved: BTreeMap<Topic, Position>,
    unsaved: Option<Unsaved>,
    outbox: Outbox,
    last_tick_ms: Option<u64>,
    last_prune_ms: Option<u64>,
    retry: Option<Retry>,
    /// Of the step that runs.
    progress: Progress,
    /// The stage's memory may hold what was never committed.
    stale: bool,
    ended: bool,
}

/// Batches of a stateless stage that the saved positions do not cover.
struct Unsaved {
    since_ms: u64,
    batches: u32,
}

/// A transient failure that was met, and when to try again.
struct Retry {
    at_ms: u64,
    attempts: u32,
    cause: String,
}

impl<S: Stage> Shell<S> {
    /// Makes the tables, takes the stage over from any earlier instance, and loads positions,
    /// unsent records and the stage's memory.
    ///
    /// # Errors
    /// Database, bus or the stage's `reload`.
    pub fn new(
        mut stage: S,
        db: Arc<dyn Db>,
        bus: Arc<dyn Bus>,
        options: Options,
        faults: Box<dyn Faults>,
    ) -> Result<Self, ShellError> {
        let name = stage.name();
        let db_error = |source| ShellError::Db {
            stage: name,
            source,
        };
        db.migrate(schema::MIGRATIONS).map_err(db_error)?;
        db.migrate(stage.migrations()).map_err(db_error)?;

        let starts = starts(&stage, bus.as_ref())?;

        // Ownership is taken first: what is read after it cannot be changed by an earlier instance
        // any more, since each of its commits checks the epoch.
        let mut tx = db.begin().map_err(db_error)?;
        let epoch = take_over(tx.as_mut(), name).map_err(db_error)?;
        let saved = positions::load(tx.as_mut(), name, &starts).map_err(db_error)?;
        let outbox = Outbox::load(tx.as_mut(), name).map_err(db_error)?;
        if !stage.stateless() {
            let reloaded = stage.reload(tx.as_mut());
            reloaded.map_err(|source| ShellError::fatal(name, source))?;
        }
        tx.commit().map_err(|source| ShellError::CommitUnknown {
            stage: name,
            source,
        })?;

        Ok(Self {
            stage,
            name,
            db,
            bus,
            options,
            faults,
            epoch,
            positions: saved.clone(),
            saved,
            unsaved: None,
            outbox,
            last_tick_ms: None,
            last_prune_ms: None,
            retry: None,
            progress: Progress::default(),
            stale: false,
            ended: false,
        })
    }

    /// The stage at work, to look at.
    pub fn stage(&self) -> &S {
        &self.stage
    }

    /// One round: send what waits, tick when due, then one batch. Blocks up to `wait` for records
    /// (0 in simulation).
    ///
    /// # Errors
    /// After any error the shell has ended; rebuild stage and shell from the database.
    pub fn step(&mut self, now_ms: u64, wait: Duration) -> Result<Progress, ShellError> {
        if self.ended {
            return Err(ShellError::Ended);
        }
        self.progress = Progress::default();
        let result = self.round(now_ms, wait);

        // Memory and tables may differ from here on: nothing may be built on either.
        self.ended = result.is_err();
        result.map(|()| std::mem::take(&mut self.progress))
    }

    /// Steps until `stop` is set, then closes. Time is read after records arrived, not before.
    /// `after` is called with each step's progress once it is committed.
    ///
    /// # Errors
    /// As [`Self::step`].
    pub fn run(
        &mut self,
        clock: &dyn Clock,
        stop: &StopFlag,
        after: &mut dyn FnMut(&Progress),
    ) -> Result<(), ShellError> {
        while !stop.is_set() {
            let wait_ms = self.options.wait_ms.min(self.until_tick_ms(clock.now_ms()));
            let wait = Duration::from_millis(wait_ms);
            if self.positions.is_empty() {
                let _ = stop.wait(wait);
            } else if self.retry.is_none() {
                // Only to wait; the step fetches again and reports what is wrong.
                let _ = self.bus.fetch(&self.wants(clock.now_ms()), 1, wait);
            }

            let progress = self.step(clock.now_ms(), Duration::ZERO)?;
            after(&progress);
            if progress.blocked.is_some() {
                let _ = stop.wait(Duration::from_millis(self.options.retry_ms.0));
            }
        }
        self.close(clock.now_ms())
    }

    /// Sends and saves what is left, and ends the shell. Optional: the next start sends it too.
    ///
    /// # Errors
    /// As [`Self::step`]; what was not sent goes out at the next start.
    pub fn close(&mut self, now_ms: u64) -> Result<(), ShellError> {
        if self.ended {
            return Err(ShellError::Ended);
        }
        // Whatever fails from here on, this shell is over: the tables hold what was not sent.
        self.ended = true;
        self.send()?;

        if self.outbox.has_sent() && !self.stage.stateless() {
            self.attempt(now_ms, &Work::Tidy)?;
        }
        // A position beyond an unsent record would lose it: no one repeats it then.
        if self.unsaved.is_some() && self.outbox.is_sent() {
            self.attempt(now_ms, &Work::Save)?;
        }
        Ok(())
    }

    fn round(&mut self, now_ms: u64, wait: Duration) -> Result<(), ShellError> {
        // A clock that was set back must not turn a pause of a second into one of a year.
        if let Some(retry) = &self.retry
            && now_ms < retry.at_ms
            && retry.at_ms - now_ms <= self.options.retry_ms.1
        {
            self.progress.blocked = Some(retry.cause.clone());
            return Ok(());
        }

        // Older records go first: nothing new is handled while something waits to be sent.
        if let Some(cause) = self.send()? {
            self.hold_back(now_ms, cause);
            return Ok(());
        }

        if self.until_tick_ms(now_ms) == 0 {
            self.tick(now_ms)?;
        }
        if self.progress.blocked.is_some() || self.positions.is_empty() {
            return Ok(());
        }

        self.handle_batch(now_ms, wait)?;
        self.tidy(now_ms)
    }

    /// Fetches and handles what is next.
    fn handle_batch(&mut self, now_ms: u64, wait: Duration) -> Result<(), ShellError> {
        let wait = wait.min(Duration::from_millis(self.until_tick_ms(now_ms)));
        let records_max = self.options.batch_records_max;

        match self.bus.fetch(&self.wants(now_ms), records_max, wait) {
            Ok(batch) if batch.is_empty() => self.retry = None,
            Ok(batch) => {
                self.check_offsets(&batch)?;
                self.process(now_ms, &batch)?;
            }
            Err(error) if error.is_transient() => self.hold_back(now_ms, error.to_string()),
            Err(source) => return Err(ShellError::bus(self.name, source)),
        }
        Ok(())
    }

    fn tick(&mut self, now_ms: u64) -> Result<(), ShellError> {
        // The time is set before the work: a tick that fails must not run again at once, without a
        // pause.
        self.last_tick_ms = Some(now_ms);

        match self.attempt(now_ms, &Work::Tick)? {
            WorkOutcome::Committed => self.progress.ticked = true,
            WorkOutcome::Busy(cause) => self.hold_back(now_ms, cause),
            WorkOutcome::Refused(error) if error.is_transient() => {
                self.hold_back(now_ms, error.chain());
            }
            // No record can be set aside for a tick that fails: the stage itself is wrong.
            WorkOutcome::Refused(error) => return Err(ShellError::fatal(self.name, error)),
        }
        Ok(())
    }

    /// Deletes sent rows that no later commit deleted, and saves lazy positions.
    fn tidy(&mut self, now_ms: u64) -> Result<(), ShellError> {
        // A busy stage deletes them with its next commit; only an idle one pays for a commit.
        let rows_are_due = !self.stage.stateless()
            && self.progress.idle()
            && self
                .outbox
                .sent_for_ms(now_ms)
                .is_some_and(|age| age >= self.options.tidy_after_ms);
        if rows_are_due {
            self.attempt_or_hold_back(now_ms, &Work::Tidy)?;
        }

        // Never before everything was sent: a stateless stage repeats from its saved position.
        let positions_are_due = self.outbox.is_sent()
            && self.unsaved.as_ref().is_some_and(|unsaved| {
                unsaved.batches >= self.options.save_every_batches
                    || now_ms.saturating_sub(unsaved.since_ms) >= self.options.save_every_ms
            });
        if positions_are_due {
            self.attempt_or_hold_back(now_ms, &Work::Save)?;
        }
        Ok(())
    }

    fn attempt_or_hold_back(&mut self, now_ms: u64, work: &Work<'_>) -> Result<(), ShellError> {
        if let WorkOutcome::Busy(cause) = self.attempt(now_ms, work)? {
            self.hold_back(now_ms, cause);
        }
        Ok(())
    }

    /// Publishes what waits, in order. `Some(cause)` = later.
    fn send(&mut self) -> Result<Option<String>, ShellError> {
        match self.outbox.publish(self.bus.as_ref()) {
            Ok(()) => Ok(None),
            Err(error) if error.is_transient() => Ok(Some(error.to_string())),
            Err(source) => Err(ShellError::bus(self.name, source)),
        }
    }

    /// Does nothing more in this step, and waits longer each time before the next try.
    fn hold_back(&mut self, now_ms: u64, cause: String) {
        let attempts = self.retry.as_ref().map_or(0, |retry| retry.attempts);
        let (first, longest) = self.options.retry_ms;
        let pause = first.saturating_mul(1 << attempts.min(16)).min(longest);
        // The error is logged once, not once per try: an outage of hours must not fill the disk.
        if attempts == 0 {
            tracing::warn!(stage = self.name, cause, "held back");
        }

        self.progress.blocked = Some(cause.clone());
        self.retry = Some(Retry {
            at_ms: now_ms.saturating_add(pause),
            attempts: attempts.saturating_add(1),
            cause,
        });
    }

    /// Milliseconds until the tick is due; 0 = now. A clock that went back makes it due.
    fn until_tick_ms(&self, now_ms: u64) -> u64 {
        match (self.stage.tick_every_ms(), self.last_tick_ms) {
            (0, _) => u64::MAX,
            (_, None) => 0,
            (_, Some(last)) if now_ms < last => 0,
            (every, Some(last)) => last.saturating_add(every).saturating_sub(now_ms),
        }
    }

    fn wants(&self, now_ms: u64) -> Vec<(Topic, Position)> {
        self.positions
            .iter()
            .filter(|(topic, _)| self.stage.takes(now_ms, topic))
            .map(|(topic, position)| (topic.clone(), *position))
            .collect()
    }
}

/// Oldest position of each topic, for those that the stage has not read yet.
fn starts(stage: &impl Stage, bus: &dyn Bus) -> Result<BTreeMap<Topic, Position>, ShellError> {
    let bus_error = |source| ShellError::bus(stage.name(), source);
    let mut starts = BTreeMap::new();
    for topic in stage.topics() {
        // Found out at the start, not when the first record cannot be handled.
        topic.dead_letter().map_err(bus_error)?;

        let start = bus.start(&topic).map_err(bus_error)?;
        starts.insert(topic, start);
    }

    Ok(starts)
}

fn take_over(tx: &mut dyn Tx, stage: &str) -> Result<i64, DbError> {
    match tx.query_opt(schema::TAKE_OVER, &[stage.into()])? {
        Some(row) => row.i64(0),
        None => Err(DbError::new(
            DbErrorKind::Other,
            "taking over gave no epoch",
        )),
    }
}
