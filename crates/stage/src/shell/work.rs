//! One transaction: positions, inbox, effects, outbox.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use strongroom_ports::bus::{BusError, Delivered, Position, Record, Topic};
use strongroom_ports::db::{Arg, Bulk, DbError, DbErrorKind, Row, Tx, writes};

use super::{Progress, Shell, ShellError, Unsaved, positions, stage_error};
use crate::dead_letter::DeadLetter;
use crate::faults::CrashPoint;
use crate::schema;
use crate::stage::{Stage, StageError, StageErrorKind};

/// What a transaction is for.
pub(crate) enum Work<'a> {
    Batch(&'a [Delivered]),
    /// A record that cannot be handled: cause, attempts.
    Dead(&'a Delivered, String, u32),
    Tick,
    /// Delete sent outbox rows.
    Tidy,
    /// Save lazy positions.
    Save,
}

pub(crate) enum Attempt {
    Done,
    /// The stage refused; nothing was committed.
    Failed(StageError),
    /// The database is busy; nothing was committed.
    Busy(String),
}

/// What becomes true with the commit.
struct Effects {
    records: Vec<Record>,
    positions: BTreeMap<Topic, Position>,
    deleted: Option<i64>,
}

enum Failure {
    Stage(StageError),
    Db(DbError),
    Bus(BusError),
    Fenced,
}

impl From<DbError> for Failure {
    fn from(error: DbError) -> Self {
        Self::Db(error)
    }
}

impl<S: Stage> Shell<S> {
    /// Handles a batch; halves it until a bad record stands alone. `false` = blocked, the rest
    /// waits.
    pub(super) fn process(
        &mut self,
        now_ms: u64,
        batch: &[Delivered],
        progress: &mut Progress,
    ) -> Result<bool, ShellError> {
        let cause = match self.attempt(now_ms, &Work::Batch(batch))? {
            Attempt::Done => {
                progress.records += batch.len();
                self.retry = None;
                return Ok(true);
            }
            Attempt::Busy(cause) => return Ok(self.later(now_ms, cause, progress)),
            Attempt::Failed(error) => match error.kind() {
                StageErrorKind::Transient if !expired(batch, now_ms) => {
                    return Ok(self.later(now_ms, error.chain(), progress));
                }
                StageErrorKind::Poison | StageErrorKind::Transient => error.chain(),
                StageErrorKind::Fatal => return Err(stage_error(self.name, error)),
            },
        };
        if let [one] = batch {
            return self.bury(now_ms, one, cause, progress);
        }
        let (first, second) = batch.split_at(batch.len() / 2);
        Ok(self.process(now_ms, first, progress)? && self.process(now_ms, second, progress)?)
    }

    fn bury(
        &mut self,
        now_ms: u64,
        one: &Delivered,
        cause: String,
        progress: &mut Progress,
    ) -> Result<bool, ShellError> {
        let attempts = self
            .retry
            .as_ref()
            .map_or(1, |retry| retry.attempts.saturating_add(1));
        tracing::error!(stage = self.name, topic = %one.topic, offset = one.offset, cause, "dead letter");
        match self.attempt(now_ms, &Work::Dead(one, cause, attempts))? {
            Attempt::Done => {
                progress.records += 1;
                progress.dead += 1;
                self.retry = None;
                Ok(true)
            }
            Attempt::Busy(cause) => Ok(self.later(now_ms, cause, progress)),
            Attempt::Failed(error) => Err(stage_error(self.name, error)),
        }
    }

    fn later(&mut self, now_ms: u64, cause: String, progress: &mut Progress) -> bool {
        self.hold_back(now_ms, cause, progress);
        false
    }

    /// Does one piece of work in one transaction and sends what came of it.
    pub(super) fn attempt(&mut self, now_ms: u64, work: &Work<'_>) -> Result<Attempt, ShellError> {
        let stateless = self.stage.stateless();
        let effects = match work {
            Work::Batch(_) | Work::Dead(..) | Work::Tick if stateless => {
                self.apply_stateless(now_ms, work)
            }
            Work::Batch(_) | Work::Dead(..) | Work::Tick | Work::Tidy | Work::Save => {
                self.transact(now_ms, work)?
            }
        };
        let effects = match effects {
            Ok(Some(effects)) => effects,
            Ok(None) => return Ok(Attempt::Done),
            Err(failure) => return self.failed(failure),
        };
        self.outbox.deleted(effects.deleted);
        self.outbox.committed(effects.records);
        self.positions.extend(effects.positions);
        if !stateless || matches!(work, Work::Save) {
            self.saved.clone_from(&self.positions);
            self.unsaved = None;
        } else if !matches!(work, Work::Tidy) {
            self.unsaved
                .get_or_insert(Unsaved {
                    since_ms: now_ms,
                    batches: 0,
                })
                .batches += 1;
        }
        self.crash(CrashPoint::AfterCommit)?;
        // A transient failure is met again, and handled, at the start of the next step.
        self.send()?;
        self.crash(CrashPoint::AfterPublish)?;
        Ok(Attempt::Done)
    }

    /// The transaction itself. The outer error ends the shell; the inner one means nothing was
    /// committed.
    fn transact(
        &mut self,
        now_ms: u64,
        work: &Work<'_>,
    ) -> Result<Result<Option<Effects>, Failure>, ShellError> {
        let db = Arc::clone(&self.db);
        let mut tx = match db.begin() {
            Ok(tx) => tx,
            Err(error) => return Ok(Err(error.into())),
        };
        let effects = match self
            .refresh(tx.as_mut())
            .and_then(|()| self.apply(now_ms, work, tx.as_mut()))
        {
            Ok(Some(effects)) => effects,
            Ok(None) => return Ok(Ok(None)),
            Err(failure) => {
                self.stale = true;
                return Ok(Err(failure));
            }
        };
        self.crash(CrashPoint::BeforeCommit)?;
        tx.commit().map_err(|source| ShellError::CommitUnknown {
            stage: self.name,
            source,
        })?;
        Ok(Ok(Some(effects)))
    }

    fn failed(&self, failure: Failure) -> Result<Attempt, ShellError> {
        match failure {
            Failure::Stage(error) => Ok(Attempt::Failed(error)),
            Failure::Db(error) if error.is_transient() => Ok(Attempt::Busy(error.to_string())),
            Failure::Db(source) => Err(ShellError::Db {
                stage: self.name,
                source,
            }),
            Failure::Bus(source) => Err(ShellError::Bus {
                stage: self.name,
                source,
            }),
            Failure::Fenced => Err(ShellError::Fenced(self.name)),
        }
    }

    /// Gives the stage its tables' truth back after a transaction that was not committed.
    fn refresh(&mut self, tx: &mut dyn Tx) -> Result<(), Failure> {
        if self.stale && !self.stage.stateless() {
            self.stage.reload(tx).map_err(|error| {
                if error.is_transient() {
                    Failure::Db(DbError::new(DbErrorKind::Busy, error.chain()))
                } else {
                    Failure::Stage(error.into_fatal())
                }
            })?;
        }
        self.stale = false;
        Ok(())
    }

    /// `None` = there is nothing to commit.
    fn apply(
        &mut self,
        now_ms: u64,
        work: &Work<'_>,
        tx: &mut dyn Tx,
    ) -> Result<Option<Effects>, Failure> {
        if !matches!(work, Work::Tick) {
            self.claim(tx)?;
        }
        let (records, positions) = match work {
            Work::Batch(batch) => {
                let positions = self.after(batch);
                self.advance(tx, &positions)?;
                let records = match self.unseen(tx, now_ms, batch)? {
                    Some(fresh) if fresh.is_empty() => Vec::new(),
                    Some(fresh) => self
                        .stage
                        .handle(now_ms, tx, &fresh)
                        .map_err(Failure::Stage)?,
                    None => self
                        .stage
                        .handle(now_ms, tx, batch)
                        .map_err(Failure::Stage)?,
                };
                check(&records)?;
                self.prune(tx, now_ms)?;
                (records, positions)
            }
            Work::Dead(one, cause, attempts) => {
                let positions = self.after(std::slice::from_ref(*one));
                self.advance(tx, &positions)?;
                let letter = DeadLetter::record(self.name, one, cause, *attempts);
                (vec![letter.map_err(Failure::Bus)?], positions)
            }
            Work::Tick => {
                let mut watched = Watch {
                    tx: &mut *tx,
                    wrote: false,
                };
                let records = self
                    .stage
                    .tick(now_ms, &mut watched)
                    .map_err(Failure::Stage)?;
                if !watched.wrote && records.is_empty() {
                    return Ok(None);
                }
                check(&records)?;
                self.claim(tx)?;
                (records, BTreeMap::new())
            }
            Work::Tidy => (Vec::new(), BTreeMap::new()),
            Work::Save => {
                let positions = self.positions.clone();
                self.advance(tx, &positions)?;
                (Vec::new(), positions)
            }
        };
        let deleted = self.outbox.delete_sent(tx)?;
        self.outbox.write(tx, &records)?;
        Ok(Some(Effects {
            records,
            positions,
            deleted,
        }))
    }

    fn apply_stateless(
        &mut self,
        now_ms: u64,
        work: &Work<'_>,
    ) -> Result<Option<Effects>, Failure> {
        let (records, positions) = match work {
            Work::Batch(batch) => {
                let records = self
                    .stage
                    .handle(now_ms, &mut NoTx, batch)
                    .map_err(Failure::Stage)?;
                (records, self.after(batch))
            }
            Work::Dead(one, cause, attempts) => {
                let letter =
                    DeadLetter::record(self.name, one, cause, *attempts).map_err(Failure::Bus)?;
                (vec![letter], self.after(std::slice::from_ref(*one)))
            }
            Work::Tick => (
                self.stage.tick(now_ms, &mut NoTx).map_err(Failure::Stage)?,
                BTreeMap::new(),
            ),
            Work::Tidy | Work::Save => return Ok(None),
        };
        check(&records)?;
        if records.is_empty() && positions.is_empty() {
            return Ok(None);
        }
        Ok(Some(Effects {
            records,
            positions,
            deleted: None,
        }))
    }

    fn claim(&self, tx: &mut dyn Tx) -> Result<(), Failure> {
        let mine = tx.execute(schema::STILL_OWNER, &[self.name.into(), self.epoch.into()])?;
        if mine == 1 {
            Ok(())
        } else {
            Err(Failure::Fenced)
        }
    }

    fn advance(&self, tx: &mut dyn Tx, to: &BTreeMap<Topic, Position>) -> Result<(), Failure> {
        let moved = positions::advance(tx, self.name, &self.saved, to)?;
        if moved { Ok(()) } else { Err(Failure::Fenced) }
    }

    /// The records never seen before, or `None` when that is all of them. Remembers their ids.
    fn unseen(
        &self,
        tx: &mut dyn Tx,
        now_ms: u64,
        batch: &[Delivered],
    ) -> Result<Option<Vec<Delivered>>, Failure> {
        let mut args = Vec::with_capacity(batch.len() * schema::SEEN.columns);
        for delivered in batch {
            args.extend([
                Arg::from(self.name),
                delivered.topic.as_str().into(),
                (&delivered.record.headers.msg_id).into(),
                Arg::u64(now_ms)?,
            ]);
        }
        let rows = tx.bulk(&schema::SEEN, &args)?;
        if rows.len() == batch.len() {
            return Ok(None);
        }
        let mut new: BTreeSet<(&str, &[u8])> = BTreeSet::new();
        for row in &rows {
            new.insert((row.text(0)?, row.blob(1)?));
        }
        // A double within the batch came back once: only its first record is new.
        let fresh = batch
            .iter()
            .filter(|d| new.remove(&(d.topic.as_str(), d.record.headers.msg_id.as_slice())))
            .cloned();
        Ok(Some(fresh.collect()))
    }

    fn prune(&mut self, tx: &mut dyn Tx, now_ms: u64) -> Result<(), Failure> {
        let due = self
            .last_prune_ms
            .is_none_or(|last| now_ms.abs_diff(last) >= self.options.prune_every_ms);
        if due {
            let before = now_ms.saturating_sub(self.options.inbox_keep_ms);
            tx.execute(schema::PRUNE, &[self.name.into(), Arg::u64(before)?])?;
            self.last_prune_ms = Some(now_ms);
        }
        Ok(())
    }

    /// Positions after these records.
    fn after(&self, batch: &[Delivered]) -> BTreeMap<Topic, Position> {
        let mut out = BTreeMap::new();
        for delivered in batch {
            if let Some(position) = self.positions.get(&delivered.topic) {
                let position = Position {
                    next: delivered.offset.saturating_add(1),
                    ..*position
                };
                out.insert(delivered.topic.clone(), position);
            }
        }
        out
    }

    /// The bus may leave gaps (compaction), never go back.
    pub(super) fn check_offsets(&self, batch: &[Delivered]) -> Result<(), ShellError> {
        let mut next: BTreeMap<&Topic, u64> = BTreeMap::new();
        for delivered in batch {
            let expected = match next.get(&delivered.topic) {
                Some(next) => Some(*next),
                None => self
                    .positions
                    .get(&delivered.topic)
                    .map(|position| position.next),
            };
            if expected.is_none_or(|expected| delivered.offset < expected) {
                let what = format!(
                    "{} gave offset {}, wanted {expected:?}",
                    delivered.topic, delivered.offset
                );
                return Err(ShellError::Bus {
                    stage: self.name,
                    source: BusError::Corrupt(what),
                });
            }
            next.insert(&delivered.topic, delivered.offset.saturating_add(1));
        }
        Ok(())
    }

    fn crash(&self, point: CrashPoint) -> Result<(), ShellError> {
        if self.faults.at(point) {
            Err(ShellError::Crashed(point))
        } else {
            Ok(())
        }
    }
}

/// A record that can never be published must not enter the outbox: it would block it for ever.
fn check(records: &[Record]) -> Result<(), Failure> {
    let checked = records.iter().try_for_each(Record::check);
    checked.map_err(|e| Failure::Stage(StageError::poison("its answer cannot be sent").because(e)))
}

/// Some record's deadline is over.
fn expired(batch: &[Delivered], now_ms: u64) -> bool {
    batch
        .iter()
        .any(|d| (1..=now_ms).contains(&d.record.headers.deadline_ms))
}

/// Notices whether a tick wrote anything.
struct Watch<'a> {
    tx: &'a mut dyn Tx,
    wrote: bool,
}

