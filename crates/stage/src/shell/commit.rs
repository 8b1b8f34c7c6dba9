//! One transaction: ownership, positions, inbox, effects, outbox.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use strongroom_ports::bus::{BusError, Delivered, Position, Record, Topic};
use strongroom_ports::db::{Arg, DbError, DbErrorKind, Tx};

use super::tx::{NoTx, Watch};
use super::work::Work;
use super::{Shell, ShellError, positions};
use crate::dead_letter::DeadLetter;
use crate::faults::CrashPoint;
use crate::post::message_id;
use crate::schema;
use crate::stage::{Stage, StageError, chain};

/// How a transaction ended.
pub(super) enum Transacted {
    /// Committed, with these effects.
    Committed(CommitEffects),
    /// There was nothing to commit.
    Nothing,
    /// The stage refused; nothing was committed.
    Refused(StageError),
    /// The database is busy; nothing was committed.
    Busy(String),
}

/// Changes of the shell's memory that are made after the commit.
pub(super) struct CommitEffects {
    /// Outgoing records, now in the outbox.
    pub(super) records: Vec<Record>,
    /// New positions of the topics that were read.
    pub(super) positions: BTreeMap<Topic, Position>,
    /// Highest sequence number of the outbox rows that the transaction deleted.
    pub(super) deleted: Option<i64>,
}

/// Reason for which a transaction was not committed.
enum NotCommitted {
    Stage(StageError),
    Db(DbError),
    Bus(BusError),
    Fenced,
}

impl From<DbError> for NotCommitted {
    fn from(error: DbError) -> Self {
        Self::Db(error)
    }
}

impl<S: Stage> Shell<S> {
    /// Does the work in one transaction. An `Err` ends the shell.
    pub(super) fn transact(
        &mut self,
        now_ms: u64,
        work: &Work<'_>,
    ) -> Result<Transacted, ShellError> {
        if self.stage.stateless() && !matches!(work, Work::Tidy | Work::Save) {
            return match self.apply_stateless(now_ms, work) {
                Ok(Some(effects)) => Ok(Transacted::Committed(effects)),
                Ok(None) => Ok(Transacted::Nothing),
                Err(why) => self.not_committed(why),
            };
        }

        let db = Arc::clone(&self.db);
        let mut tx = match db.begin() {
            Ok(tx) => tx,
            Err(error) => return self.not_committed(error.into()),
        };

        let applied = self
            .reload_if_stale(tx.as_mut())
            .and_then(|()| self.apply(now_ms, work, tx.as_mut()));
        let effects = match applied {
            Ok(Some(effects)) => effects,
            Ok(None) => return Ok(Transacted::Nothing),
            Err(why) => {
                // The stage may have changed its memory before it failed, so it is reloaded before
                // the next work.
                self.stale = true;
                return self.not_committed(why);
            }
        };

        // A commit that returns an error may have happened all the same. Only a new shell, which
        // reads the database, can tell.
        self.crash_if_told(CrashPoint::BeforeCommit)?;
        tx.commit().map_err(|source| ShellError::CommitUnknown {
            stage: self.name,
            source,
        })?;
        Ok(Transacted::Committed(effects))
    }

    fn not_committed(&self, why: NotCommitted) -> Result<Transacted, ShellError> {
        match why {
            NotCommitted::Stage(error) => Ok(Transacted::Refused(error)),
            NotCommitted::Db(error) if error.is_transient() => Ok(Transacted::Busy(chain(&error))),
            NotCommitted::Db(source) => Err(ShellError::Db {
                stage: self.name,
                source,
            }),
            NotCommitted::Bus(source) => Err(ShellError::bus(self.name, source)),
            NotCommitted::Fenced => Err(ShellError::Fenced(self.name)),
        }
    }

    /// Gives the stage the content of its tables again after a transaction that was not committed.
    fn reload_if_stale(&mut self, tx: &mut dyn Tx) -> Result<(), NotCommitted> {
        if self.stale && !self.stage.stateless() {
            self.stage.reload(tx).map_err(|error| {
                if error.is_transient() {
                    NotCommitted::Db(DbError::new(DbErrorKind::Busy, error.chain()))
                } else {
                    NotCommitted::Stage(error.into_fatal())
                }
            })?;
        }
        self.stale = false;
        Ok(())
    }

