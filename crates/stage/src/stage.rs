//! What a service implements.

use std::borrow::Cow;
use std::error::Error;
use strongroom_ports::bus::{Delivered, Record, Topic};
use strongroom_ports::db::{DbError, Migration, Tx};

/// One service's state machine.
///
/// Handlers are idempotent in effect: a record is a hint to look, the tables are the truth. What
/// `handle` and `tick` write through `tx` and the records they return become one commit.
///
/// # Memory
///
/// A stage may keep a copy of its tables in memory. Whenever a transaction it worked in was not
/// committed (an error of its own, a batch tried again in halves), the shell calls
/// [`Stage::reload`] before anything else. When a commit itself fails its outcome is unknown: the
/// shell then ends with [`crate::ShellError::CommitUnknown`], and the caller makes a new stage and
/// a new shell from the database.
pub trait Stage: Send {
    /// Name of the stage in its tables and logs; never changes.
    fn name(&self) -> &'static str;

    /// Topics it consumes.
    fn topics(&self) -> Vec<Topic>;

    /// Its own tables.
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

    /// Handles records that were not handled before (duplicates are removed), each topic's in
    /// order; at most 64. The answer holds for the whole batch.
    ///
    /// # Errors
    /// See [`StageError`].
    fn handle(
        &mut self,
        now_ms: u64,
        tx: &mut dyn Tx,
        batch: &[Delivered],
    ) -> Result<Vec<Record>, StageError>;

    /// Does what time makes due. Nothing is committed when it writes nothing and returns nothing.
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

    /// Whether records of a topic are wanted now. Those that are not stay where they are; a stage
    /// that holds one topic back looks at the others, and ticks.
    fn takes(&self, now_ms: u64, topic: &Topic) -> bool {
        let _ = (now_ms, topic);
        true
    }

    /// `true` when what it publishes is a pure function of what it consumes, message ids included.
    /// Then nothing is committed per batch: publish, and save the position now and then; after a
    /// crash it publishes the same records again and downstream removes the duplicates. Its `tx`
    /// refuses every statement, duplicates are not removed for it, and on an error it must leave
    /// its memory as it was.
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

/// Remedy for a [`StageError`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StageErrorKind {
    /// A record can never be handled. The batch is halved until the record stands alone; then it
    /// becomes a dead letter and the position moves on.
    Poison,
    /// May succeed later: tried again in place; a record whose deadline passes before that becomes
    /// a dead letter.
    Transient,
    /// The stage must not go on (state that cannot be, a journal that forked). The shell stops.
    Fatal,
}

/// Why a stage did not handle a batch: what it was doing, and the error below it as source. Both go
/// to logs and dead letters ([`StageError::chain`]): no secrets, no customer data.
#[derive(Debug, thiserror::Error)]
#[error("{what}")]
pub struct StageError {
    kind: StageErrorKind,
    what: Cow<'static, str>,
    #[source]
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl StageError {
    /// A record that can never be handled.
    pub fn poison(what: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StageErrorKind::Poison, what)
    }

    /// Something that may succeed later.
    pub fn transient(what: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StageErrorKind::Transient, what)
    }

    /// State in which the stage must not go on.
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

    /// The same error with the one below it.
    #[must_use]
    pub fn because(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Remedy for the error.
    #[must_use]
    pub fn kind(&self) -> StageErrorKind {
        self.kind
    }

    /// Whether the same input may succeed later.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        self.kind == StageErrorKind::Transient
    }

    /// The same error where nothing can be tried again.
    #[must_use]
    pub(crate) fn into_fatal(mut self) -> Self {
        self.kind = StageErrorKind::Fatal;
        self
    }

    /// The error and everything below it, outermost first, in one line.
    #[must_use]
    pub fn chain(&self) -> String {
        let mut text = self.to_string();
        // `Display` prints no cause, so each level of the chain appears once.
        let mut below = self.source();
        while let Some(error) = below {
            text.push_str(": ");
            text.push_str(&error.to_string());
            below = error.source();
        }
        text
    }
}

/// A database error that may pass is transient; any other means code and tables disagree.
impl From<DbError> for StageError {
    fn from(error: DbError) -> Self {
        let what = "the stage's database";
        if error.is_transient() {
            Self::transient(what).because(error)
        } else {
            Self::fatal(what).because(error)
        }
    }
}