impl Tx for Watch<'_> {
    fn execute(&mut self, sql: &'static str, args: &[Arg<'_>]) -> Result<u64, DbError> {
        let changed = self.tx.execute(sql, args)?;
        self.wrote |= writes(sql, changed);
        Ok(changed)
    }
    fn query(&mut self, sql: &'static str, args: &[Arg<'_>]) -> Result<Vec<Row>, DbError> {
        let rows = self.tx.query(sql, args)?;
        self.wrote |= writes(sql, rows.len() as u64);
        Ok(rows)
    }
    fn bulk(&mut self, bulk: &Bulk, args: &[Arg<'_>]) -> Result<Vec<Row>, DbError> {
        self.wrote |= !args.is_empty();
        self.tx.bulk(bulk, args)
    }
    fn commit(self: Box<Self>) -> Result<(), DbError> {
        Err(DbError::new(DbErrorKind::Other, "the shell commits"))
    }
}

/// The transaction of a stateless stage.
struct NoTx;

impl NoTx {
    fn refused<T>() -> Result<T, DbError> {
        Err(DbError::new(
            DbErrorKind::Other,
            "a stateless stage has no database",
        ))
    }
}

impl Tx for NoTx {
    fn execute(&mut self, _: &'static str, _: &[Arg<'_>]) -> Result<u64, DbError> {
        Self::refused()
    }
    fn query(&mut self, _: &'static str, _: &[Arg<'_>]) -> Result<Vec<Row>, DbError> {
        Self::refused()
    }
    fn bulk(&mut self, _: &Bulk, _: &[Arg<'_>]) -> Result<Vec<Row>, DbError> {
        Self::refused()
    }
    fn commit(self: Box<Self>) -> Result<(), DbError> {
        Self::refused()
    }
}