    /// Writes everything that one commit makes durable. `None` = there is nothing to commit.
    fn apply(
        &mut self,
        now_ms: u64,
        work: &Work<'_>,
        tx: &mut dyn Tx,
    ) -> Result<Option<CommitEffects>, NotCommitted> {
        // Ownership is checked before anything is read: two instances that both take themselves for
        // the owner would handle the same record twice. A tick checks it later, and only if it has
        // something to write.
        if !matches!(work, Work::Tick) {
            self.check_ownership(tx)?;
        }

        let (records, positions) = match work {
            Work::Batch(batch) => {
                let positions = self.positions_after(batch);
                self.advance(tx, &positions)?;
                (self.handle_unseen(now_ms, tx, batch)?, positions)
            }
            Work::Dead(one, cause, attempts) => {
                let positions = self.positions_after(std::slice::from_ref(*one));
                self.advance(tx, &positions)?;
                let letter = DeadLetter::record(self.name, one, cause, *attempts);
                (vec![letter.map_err(NotCommitted::Bus)?], positions)
            }
            Work::Tick => match self.tick_watched(now_ms, tx)? {
                Some(records) => (records, BTreeMap::new()),
                None => return Ok(None),
            },
            Work::Tidy => (Vec::new(), BTreeMap::new()),
            Work::Save => {
                let positions = self.positions.clone();
                self.advance(tx, &positions)?;
                (Vec::new(), positions)
            }
        };

        let deleted = self.outbox.delete_sent(tx)?;
        self.outbox.write(tx, &records)?;
        Ok(Some(CommitEffects {
            records,
            positions,
            deleted,
        }))
    }

    /// Lets the stage handle those records that it has not handled before.
    fn handle_unseen(
        &mut self,
        now_ms: u64,
        tx: &mut dyn Tx,
        batch: &[Delivered],
    ) -> Result<Vec<Record>, NotCommitted> {
        let handled = match self.unseen(tx, now_ms, batch)? {
            Unseen::All => self.stage.handle(now_ms, tx, batch),
            Unseen::Some(records) => self.stage.handle(now_ms, tx, &records),
            Unseen::None => Ok(Vec::new()),
        };
        let records = handled.map_err(NotCommitted::Stage)?;
        check_size(&records)?;

        // Old ids are removed now and then. They are kept longer than topics keep records, so no
        // record can come again whose id was removed.
        let is_due = self
            .last_prune_ms
            .is_none_or(|last| now_ms.abs_diff(last) >= self.options.prune_every_ms);
        if is_due {
            let before = now_ms.saturating_sub(self.options.inbox_keep_ms);
            tx.execute(schema::PRUNE, &[self.name.into(), Arg::u64(before)?])?;
            self.last_prune_ms = Some(now_ms);
        }
        Ok(records)
    }

    /// Lets the stage tick. `None` = it wrote nothing and returned no record. Nothing is committed
    /// then, because each commit costs an idle installation a disk sync.
    fn tick_watched(
        &mut self,
        now_ms: u64,
        tx: &mut dyn Tx,
    ) -> Result<Option<Vec<Record>>, NotCommitted> {
        let mut watched = Watch {
            tx: &mut *tx,
            wrote: false,
        };

        let ticked = self.stage.tick(now_ms, &mut watched);
        let records = ticked.map_err(NotCommitted::Stage)?;
        if !watched.wrote && records.is_empty() {
            return Ok(None);
        }

        // A tick takes the ownership's lock only now, so that idle ticks take none; it is still
        // before the commit.
        let records = sendable(self.name, records);
        self.check_ownership(tx)?;
        Ok(Some(records))
    }

    /// The effects of a stage that has no tables. It commits no rows.
    fn apply_stateless(
        &mut self,
        now_ms: u64,
        work: &Work<'_>,
    ) -> Result<Option<CommitEffects>, NotCommitted> {
        let (records, positions) = match work {
            Work::Batch(batch) => {
                let handled = self.stage.handle(now_ms, &mut NoTx, batch);
                let records = handled.map_err(NotCommitted::Stage)?;
                (records, self.positions_after(batch))
            }
            Work::Dead(one, cause, attempts) => {
                let letter = DeadLetter::record(self.name, one, cause, *attempts);
                let positions = self.positions_after(std::slice::from_ref(*one));
                (vec![letter.map_err(NotCommitted::Bus)?], positions)
            }
            Work::Tick => {
                let ticked = self.stage.tick(now_ms, &mut NoTx);
                (ticked.map_err(NotCommitted::Stage)?, BTreeMap::new())
            }
            Work::Tidy | Work::Save => return Ok(None),
        };

        let records = sendable(self.name, records);
        if records.is_empty() && positions.is_empty() {
            return Ok(None);
        }
        Ok(Some(CommitEffects {
            records,
            positions,
            deleted: None,
        }))
    }

