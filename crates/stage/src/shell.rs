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

/// A stage with its inbox, positions and outbox. One thread at a time may use it.
pub struct Shell<S: Stage> {
    stage: S,
    name: &'static str,
    db: Arc<dyn Db>,
    bus: Arc<dyn Bus>,
    options: Options,
    faults: Box<dyn Faults>,
    /// Number of this instance; a later instance has a higher one.
    epoch: i64,
    positions: BTreeMap<Topic, Position>,
    /// Positions in the database; those of a stateless stage may be behind `positions`.
    saved: BTreeMap<Topic, Position>,
    unsaved: Option<Unsaved>,
    outbox: Outbox,
    last_tick_ms: Option<u64>,
    last_prune_ms: Option<u64>,
    retry: Option<Retry>,
    /// Progress of the step that is running.
    progress: Progress,
    /// Whether the stage's memory may hold changes that were never committed.
    stale: bool,
    ended: bool,
}

/// Batches of a stateless stage since its positions were saved.
struct Unsaved {
    since_ms: u64,
    batches: u32,
}

/// A transient failure, and the time of the next try.
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
    /// Errors of the database, the bus or the stage's `reload`.
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

        // Ownership is taken before anything is read. From then on an earlier instance can change
        // nothing, because each of its commits checks the epoch.
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

    /// The stage, for reading.
    pub fn stage(&self) -> &S {
        &self.stage
    }

    /// Runs one round: sends the records that wait, ticks when the tick is due, then handles one
    /// batch. Blocks up to `wait` for records (0 in simulation).
    ///
    /// # Errors
    /// After any error the shell has ended; rebuild stage and shell from the database.
    pub fn step(&mut self, now_ms: u64, wait: Duration) -> Result<Progress, ShellError> {
        if self.ended {
            return Err(ShellError::Ended);
        }
        self.progress = Progress::default();
        let result = self.round(now_ms, wait);

        // After an error memory and tables may differ, so this shell must do no further work.
        self.ended = result.is_err();
        result.map(|()| std::mem::take(&mut self.progress))
    }

    /// Steps until `stop` is set, then closes. The clock is read after records have arrived, not
    /// before. `after` is called with the progress of each step after its commit.
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
                // This fetch only waits for a record: the step fetches again and reports an error.
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

    /// Sends the records and saves the positions that are left, and ends the shell. A caller may
    /// leave it out: the next start does the same.
    ///
    /// # Errors
    /// As [`Self::step`]; the next start sends what was not sent.
    pub fn close(&mut self, now_ms: u64) -> Result<(), ShellError> {
        if self.ended {
            return Err(ShellError::Ended);
        }
        // The shell ends even if a statement below fails: the tables hold the records that were not
        // sent.
        self.ended = true;
        self.send()?;

        if self.outbox.has_sent() && !self.stage.stateless() {
            self.attempt(now_ms, &Work::Tidy)?;
        }
        // A stateless stage makes an unsent record again from its saved position. A position saved
        // beyond it would lose the record.
        if self.unsaved.is_some() && self.outbox.is_sent() {
            self.attempt(now_ms, &Work::Save)?;
        }
        Ok(())
    }

    fn round(&mut self, now_ms: u64, wait: Duration) -> Result<(), ShellError> {
        // A pause never lasts longer than the longest one. Otherwise a clock that was set back by a
        // year would turn a pause of a second into one of a year.
        if let Some(retry) = &self.retry
            && now_ms < retry.at_ms
            && retry.at_ms - now_ms <= self.options.retry_ms.1
        {
            self.progress.blocked = Some(retry.cause.clone());
            return Ok(());
        }

        // Records that wait are sent first, and nothing new is handled until they are, so that
        // records leave in the order of their commits.
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

    /// Fetches and handles the next batch.
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
        // The time is set before the work, so that a tick that fails is not run again without a
        // pause.
        self.last_tick_ms = Some(now_ms);

        match self.attempt(now_ms, &Work::Tick)? {
            WorkOutcome::Committed => self.progress.ticked = true,
            WorkOutcome::Busy(cause) => self.hold_back(now_ms, cause),
            WorkOutcome::Refused(error) if error.is_transient() => {
                self.hold_back(now_ms, error.chain());
            }
            // No record causes a tick, so none can be set aside. The stage itself is wrong and must
            // stop.
            WorkOutcome::Refused(error) => return Err(ShellError::fatal(self.name, error)),
        }
        Ok(())
    }

    /// Deletes sent rows that no later commit deleted, and saves lazy positions.
    fn tidy(&mut self, now_ms: u64) -> Result<(), ShellError> {
        // A busy stage deletes sent rows in its next commit. Only for an idle stage a commit is
        // made for that alone.
        let rows_are_due = !self.stage.stateless()
            && self.progress.idle()
            && self
                .outbox
                .sent_for_ms(now_ms)
                .is_some_and(|age| age >= self.options.tidy_after_ms);
        if rows_are_due {
            self.attempt_or_hold_back(now_ms, &Work::Tidy)?;
        }

        // Positions are saved only after everything was sent: after a crash a stateless stage
        // repeats its work from there.
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

    /// Publishes the records that wait, in order. `Some(cause)` = the bus failed for now; try
    /// later.
    fn send(&mut self) -> Result<Option<String>, ShellError> {
        match self.outbox.publish(self.bus.as_ref()) {
            Ok(()) => Ok(None),
            Err(error) if error.is_transient() => Ok(Some(error.to_string())),
            Err(source) => Err(ShellError::bus(self.name, source)),
        }
    }

    /// Ends the work of this step, and sets the time of the next try. The pause doubles each time,
    /// up to the longest.
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

    /// Milliseconds until the tick is due; 0 = now. If the clock was set back, the tick is due.
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

/// Oldest position of each of the stage's topics, for the topics that it has not read yet.
fn starts(stage: &impl Stage, bus: &dyn Bus) -> Result<BTreeMap<Topic, Position>, ShellError> {
    let bus_error = |source| ShellError::bus(stage.name(), source);
    let mut starts = BTreeMap::new();
    for topic in stage.topics() {
        // A topic whose dead letters have no valid topic name stops the start, not the stage at its
        // first poison record.
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
