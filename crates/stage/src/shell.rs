//! The loop around a stage.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use strongroom_ports::bus::{Bus, BusError, Position, Topic};
use strongroom_ports::db::{Db, DbError, Tx};
use strongroom_ports::host::Clock;

use crate::faults::{CrashPoint, Faults};
use crate::schema;
use crate::stage::{Stage, StageError};
use crate::stop::StopFlag;

mod outbox;
mod positions;

mod work;

pub use positions::forget_positions;

use outbox::Outbox;
use work::{Attempt, Work};

/// Bounds and times of a shell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// Records handled by one commit at most.
    pub batch_records_max: usize,
    /// How long the loop waits for records before it looks at its stop flag, milliseconds.
    pub wait_ms: u64,
    /// First and longest pause before a transient failure is tried again, milliseconds.
    pub retry_ms: (u64, u64),
    /// How long a message id is remembered: longer than topics keep records and dead letters are
    /// replayed.
    pub inbox_keep_ms: u64,
    /// How often old message ids are dropped, milliseconds.
    pub prune_every_ms: u64,
    /// Sent outbox rows are deleted by the next commit, or after this long without one,
    /// milliseconds.
    pub tidy_after_ms: u64,
    /// A stateless stage saves its positions after this many batches …
    pub save_every_batches: u32,
    /// … or this long after the first unsaved one, milliseconds.
    pub save_every_ms: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            batch_records_max: 64,
            wait_ms: 250,
            retry_ms: (10, 1000),
            inbox_keep_ms: 14 * 24 * 3600 * 1000,
            prune_every_ms: 10 * 60 * 1000,
            tidy_after_ms: 500,
            save_every_batches: 64,
            save_every_ms: 1000,
        }
    }
}

/// What one step did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Progress {
    /// Records the position moved past (duplicates and dead letters too).
    pub records: usize,
    /// Of these, how many became dead letters.
    pub dead: usize,
    /// The stage's tick ran.
    pub ticked: bool,
    /// Something transient holds the stage back; the cause, for logs. Step again later.
    pub blocked: Option<String>,
}

impl Progress {
    /// Nothing to do and nothing in the way.
    #[must_use]
    pub fn idle(&self) -> bool {
        self.records == 0 && self.blocked.is_none()
    }
}

/// Why a shell ended. Whatever it was, this shell and its stage are not used again; see
/// [`ShellError::may_restart`].
#[derive(Debug, thiserror::Error)]
pub enum ShellError {
    /// Another instance of the stage took over. Its work continues there.
    #[error("another instance of stage {0} took over")]
    Fenced(&'static str),
    /// A commit failed and nobody knows whether it happened: rebuild from the database.
    #[error("a commit of stage {stage} failed with unknown outcome")]
    CommitUnknown {
        /// The stage.
        stage: &'static str,
        /// The database's answer.
        #[source]
        source: DbError,
    },
    /// The database refused for good.
    #[error("the database of stage {stage} failed")]
    Db {
        /// The stage.
        stage: &'static str,
        /// The database's answer.
        #[source]
        source: DbError,
    },
    /// The bus refused for good; [`BusError::PositionGone`] needs an operator.
    #[error("the bus refused stage {stage}")]
    Bus {
        /// The stage.
        stage: &'static str,
        /// The bus's answer.
        #[source]
        source: BusError,
    },
    /// The stage said that it must not go on.
    #[error("stage {stage} stopped")]
    Fatal {
        /// The stage.
        stage: &'static str,
        /// The stage's own error.
        #[source]
        source: StageError,
    },
    /// The simulator stopped it here.
    #[error("crashed at {0:?}")]
    Crashed(CrashPoint),
    /// It was used after an error or after [`Shell::close`].
    #[error("the shell has ended")]
    Ended,
}

impl ShellError {
    /// Whether a new stage and a new shell on the same database may go on by themselves.
    #[must_use]
    pub fn may_restart(&self) -> bool {
        match self {
            Self::CommitUnknown { .. } | Self::Crashed(_) => true,
            Self::Db { source, .. } => source.is_transient(),
            Self::Bus { source, .. } => source.is_transient(),
            Self::Fenced(_) | Self::Fatal { .. } | Self::Ended => false,
        }
    }
}

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
    /// The stage's memory may hold what was never committed.
    stale: bool,
    ended: bool,
}