    /// Locks the ownership for this transaction; [`NotCommitted`] when a later instance has it.
    fn check_ownership(&self, tx: &mut dyn Tx) -> Result<(), NotCommitted> {
        let owned = tx.execute(schema::STILL_OWNER, &[self.name.into(), self.epoch.into()])?;
        if owned == 1 {
            Ok(())
        } else {
            Err(NotCommitted::Fenced)
        }
    }

    fn advance(&self, tx: &mut dyn Tx, to: &BTreeMap<Topic, Position>) -> Result<(), NotCommitted> {
        if positions::advance(tx, self.name, &self.saved, to)? {
            Ok(())
        } else {
            Err(NotCommitted::Fenced)
        }
    }

    /// Tells new records from duplicates, and stores the ids of the new ones. No signature was
    /// verified yet: a record that the stage does not open takes its id back with the transaction.
    fn unseen(
        &self,
        tx: &mut dyn Tx,
        now_ms: u64,
        batch: &[Delivered],
    ) -> Result<Unseen, NotCommitted> {
        let ids: Vec<[u8; 16]> = batch.iter().map(|d| message_id(&d.record)).collect();
        let mut args = Vec::with_capacity(batch.len() * schema::SEEN.columns);
        for (delivered, id) in batch.iter().zip(&ids) {
            args.extend([
                Arg::from(self.name),
                delivered.topic.as_str().into(),
                id.into(),
                Arg::u64(now_ms)?,
            ]);
        }

        // One statement both checks and inserts the ids. With a check before an insert, two
        // transactions could both find the same id unknown.
        let rows = tx.bulk(&schema::SEEN, &args)?;
        if rows.len() == batch.len() {
            return Ok(Unseen::All);
        }
        if rows.is_empty() {
            return Ok(Unseen::None);
        }

        let mut new: BTreeSet<(&str, &[u8])> = BTreeSet::new();
        for row in &rows {
            new.insert((row.text(0)?, row.blob(1)?));
        }

        // If one id is in the batch twice, the statement returned it once: only its first record is
        // new.
        let fresh = batch
            .iter()
            .zip(&ids)
            .filter(|(d, id)| new.remove(&(d.topic.as_str(), id.as_slice())))
            .map(|(d, _)| d.clone());
        Ok(Unseen::Some(fresh.collect()))
    }

    fn positions_after(&self, batch: &[Delivered]) -> BTreeMap<Topic, Position> {
        let mut after = BTreeMap::new();
        for delivered in batch {
            if let Some(position) = self.positions.get(&delivered.topic) {
                let position = Position {
                    next: delivered.offset.saturating_add(1),
                    ..*position
                };
                after.insert(delivered.topic.clone(), position);
            }
        }
        after
    }
}

/// The records of a batch that were not handled before.
enum Unseen {
    All,
    Some(Vec<Delivered>),
    None,
}

/// The records that fit the bus. The others are dropped where no consumed record can be set aside
/// for them: a tick would make them again at each start, and a stage without tables has changed its
/// memory already. To stop for one of them would stop everything else the stage does.
fn sendable(stage: &str, mut records: Vec<Record>) -> Vec<Record> {
    records.retain(|record| match record.check() {
        Ok(()) => true,
        Err(error) => {
            tracing::error!(stage, %error, "a record is dropped: it cannot be sent");
            false
        }
    });
    records
}

/// A record that can never be published must not enter the outbox: it would block the outbox
/// permanently.
fn check_size(records: &[Record]) -> Result<(), NotCommitted> {
    for record in records {
        if let Err(error) = record.check() {
            let refused = StageError::poison("a record of the stage cannot be sent");
            return Err(NotCommitted::Stage(refused.because(error)));
        }
    }
    Ok(())
}
