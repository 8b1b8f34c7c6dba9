//! The trait that a service implements, and its errors.

use std::borrow::Cow;
use std::error::Error;
use strongroom_ports::bus::{Delivered, Record, Topic};
use strongroom_ports::db::{DbError, DbErrorKind, Migration, Tx};

/// One service's state machine.
///
/// Handlers are idempotent in effect: a record only tells the stage to look at its tables, and the
/// tables decide. What `handle` and `tick` write through `tx` and the records they return become
/// one commit.
///
/// # Memory
///
/// A stage may keep a copy of its tables in memory. Whenever a transaction it worked in was not
/// committed (an error of its own, a batch tried again in halves), the shell calls
/// [`Stage::reload`] before anything else. When a commit itself fails its outcome is unknown: the
/// shell then ends with [`crate::ShellError::CommitUnknown`], and the caller makes a new stage and
/// a new shell from the database.
pub trait Stage: Send {
    /// Name of the stage in its tables and logs. It must never change.
    fn name(&self) -> &'static str;

    /// Topics that the stage consumes.
    fn topics(&self) -> Vec<Topic>;

    /// Migrations of the stage's tables.
    fn migrations(&self) -> &'static [Migration];

    /// Rebuilds memory from the tables; called at start and after every transaction that was not
    /// committed. Not called for stateless stages.
    ///
    /// # Errors
    /// As [`Self::handle`]; `Transient` is tried again.
    fn reload(&mut self, tx: &mut dyn Tx) -> Result<(), StageError> {
        let _ = tx;
        Ok(())
    }

    /// Handles at most [`Options::batch_records_max`](crate::Options::batch_records_max) records
    /// that were not handled before (the shell removes duplicates), those of each topic in order.
    /// An error is for the whole batch.
    ///
    /// # Errors
    /// See [`StageError`].
    fn handle(
        &mut self,
        now_ms: u64,
        tx: &mut dyn Tx,
        batch: &[Delivered],
    ) -> Result<Vec<Record>, StageError>;

    /// Does the work that is due at this time. Nothing is committed when it writes nothing and
    /// returns no record. A record that does not fit the bus is dropped with an
    /// error in the log: its purpose must be served again by a later tick, or time out.
    ///
    /// # Errors
    /// `Transient` is tried again at the next tick; anything else stops the shell.
    fn tick(&mut self, now_ms: u64, tx: &mut dyn Tx) -> Result<Vec<Record>, StageError> {
        let _ = (now_ms, tx);
        Ok(Vec::new())
    }

    /// Milliseconds between ticks; 0 = never.
    fn tick_every_ms(&self) -> u64 {
        0
    }

    /// Whether records of a topic are wanted now. Records that are not wanted stay on the bus; the
    /// stage goes on with its other topics, and ticks.
    fn takes(&self, now_ms: u64, topic: &Topic) -> bool {
        let _ = (now_ms, topic);
        true
    }

    /// `true` when the records that the stage publishes are a pure function of those that it
    /// consumes, message ids included. The shell then commits nothing per batch: it publishes, and
    /// saves the positions now and then. After a crash the same records are published again, and
    /// their readers remove the duplicates. `tx` refuses every statement, the shell removes no
    /// duplicates for this stage, and on an error the stage must leave its memory as it was. A
    /// record of its own that does not fit the bus is dropped with an error in the log.
    fn stateless(&self) -> bool {
        false
    }
}

impl<S: Stage + ?Sized> Stage for Box<S> {
    fn name(&self) -> &'static str {
        (**self).name()
    }
    fn topics(&self) -> Vec<Topic> {
        (**self).topics()
    }
    fn migrations(&self) -> &'static [Migration] {
        (**self).migrations()
    }
    fn reload(&mut self, tx: &mut dyn Tx) -> Result<(), StageError> {
        (**self).reload(tx)
    }
    fn handle(
        &mut self,
        now_ms: u64,
        tx: &mut dyn Tx,
        batch: &[Delivered],
    ) -> Result<Vec<Record>, StageError> {
        (**self).handle(now_ms, tx, batch)
    }
    fn tick(&mut self, now_ms: u64, tx: &mut dyn Tx) -> Result<Vec<Record>, StageError> {
        (**self).tick(now_ms, tx)
    }
    fn tick_every_ms(&self) -> u64 {
        (**self).tick_every_ms()
    }
    fn takes(&self, now_ms: u64, topic: &Topic) -> bool {
        (**self).takes(now_ms, topic)
    }
    fn stateless(&self) -> bool {
        (**self).stateless()
    }
}

/// The shell's reaction to a [`StageError`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StageErrorKind {
    /// A record can never be handled. The batch is halved until the record is alone in it; then it
    /// becomes a dead letter and the position moves on.
    Poison,
    /// The same batch may succeed later. The shell tries it again and handles nothing else until
    /// then; a record whose deadline passes first becomes a dead letter.
    Transient,
    /// The stage must not continue, because its state is impossible or the journal has forked. The
    /// shell stops.
    Fatal,
}

/// Reason for which a stage did not handle a batch, with the error below it as source. Both are
/// written to logs and dead letters ([`StageError::chain`]), so they must hold no secrets and no
/// customer data.
#[derive(Debug, thiserror::Error)]
#[error("{what}")]
pub struct StageError {
    kind: StageErrorKind,
    what: Cow<'static, str>,
    #[source]
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl StageError {
    /// An error for a record that can never be handled.
    pub fn poison(what: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StageErrorKind::Poison, what)
    }

    /// An error for work that may succeed later.
    pub fn transient(what: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StageErrorKind::Transient, what)
    }

    /// An error for a state in which the stage must not continue.
    pub fn fatal(what: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StageErrorKind::Fatal, what)
    }

    fn new(kind: StageErrorKind, what: impl Into<Cow<'static, str>>) -> Self {
        Self {
            kind,
            what: what.into(),
            source: None,
        }
    }

    /// This error with the error below it as source.
    #[must_use]
    pub fn because(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// The shell's reaction to the error.
    #[must_use]
    pub fn kind(&self) -> StageErrorKind {
        self.kind
    }

    /// Whether the same input may succeed later.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        self.kind == StageErrorKind::Transient
    }

    /// This error, made fatal by a caller that cannot try again.
    #[must_use]
    pub(crate) fn into_fatal(mut self) -> Self {
        self.kind = StageErrorKind::Fatal;
        self
    }

    /// The error and everything below it, outermost first, in one line.
    #[must_use]
    pub fn chain(&self) -> String {
        chain(self)
    }
}

/// An error and everything below it, outermost first, in one line.
pub(crate) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    // `Display` prints no cause, so each level of the chain appears once.
    let mut below = error.source();
    while let Some(error) = below {
        text.push_str(": ");
        text.push_str(&error.to_string());
        below = error.source();
    }
    text
}

/// A transient database error stays transient. A value that no column holds was in a record, which
/// is set aside: the stage must not stop at it at each start. Any other error is fatal, because code
/// and tables disagree.
impl From<DbError> for StageError {
    fn from(error: DbError) -> Self {
        let what = "the stage's database";
        let kind = match error.kind() {
            _ if error.is_transient() => StageErrorKind::Transient,
            DbErrorKind::BadValue => StageErrorKind::Poison,
            _ => StageErrorKind::Fatal,
        };
        Self::new(kind, what).because(error)
    }
}
