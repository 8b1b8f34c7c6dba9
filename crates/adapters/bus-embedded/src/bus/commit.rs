//! Group commit: one of the publishing threads writes the records of all that wait.

use std::sync::atomic::Ordering;
use std::sync::{MutexGuard, PoisonError};

use strongroom_ports::bus::{BusError, Topic};

use super::EmbeddedBus;
use crate::log::{Append, Log};
use crate::state::BusState;

impl EmbeddedBus {
    /// Waits until the queue has room for `count` more records.
    pub(super) fn wait_for_room(&self, count: usize) -> Result<MutexGuard<'_, BusState>, BusError> {
        let max = self.options.queue_records_max;
        // A publish that is larger than the queue is accepted when the queue is empty, because it
        // would never fit otherwise.
        let no_room = |state: &mut BusState| {
            state.refuse_if_unusable().is_ok() && state.queued > 0 && state.queued + count > max
        };

        let (state, waited) = self
            .written
            .wait_timeout_while(self.lock(), self.options.publish_wait, no_room)
            .unwrap_or_else(PoisonError::into_inner);

        // The bus may have been closed during the wait; it then accepts nothing more.
        state.refuse_if_unusable()?;
        if waited.timed_out() {
            Err(BusError::Full)
        } else {
            Ok(state)
        }
    }

    /// Waits for the result of `ticket`, and writes batches while no other thread does.
    pub(super) fn drive<'a>(
        &'a self,
        mut state: MutexGuard<'a, BusState>,
        ticket: u64,
    ) -> Result<(), BusError> {
        loop {
            if let Some(result) = state.results.remove(&ticket) {
                return result;
            }

            state = if state.writing {
                self.written
                    .wait(state)
                    .unwrap_or_else(PoisonError::into_inner)
            } else {
                self.write_batch(state)
            };
        }
    }

    fn write_batch<'a>(&'a self, mut state: MutexGuard<'a, BusState>) -> MutexGuard<'a, BusState> {
        let batch = state.take_batch(self.options.batch_records_max);
        let appends = state.plan(&batch, self.options.retention_records_max);

        let broken = state.broken;
        state.writing = true;
        drop(state);

        let (mut state, result) = if broken {
            let mut state = self.lock();
            state.writing = false;
            self.written.notify_all();
            (
                state,
                Err(BusError::Io(
                    "the log failed and must be opened again".into(),
                )),
            )
        } else {
            self.write(appends, self.lock_writer())
        };

        for pending in batch {
            state.queued -= pending.records.len();
            state.results.insert(pending.ticket, result.clone());
        }
        state
    }

    /// Writes the records and makes them readable. Afterwards this thread is no longer the writer.
    fn write<'a>(
        &'a self,
        appends: Vec<Append>,
        mut writer: MutexGuard<'a, Log>,
    ) -> (MutexGuard<'a, BusState>, Result<(), BusError>) {
        let result = writer.append(&appends);
        drop(writer);

        let mut state = self.lock();
        state.writing = false;

        let result = match result {
            Ok(()) => {
                self.fsyncs.fetch_add(1, Ordering::Relaxed);
                // Records become readable only after the commit: a record that was delivered must
                // survive a crash.
                state.apply(appends);
                Ok(())
            }
            Err(failure) => {
                // If it is not known what the file holds, the bus is broken: further offsets from
                // memory could be assigned twice.
                state.broken |= failure.lost;
                Err(failure.error)
            }
        };

        // Publishers wait for their result and consumers for records, so both are woken.
        self.written.notify_all();
        self.arrived.notify_all();
        (state, result)
    }

    /// Drops a topic's records before `oldest`, as retention does. A consumer whose position no
    /// longer exists gets [`BusError::PositionGone`].
    ///
    /// # Errors
    /// As [`strongroom_ports::bus::Bus::publish`]. Nothing happens when the topic is unknown or `oldest` is not within it.
    pub fn trim(&self, topic: &Topic, oldest: u64) -> Result<(), BusError> {
        let mut state = self.lock();
        // Only one thread may write at a time, because offsets are assigned from the state after
        // the last batch.
        while state.writing {
            state = self
                .written
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }

        state.refuse_if_unusable()?;
        let Some(known) = state
            .topics
            .get(topic)
            .filter(|t| (t.oldest..=t.next).contains(&oldest))
        else {
            return Ok(());
        };

        let append = Append {
            topic: topic.clone(),
            id: known.id,
            created: false,
            oldest: known.oldest,
            next: known.next,
            records: Vec::new(),
            keep_from: oldest,
        };

        // The state's lock is not held during the write, so that readers can continue.
        state.writing = true;
        drop(state);
        self.write(vec![append], self.lock_writer()).1
    }
}
