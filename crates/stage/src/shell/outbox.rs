//! Outgoing records between the commit and the bus's acknowledgement.

use strongroom_ports::bus::{Bus, BusError, Record, Topic};
use strongroom_ports::db::{Arg, DbError, DbErrorKind, Row, Tx};
use strongroom_wire::encode;

use crate::schema;

/// Largest number of records that are handed to the bus at once, well below the length of its
/// queue.
const PUBLISH_MAX: usize = 256;

/// Records that wait to be sent, oldest first. Every record is sent from here, so none overtakes an
/// older one.
pub(crate) struct Outbox {
    stage: &'static str,
    next_seq: i64,
    unsent: Vec<Record>,
    /// Sequence numbers of `unsent`, in the same order.
    seqs: Vec<i64>,
    /// Highest sequence number of the rows that were sent and are still in the table.
    sent_through: Option<i64>,
    /// Time at which [`Self::sent_for_ms`] first saw them.
    sent_since_ms: Option<u64>,
}

impl Outbox {
    /// The records that a crash left. They are few: nothing new is handled while records wait, and
    /// the next commit deletes sent rows.
    pub(crate) fn load(tx: &mut dyn Tx, stage: &'static str) -> Result<Self, DbError> {
        let mut outbox = Self {
            stage,
            next_seq: 1,
            unsent: Vec::new(),
            seqs: Vec::new(),
            sent_through: None,
            sent_since_ms: None,
        };

        // Rows are read in pages, so that a long outbox is not in memory twice.
        loop {
            let rows = tx.query(
                schema::UNSENT,
                &[stage.into(), (outbox.next_seq - 1).into(), 256.into()],
            )?;
            if rows.is_empty() {
                return Ok(outbox);
            }

            for row in &rows {
                let seq = row.i64(0)?;
                outbox.unsent.push(record(row)?);
                outbox.seqs.push(seq);
                outbox.next_seq = seq + 1;
            }
        }
    }

    /// Writes new records into the transaction.
    pub(crate) fn write(&self, tx: &mut dyn Tx, records: &[Record]) -> Result<(), DbError> {
        if records.is_empty() {
            return Ok(());
        }

        let headers: Vec<Vec<u8>> = records.iter().map(|r| encode(&r.headers)).collect();

        let mut args: Vec<Arg<'_>> = Vec::with_capacity(records.len() * schema::SEND.columns);
        for ((seq, record), headers) in (self.next_seq..).zip(records).zip(&headers) {
            args.extend([
                self.stage.into(),
                seq.into(),
                record.topic.as_str().into(),
                (&record.key).into(),
                Arg::from(headers),
                (&record.payload).into(),
            ]);
        }
        tx.bulk(&schema::SEND, &args).map(|_| ())
    }

    /// Queues the records of a transaction that was committed.
    pub(crate) fn committed(&mut self, records: Vec<Record>) {
        // Memory changes only after the commit: records of a transaction that was rolled back must
        // never be sent.
        for record in records {
            self.unsent.push(record);
            self.seqs.push(self.next_seq);
            self.next_seq += 1;
        }
    }

    /// Deletes the rows that were sent, as part of any transaction.
    pub(crate) fn delete_sent(&self, tx: &mut dyn Tx) -> Result<Option<i64>, DbError> {
        if let Some(through) = self.sent_through {
            tx.execute(schema::SENT, &[self.stage.into(), through.into()])?;
        }
        Ok(self.sent_through)
    }

    /// Notes that the transaction that deleted rows up to `through` was committed.
    pub(crate) fn deleted(&mut self, through: Option<i64>) {
        // More records may have been sent since that transaction began; their rows are still in the
        // table.
        if through.is_some() && through == self.sent_through {
            self.sent_through = None;
            self.sent_since_ms = None;
        }
    }

    /// Publishes all records that wait, in order; stops at the first failure.
    pub(crate) fn publish(&mut self, bus: &dyn Bus) -> Result<(), BusError> {
        while !self.unsent.is_empty() {
            let count = self.unsent.len().min(PUBLISH_MAX);
            // A failed publish has an unknown outcome. The records are then sent again with the
            // same ids, and the readers remove duplicates.
            bus.publish(self.unsent.get(..count).unwrap_or_default())?;
            self.unsent.drain(..count);
            self.sent_through = self.seqs.drain(..count).next_back();
        }
        Ok(())
    }

    /// Whether nothing waits to be sent.
    pub(crate) fn is_sent(&self) -> bool {
        self.unsent.is_empty()
    }

    /// Whether sent rows wait to be deleted.
    pub(crate) fn has_sent(&self) -> bool {
        self.sent_through.is_some()
    }

    /// Time for which sent rows have waited to be deleted, milliseconds, counted from the first
    /// call that found them; `None` when no row waits.
    pub(crate) fn sent_for_ms(&mut self, now_ms: u64) -> Option<u64> {
        self.sent_through?;
        Some(now_ms.saturating_sub(*self.sent_since_ms.get_or_insert(now_ms)))
    }
}

fn record(row: &Row) -> Result<Record, DbError> {
    // This program wrote the row in a transaction, so a row that does not decode means a damaged
    // disk.
    let damaged = || DbError::new(DbErrorKind::Corrupt, "a row of the outbox");
    Ok(Record {
        topic: Topic::new(row.text(1)?).map_err(|e| damaged().because(e))?,
        key: row.blob(2)?.to_vec(),
        headers: borsh::from_slice(row.blob(3)?).map_err(|e| damaged().because(e))?,
        payload: row.blob(4)?.to_vec(),
    })
}
