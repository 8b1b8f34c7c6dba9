//! The embedded bus: records are published into its queue and fetched by offset.

mod commit;
mod connections;
#[cfg(test)]
mod tests;

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use strongroom_ports::bus::{Bus, BusError, Delivered, Mode, Position, Record, Topic};

use self::connections::{Connections, lock_log};
use crate::log::{Log, Span};
use crate::options::Options;
use crate::state::{BusState, PendingPublish, shares};

/// The embedded bus. Share it behind an `Arc`.
pub struct EmbeddedBus {
    options: Options,
    incarnation: [u8; 16],
    state: Mutex<BusState>,
    /// Signalled when records became readable, or the bus closed.
    arrived: Condvar,
    /// Signalled when a batch was written or failed.
    written: Condvar,
    connections: Connections,
    fsyncs: AtomicU64,
}

impl EmbeddedBus {
    /// Opens or creates the log in a file. `new_incarnation` must be random; it is used only when
    /// the log is created.
    ///
    /// # Errors
    /// [`BusError::RefusedInProduction`]; [`BusError::Io`] when another process has the file open;
    /// [`BusError::Corrupt`] when the file is damaged.
    pub fn open(
        path: &Path,
        mode: Mode,
        options: Options,
        new_incarnation: [u8; 16],
    ) -> Result<Self, BusError> {
        refuse_production(mode)?;
        let lock = lock_log(path)?;

        // The file is checked before anything is served from it, so that damage is found now.
        let writer = Log::open(path)?;
        let (incarnation, topics) = writer.load(new_incarnation)?;

        // Consumers have a connection of their own, because one that reads old records must not
        // delay publishers.
        let connections = Connections {
            reader: Some(Mutex::new(Log::open(path)?)),
            writer: Mutex::new(writer),
            _lock: Some(lock),
        };
        let state = BusState::new(topics);
        Ok(Self::new(options, incarnation, state, connections))
    }

    /// Opens a log in memory, which is lost with the object.
    ///
    /// # Errors
    /// [`BusError::RefusedInProduction`].
    pub fn open_in_memory(
        mode: Mode,
        options: Options,
        incarnation: [u8; 16],
    ) -> Result<Self, BusError> {
        refuse_production(mode)?;
        let writer = Log::open_in_memory()?;
        let (incarnation, topics) = writer.load(incarnation)?;
        let connections = Connections {
            writer: Mutex::new(writer),
            reader: None,
            _lock: None,
        };
        let state = BusState::new(topics);
        Ok(Self::new(options, incarnation, state, connections))
    }

    fn new(
        options: Options,
        incarnation: [u8; 16],
        state: BusState,
        connections: Connections,
    ) -> Self {
        Self {
            options,
            incarnation,
            state: Mutex::new(state),
            arrived: Condvar::new(),
            written: Condvar::new(),
            connections,
            fsyncs: AtomicU64::new(0),
        }
    }

    /// One topic's records for a fetch, from memory or from the file.
    fn read(
        &self,
        state: MutexGuard<'_, BusState>,
        span: Span<'_>,
    ) -> Result<Vec<Record>, BusError> {
        let Some(known) = state.topics.get(span.topic) else {
            return Ok(Vec::new());
        };
        if let Some(records) = known.read_tail(span.from, span.max) {
            return Ok(records);
        }

        // The lock is released before the file is read, because the file is slow and publishers
        // must not wait for it.
        let id = known.id;
        drop(state);
        let Connections { writer, reader, .. } = &self.connections;
        let log = reader.as_ref().unwrap_or(writer);
        log.lock()
            .unwrap_or_else(PoisonError::into_inner)
            .read(id, span)
    }

    fn lock(&self) -> MutexGuard<'_, BusState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock_writer(&self) -> MutexGuard<'_, Log> {
        self.connections
            .writer
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn position(
        &self,
        pick: impl Fn((u64, u64)) -> u64,
        topic: &Topic,
    ) -> Result<Position, BusError> {
        let state = self.lock();
        state.refuse_if_unusable()?;
        Ok(Position {
            incarnation: self.incarnation,
            next: pick(state.bounds(topic)),
        })
    }
}

impl Bus for EmbeddedBus {
    fn publish(&self, records: &[Record]) -> Result<(), BusError> {
        // All records are checked before any is queued, because a publish is stored as a whole or
        // not at all.
        records.iter().try_for_each(Record::check)?;
        if records.is_empty() {
            return Ok(());
        }

        let mut state = self.wait_for_room(records.len())?;
        let ticket = state.next_ticket;
        state.next_ticket += 1;
        state.queued += records.len();
        let records = records.iter().cloned().map(Arc::new).collect();
        state.queue.push_back(PendingPublish { ticket, records });

        self.drive(state, ticket)
    }

    fn start(&self, topic: &Topic) -> Result<Position, BusError> {
        self.position(|(oldest, _)| oldest, topic)
    }

    fn end(&self, topic: &Topic) -> Result<Position, BusError> {
        self.position(|(_, end)| end, topic)
    }

    fn fetch(
        &self,
        wants: &[(Topic, Position)],
        records_max: usize,
        wait: Duration,
    ) -> Result<Vec<Delivered>, BusError> {
        let nothing = |state: &mut BusState| {
            state.refuse_if_unusable().is_ok()
                && wants
                    .iter()
                    .all(|(topic, position)| state.bounds(topic).1 == position.next)
        };

        // Positions are checked before the wait: one of another log, or before the oldest record,
        // would otherwise wait without end.
        let state = self.lock();
        for (topic, position) in wants {
            state.check_position(topic, position, self.incarnation)?;
        }

        let (mut state, _) = self
            .arrived
            .wait_timeout_while(state, wait, nothing)
            .unwrap_or_else(PoisonError::into_inner);

        state.refuse_if_unusable()?;

        // Positions are checked again, because retention may have run during the wait.
        let mut available = Vec::with_capacity(wants.len());
        for (topic, position) in wants {
            state.check_position(topic, position, self.incarnation)?;
            available.push(state.bounds(topic).1 - position.next);
        }

        let turn = state.turn;
        state.turn = turn.wrapping_add(1);
        drop(state);

        let mut out = Vec::new();
        for ((topic, position), share) in wants.iter().zip(shares(&available, records_max, turn)) {
            if share == 0 {
                continue;
            }

            let span = Span {
                topic,
                from: position.next,
                max: share,
            };
            for (offset, record) in (position.next..).zip(self.read(self.lock(), span)?) {
                out.push(Delivered {
                    topic: topic.clone(),
                    partition: 0,
                    offset,
                    record,
                });
            }
        }
        Ok(out)
    }

    fn shutdown(&self, within: Duration) -> Result<(), BusError> {
        let mut state = self.lock();
        state.closed = true;

        // The notifications make consumers return at once, and publishers that wait for room are
        // refused.
        self.arrived.notify_all();
        self.written.notify_all();

        // Accepted records are still written.
        let (_state, waited) = self
            .written
            .wait_timeout_while(state, within, |state| state.queued > 0)
            .unwrap_or_else(PoisonError::into_inner);

        if waited.timed_out() {
            Err(BusError::Timeout)
        } else {
            Ok(())
        }
    }

    fn fsyncs(&self) -> u64 {
        self.fsyncs.load(Ordering::Relaxed)
    }
}

fn refuse_production(mode: Mode) -> Result<(), BusError> {
    match mode {
        Mode::Dev => Ok(()),
        Mode::Production => Err(BusError::RefusedInProduction),
    }
}
