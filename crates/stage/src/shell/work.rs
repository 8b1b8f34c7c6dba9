//! Pieces of work: a batch, a dead letter, a tick, housekeeping.

use std::collections::BTreeMap;

use strongroom_ports::bus::{BusError, Delivered, Topic};
use strongroom_wire::Envelope;

use super::commit::Transacted;
use super::{Shell, ShellError, Unsaved};
use crate::faults::CrashPoint;
use crate::stage::{Stage, StageError, StageErrorKind};

/// Purpose of a transaction.
pub(super) enum Work<'a> {
    /// Handle these records.
    Batch(&'a [Delivered]),
    /// Make a record that cannot be handled a dead letter, with the cause and the number of tries.
    Dead(&'a Delivered, String, u32),
    /// Do what time makes due.
    Tick,
    /// Delete sent outbox rows.
    Tidy,
    /// Save lazy positions.
    Save,
}

/// Outcome of a piece of work.
pub(super) enum WorkOutcome {
    /// Committed, or there was nothing to commit.
    Committed,
    /// The stage refused; nothing was committed.
    Refused(StageError),
    /// The database is busy; nothing was committed.
    Busy(String),
}

impl<S: Stage> Shell<S> {
    /// Handles a batch. If it fails, its halves are handled separately, down to the record that
    /// fails. `false` = held back; the rest waits.
    pub(super) fn process(&mut self, now_ms: u64, batch: &[Delivered]) -> Result<bool, ShellError> {
        let error = match self.attempt(now_ms, &Work::Batch(batch))? {
            WorkOutcome::Committed => {
                self.progress.records += batch.len();
                self.retry = None;
                return Ok(true);
            }
            WorkOutcome::Busy(cause) => {
                self.hold_back(now_ms, cause);
                return Ok(false);
            }
            WorkOutcome::Refused(error) => error,
        };

        let cause = match error.kind() {
            StageErrorKind::Transient if !is_expired(batch, now_ms) => {
                self.hold_back(now_ms, error.chain());
                return Ok(false);
            }
            // A transient failure of an expired batch counts as a failed batch too: the work is of
            // no use any more, and further tries would block the records behind it.
            StageErrorKind::Poison | StageErrorKind::Transient => error.chain(),
            StageErrorKind::Fatal => return Err(ShellError::fatal(self.name, error)),
        };
        if let [one] = batch {
            return self.dead_letter(now_ms, one, cause);
        }

        // The batch is halved, so that one bad record does not make the good ones dead letters.
        let (first, second) = batch.split_at(batch.len() / 2);
        Ok(self.process(now_ms, first)? && self.process(now_ms, second)?)
    }

    /// Makes one record a dead letter and moves its position on. `false` = held back.
    fn dead_letter(
        &mut self,
        now_ms: u64,
        one: &Delivered,
        cause: String,
    ) -> Result<bool, ShellError> {
        let attempts = self
            .retry
            .as_ref()
            .map_or(1, |retry| retry.attempts.saturating_add(1));

        let (topic, offset) = (&one.topic, one.offset);
        tracing::error!(stage = self.name, %topic, offset, cause, "dead letter");

        match self.attempt(now_ms, &Work::Dead(one, cause, attempts))? {
            WorkOutcome::Committed => {
                self.progress.records += 1;
                self.progress.dead += 1;
                self.retry = None;
                Ok(true)
            }
            WorkOutcome::Busy(cause) => {
                self.hold_back(now_ms, cause);
                Ok(false)
            }
            WorkOutcome::Refused(error) => Err(ShellError::fatal(self.name, error)),
        }
    }

    /// Does one piece of work in one transaction and sends the records that it made.
    pub(super) fn attempt(
        &mut self,
        now_ms: u64,
        work: &Work<'_>,
    ) -> Result<WorkOutcome, ShellError> {
        let effects = match self.transact(now_ms, work)? {
            Transacted::Committed(effects) => effects,
            Transacted::Nothing => return Ok(WorkOutcome::Committed),
            Transacted::Refused(error) => return Ok(WorkOutcome::Refused(error)),
            Transacted::Busy(cause) => return Ok(WorkOutcome::Busy(cause)),
        };

        // Memory changes only after the commit, so that it never holds what the tables do not.
        self.outbox.deleted(effects.deleted);
        self.outbox.committed(effects.records);
        self.positions.extend(effects.positions);
        if !self.stage.stateless() || matches!(work, Work::Save) {
            self.saved.clone_from(&self.positions);
            self.unsaved = None;
        } else if !matches!(work, Work::Tidy) {
            let unsaved = self.unsaved.get_or_insert(Unsaved {
                since_ms: now_ms,
                batches: 0,
            });
            unsaved.batches += 1;
        }
        self.crash_if_told(CrashPoint::AfterCommit)?;

        // A transient failure of the bus is ignored here: the next step sends first, and handles
        // it.
        self.send()?;
        self.crash_if_told(CrashPoint::AfterPublish)?;
        Ok(WorkOutcome::Committed)
    }

    /// Refuses offsets that go back. Gaps are allowed, because compaction makes them.
    pub(super) fn check_offsets(&self, batch: &[Delivered]) -> Result<(), ShellError> {
        let mut next: BTreeMap<&Topic, u64> = BTreeMap::new();
        for delivered in batch {
            let saved = self.positions.get(&delivered.topic).map(|p| p.next);
            let expected = next.get(&delivered.topic).copied().or(saved);

            // A log that repeats old offsets is another log: its records may be forged or replayed
            // from a time that the inbox has forgotten.
            if expected.is_none_or(|expected| delivered.offset < expected) {
                let what = format!(
                    "{} gave offset {}, wanted {expected:?}",
                    delivered.topic, delivered.offset
                );
                return Err(ShellError::bus(self.name, BusError::Corrupt(what)));
            }
            next.insert(&delivered.topic, delivered.offset.saturating_add(1));
        }
        Ok(())
    }

    pub(super) fn crash_if_told(&self, point: CrashPoint) -> Result<(), ShellError> {
        if self.faults.at(point) {
            Err(ShellError::Crashed(point))
        } else {
            Ok(())
        }
    }
}

/// Whether the deadline of some record has passed, by what its sender signed: under a header that a
/// broker made up a record would be given up too early, or hold its topic up for good.
fn is_expired(batch: &[Delivered], now_ms: u64) -> bool {
    let has_passed = |envelope: Envelope| (1..=now_ms).contains(&envelope.deadline.0);
    batch
        .iter()
        .any(|d| Envelope::unverified(&d.record.payload).is_ok_and(has_passed))
}
