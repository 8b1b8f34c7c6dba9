//! Publishing by group commit, fetching by offset.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use strongroom_ports::bus::{Bus, BusError, Delivered, Mode, Position, Record, Topic};

use crate::log::{Append, Log, Span};
use crate::state::{BusState, PendingPublish, shares};

/// Bounds of the bus.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// Number of records that may wait for the disk before publishers are held back.
    pub queue_records_max: usize,
    /// Longest time that a publisher is held back before it gets [`BusError::Full`].
    pub publish_wait: Duration,
    /// Largest number of records written by one commit.
    pub batch_records_max: usize,
    /// Number of newest records kept per topic; `None` keeps all.
    pub retention_records_max: Option<u64>,
}

impl Default for Options {
    /// 8 192 queued (about a tenth of a second of writing), 5 s, batches of 1 024, everything kept.
    fn default() -> Self {
        Self {
            queue_records_max: 8192,
            publish_wait: Duration::from_secs(5),
            batch_records_max: 1024,
            retention_records_max: None,
        }
    }
}

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

/// Connections to the log.
struct Connections {
    writer: Mutex<Log>,
    /// For records older than the tail; `None` for a log in memory, which has one connection.
    reader: Option<Mutex<Log>>,
    /// Keeps other processes from the file; `None` in memory.
    _lock: Option<File>,
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

        // The file is found damaged before anything is served from it.
        let writer = Log::open(path)?;
        let (incarnation, topics) = writer.load(new_incarnation)?;

        // A connection of its own: a consumer that reads old records must not hold up publishers.
        let connections = Connections {
            reader: Some(Mutex::new(Log::open(path)?)),
            writer: Mutex::new(writer),
            _lock: Some(lock),
        };
        let state = BusState::new(topics);
        Ok(Self::new(options, incarnation, state, connections))
    }

    /// A log in memory: lost with the object.
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

    /// Drops a topic's records before `oldest`, as retention does; a consumer whose position is
    /// gone gets [`BusError::PositionGone`].
    ///
    /// # Errors
    /// As publish. Nothing happens when the topic is unknown or `oldest` is not within it.
    pub fn trim(&self, topic: &Topic, oldest: u64) -> Result<(), BusError> {
        let mut state = self.lock();
        // One writer at a time: offsets are assigned from the state that the last batch left.
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

        // The lock is not held while the disk works, so readers go on.
        state.writing = true;
        drop(state);
        self.write(vec![append], self.lock_writer()).1
    }

    /// Writes the records and makes them readable; this thread is then no longer the writer.
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
                // Readable only after the commit: a record that was delivered must survive a crash.
                state.apply(appends);
                Ok(())
            }
            Err(failure) => {
                // Not known what the file holds: offsets counted on in memory could be given twice.
                state.broken |= failure.lost;
                Err(failure.error)
            }
        };

        // Both: publishers wait for their result, consumers for records.
        self.written.notify_all();
        self.arrived.notify_all();
        (state, result)
    }

    /// Waits for the result of `ticket`, and writes batches while no other thread does.
    fn drive<'a>(
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

    /// Waits until the queue has room for `count` more records.
    fn wait_for_room(&self, count: usize) -> Result<MutexGuard<'_, BusState>, BusError> {
        let max = self.options.queue_records_max;
        // A publish larger than the queue still passes when it is alone: it would never fit
        // otherwise.
        let no_room = |state: &mut BusState| {
            state.refuse_if_unusable().is_ok() && state.queued > 0 && state.queued + count > max
        };

        let (state, waited) = self
            .written
            .wait_timeout_while(self.lock(), self.options.publish_wait, no_room)
            .unwrap_or_else(PoisonError::into_inner);

        // A bus that closed in the wait takes nothing more.
        state.refuse_if_unusable()?;
        if waited.timed_out() {
            Err(BusError::Full)
        } else {
            Ok(state)
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

        // The file is slow: publishers go on while it is read.
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
        // All are checked before one is queued: a publish is stored as a whole or not at all.
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

        // A position of another log, or one that retention has passed, is an error at once instead
        // of a wait without end.
        let state = self.lock();
        for (topic, position) in wants {
            state.check_position(topic, position, self.incarnation)?;
        }

        let (mut state, _) = self
            .arrived
            .wait_timeout_while(state, wait, nothing)
            .unwrap_or_else(PoisonError::into_inner);

        state.refuse_if_unusable()?;

        // Again, since retention may have run in the wait.
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

        // Consumers return at once; publishers that wait for room are refused.
        self.arrived.notify_all();
        self.written.notify_all();

        // Records that were accepted are still written.
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

/// Offsets are counted in this process's memory. A second process on the file would find out at its
/// first publish and be broken; the lock refuses it before it does any work.
fn lock_log(path: &Path) -> Result<File, BusError> {
    let path = path.with_extension("lock");
    let io = |error: std::io::Error| BusError::Io(format!("{}: {error}", path.display()));
    let lock = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .open(&path);
    let lock = lock.map_err(io)?;

    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(BusError::Io(format!(
            "{} is held by another process",
            path.display()
        ))),
        Err(TryLockError::Error(error)) => Err(io(error)),
    }
}