struct Unsaved {
    since_ms: u64,
    batches: u32,
}

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
        let bus_error = |source| ShellError::Bus {
            stage: name,
            source,
        };
        db.migrate(schema::MIGRATIONS).map_err(db_error)?;
        db.migrate(stage.migrations()).map_err(db_error)?;
        let mut starts = BTreeMap::new();
        for topic in stage.topics() {
            topic.dead_letter().map_err(bus_error)?;
            let start = bus.start(&topic).map_err(bus_error)?;
            starts.insert(topic, start);
        }
        let mut tx = db.begin().map_err(db_error)?;
        let epoch = take_over(tx.as_mut(), name).map_err(db_error)?;
        let saved = positions::load(tx.as_mut(), name, &starts).map_err(db_error)?;
        let outbox = Outbox::load(tx.as_mut(), name).map_err(db_error)?;
        if !stage.stateless() {
            stage
                .reload(tx.as_mut())
                .map_err(|e| stage_error(name, e))?;
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
            stale: false,
            ended: false,
        })
    }

    /// The stage.
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
        let result = self.round(now_ms, wait);
        self.ended = result.is_err();
        result
    }

    /// Steps until `stop` is set, then closes. Time is read after records arrived, not before.
    /// `after` hears of each step once it is committed.
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
                let _ = self.bus.fetch(&self.wants(), 1, wait);
            }
            let progress = self.step(clock.now_ms(), Duration::ZERO)?;
            after(&progress);
            if progress.blocked.is_some() {
                let _ = stop.wait(Duration::from_millis(self.options.retry_ms.0));
            }
        }
        self.close(clock.now_ms())
    }

    /// Sends and saves what is left. The shell has ended then; calling it is a courtesy, not a
    /// need.
    ///
    /// # Errors
    /// As [`Self::step`]; what was not sent goes out at the next start.
    pub fn close(&mut self, now_ms: u64) -> Result<(), ShellError> {
        if self.ended {
            return Err(ShellError::Ended);
        }
        self.ended = true;
        self.send()?;
        if self.outbox.has_sent() && !self.stage.stateless() {
            self.attempt(now_ms, &Work::Tidy)?;
        }
        if self.unsaved.is_some() && self.outbox.is_sent() {
            self.attempt(now_ms, &Work::Save)?;
        }
        Ok(())
    }

    fn round(&mut self, now_ms: u64, wait: Duration) -> Result<Progress, ShellError> {
        let mut progress = Progress::default();
        if let Some(retry) = &self.retry
            && now_ms < retry.at_ms
            && retry.at_ms - now_ms <= self.options.retry_ms.1
        {
            progress.blocked = Some(retry.cause.clone());
            return Ok(progress);
        }
        // Older records first: nothing new is handled while something waits to be sent.
        if let Some(cause) = self.send()? {
            self.hold_back(now_ms, cause, &mut progress);
            return Ok(progress);
        }
        if self.until_tick_ms(now_ms) == 0 {
            self.tick(now_ms, &mut progress)?;
        }
        if progress.blocked.is_some() || self.positions.is_empty() {
            return Ok(progress);
        }
        let wait = wait.min(Duration::from_millis(self.until_tick_ms(now_ms)));
        match self
            .bus
            .fetch(&self.wants(), self.options.batch_records_max, wait)
        {
            Ok(batch) if batch.is_empty() => self.retry = None,
            Ok(batch) => {
                self.check_offsets(&batch)?;
                self.process(now_ms, &batch, &mut progress)?;
            }
            Err(error) if error.is_transient() => {
                self.hold_back(now_ms, error.to_string(), &mut progress)
            }
            Err(source) => {
                return Err(ShellError::Bus {
                    stage: self.name,
                    source,
                });
            }
        }
        self.tidy(now_ms, &mut progress)?;
        Ok(progress)
    }

    fn tick(&mut self, now_ms: u64, progress: &mut Progress) -> Result<(), ShellError> {
        self.last_tick_ms = Some(now_ms);
        match self.attempt(now_ms, &Work::Tick)? {
            Attempt::Done => progress.ticked = true,
            Attempt::Busy(cause) => self.hold_back(now_ms, cause, progress),
            Attempt::Failed(error) if error.is_transient() => {
                self.hold_back(now_ms, error.chain(), progress);
            }
            Attempt::Failed(error) => return Err(stage_error(self.name, error)),
        }
        Ok(())
    }

    /// Deletes sent rows nobody else deleted, and saves lazy positions.
    fn tidy(&mut self, now_ms: u64, progress: &mut Progress) -> Result<(), ShellError> {
        let idle_rows = !self.stage.stateless()
            && progress.idle()
            && self
                .outbox
                .sent_for_ms(now_ms)
                .is_some_and(|age| age >= self.options.tidy_after_ms);
        let save = self.outbox.is_sent()
            && self.unsaved.as_ref().is_some_and(|unsaved| {
                unsaved.batches >= self.options.save_every_batches
                    || now_ms.saturating_sub(unsaved.since_ms) >= self.options.save_every_ms
            });
        for work in [idle_rows.then_some(Work::Tidy), save.then_some(Work::Save)]
            .into_iter()
            .flatten()
        {
            if let Attempt::Busy(cause) = self.attempt(now_ms, &work)? {
                self.hold_back(now_ms, cause, progress);
            }
        }
        Ok(())
    }

    /// Publishes what waits, in order. `Some(cause)` = later.
    fn send(&mut self) -> Result<Option<String>, ShellError> {
        match self.outbox.publish(self.bus.as_ref()) {
            Ok(()) => Ok(None),
            Err(error) if error.is_transient() => Ok(Some(error.to_string())),
            Err(source) => Err(ShellError::Bus {
                stage: self.name,
                source,
            }),
        }
    }

    fn hold_back(&mut self, now_ms: u64, cause: String, progress: &mut Progress) {
        let attempts = self.retry.as_ref().map_or(0, |retry| retry.attempts);
        let (first, longest) = self.options.retry_ms;
        let pause = first.saturating_mul(1 << attempts.min(16)).min(longest);
        if attempts == 0 {
            tracing::warn!(stage = self.name, cause, "held back");
        }
        progress.blocked = Some(cause.clone());
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

    fn wants(&self) -> Vec<(Topic, Position)> {
        self.positions
            .iter()
            .map(|(topic, position)| (topic.clone(), *position))
            .collect()
    }
}

fn take_over(tx: &mut dyn Tx, stage: &str) -> Result<i64, DbError> {
    match tx.query_opt(schema::TAKE_OVER, &[stage.into()])? {
        Some(row) => row.i64(0),
        None => Err(DbError::new(
            strongroom_ports::db::DbErrorKind::Other,
            "taking over gave no epoch",
        )),
    }
}

fn stage_error(stage: &'static str, source: StageError) -> ShellError {
    ShellError::Fatal { stage, source }
}