fn refuse_production(mode: Mode) -> Result<(), BusError> {
    match mode {
        Mode::Dev => Ok(()),
        Mode::Production => Err(BusError::RefusedInProduction),
    }
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic
    )]
    use super::*;
    use strongroom_ports::bus::Headers;

    fn record(topic: &Topic, n: usize) -> Record {
        Record {
            topic: topic.clone(),
            key: b"k".to_vec(),
            headers: Headers::default(),
            payload: n.to_be_bytes().to_vec(),
        }
    }

    #[test]
    fn the_embedded_bus_refuses_production() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("bus");
        let result = EmbeddedBus::open(&path, Mode::Production, Options::default(), [1; 16]);
        assert!(matches!(result, Err(BusError::RefusedInProduction)));
        assert!(!path.exists());
        let result = EmbeddedBus::open_in_memory(Mode::Production, Options::default(), [1; 16]);
        assert!(matches!(result, Err(BusError::RefusedInProduction)));
    }

    #[test]
    fn a_full_queue_pushes_back_and_then_says_so() {
        let options = Options {
            queue_records_max: 4,
            publish_wait: Duration::from_millis(20),
            ..Options::default()
        };
        let bus = EmbeddedBus::open_in_memory(Mode::Dev, options, [1; 16]).unwrap();
        let topic = Topic::new("t").unwrap();
        let four: Vec<_> = (0..4).map(|n| record(&topic, n)).collect();
        // A stalled disk: this test holds the log.
        let stalled = bus.lock_writer();
        std::thread::scope(|scope| {
            let accepted = scope.spawn(|| bus.publish(&four));
            while bus.lock().queued < 4 {
                std::thread::yield_now();
            }
            assert_eq!(bus.publish(&four[..1]), Err(BusError::Full));
            assert_eq!(
                bus.shutdown(Duration::from_millis(5)),
                Err(BusError::Timeout)
            );
            drop(stalled);
            accepted.join().unwrap().unwrap();
        });
        assert_eq!(bus.shutdown(Duration::ZERO), Ok(()));
        assert_eq!(bus.lock().bounds(&topic), (0, 4));
    }

    #[test]
    fn publishers_that_wait_together_share_a_commit() {
        let bus = EmbeddedBus::open_in_memory(Mode::Dev, Options::default(), [1; 16]).unwrap();
        let topic = Topic::new("t").unwrap();
        let stalled = bus.lock_writer();
        std::thread::scope(|scope| {
            for n in 0..10 {
                let (bus, topic) = (&bus, &topic);
                scope.spawn(move || bus.publish(&[record(topic, n)]).unwrap());
            }
            while bus.lock().queued < 10 {
                std::thread::yield_now();
            }
            drop(stalled);
        });
        assert_eq!(bus.end(&topic).unwrap().next, 10);
        assert!(bus.fsyncs() <= 2, "{} commits", bus.fsyncs());
    }

    #[test]
    fn records_older_than_the_tail_come_from_the_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("bus");
        let open = || EmbeddedBus::open(&path, Mode::Dev, Options::default(), [1; 16]).unwrap();
        let topic = Topic::new("t").unwrap();
        let bus = open();
        bus.publish(&(0..5000).map(|n| record(&topic, n)).collect::<Vec<_>>())
            .unwrap();
        let start = bus.start(&topic).unwrap();
        let read = |bus: &EmbeddedBus, next: u64, max: usize| -> Vec<u64> {
            let position = Position { next, ..start };
            let got = bus
                .fetch(&[(topic.clone(), position)], max, Duration::ZERO)
                .unwrap();
            for d in &got {
                assert_eq!(d.record.payload, (d.offset as usize).to_be_bytes());
            }
            got.iter().map(|d| d.offset).collect()
        };
        assert_eq!(read(&bus, 0, 3), [0, 1, 2]);
        assert_eq!(read(&bus, 4998, 9), [4998, 4999]);
        drop(bus);
        assert_eq!(read(&open(), 4998, 9), [4998, 4999]);
    }

    #[test]
    fn a_second_process_is_noticed_when_the_lock_did_not_keep_it_away() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("bus");
        let open = || EmbeddedBus::open(&path, Mode::Dev, Options::default(), [1; 16]).unwrap();
        let topic = Topic::new("t").unwrap();
        let one = open();
        std::fs::remove_file(path.with_extension("lock")).unwrap();
        let two = open();
        one.publish(&[record(&topic, 0)]).unwrap();
        assert!(two.publish(&[record(&topic, 1)]).is_err());
        assert!(
            two.fetch(&[], 1, Duration::ZERO).is_err(),
            "a broken bus serves nothing"
        );
        drop((one, two));
        assert_eq!(open().end(&topic).unwrap().next, 1);
    }

    #[test]
    fn retention_keeps_the_newest_records() {
        let options = Options {
            retention_records_max: Some(10),
            ..Options::default()
        };
        let bus = EmbeddedBus::open_in_memory(Mode::Dev, options, [1; 16]).unwrap();
        let topic = Topic::new("t").unwrap();
        for n in 0..25 {
            bus.publish(&[record(&topic, n)]).unwrap();
        }
        assert_eq!(
            (
                bus.start(&topic).unwrap().next,
                bus.end(&topic).unwrap().next
            ),
            (15, 25)
        );
    }
}
