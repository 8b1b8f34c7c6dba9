//! Parts around a service that fail when a test says so: its bus and its process.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use strongroom_ports::bus::{Bus, BusError, Delivered, Position, Record, Topic};
use strongroom_stage::{CrashPoint, Faults};

/// A bus whose publishing can be switched off, and that remembers what went through it. What a test
/// publishes in another service's name goes to `inner` and is not remembered.
#[derive(Debug)]
pub struct ScriptedBus<B> {
    /// The bus itself.
    pub inner: B,
    /// Publishing fails while this is set; reading goes on.
    pub down: AtomicBool,
    published: Mutex<Vec<Record>>,
}

impl<B> ScriptedBus<B> {
    /// A bus that works.
    pub fn new(inner: B) -> Self {
        Self {
            inner,
            down: AtomicBool::new(false),
            published: Mutex::default(),
        }
    }

    /// Everything that was published through it, in order.
    #[must_use]
    pub fn published(&self) -> Vec<Record> {
        self.published.lock().unwrap().clone()
    }
}

impl<B: Bus> Bus for ScriptedBus<B> {
    fn publish(&self, records: &[Record]) -> Result<(), BusError> {
        if self.down.load(Ordering::Relaxed) {
            return Err(BusError::Io("down".into()));
        }
        self.inner.publish(records)?;
        self.published.lock().unwrap().extend_from_slice(records);
        Ok(())
    }

    fn start(&self, topic: &Topic) -> Result<Position, BusError> {
        self.inner.start(topic)
    }

    fn end(&self, topic: &Topic) -> Result<Position, BusError> {
        self.inner.end(topic)
    }

    fn fetch(
        &self,
        wants: &[(Topic, Position)],
        records_max: usize,
        wait: Duration,
    ) -> Result<Vec<Delivered>, BusError> {
        self.inner.fetch(wants, records_max, wait)
    }

    fn shutdown(&self, within: Duration) -> Result<(), BusError> {
        self.inner.shutdown(within)
    }

    fn fsyncs(&self) -> u64 {
        self.inner.fsyncs()
    }
}

/// The place at which a process dies next, counted over the process and all that are started after
/// it. Clones share the count.
#[derive(Clone, Debug, Default)]
pub struct Crashes(Arc<Mutex<BTreeMap<CrashPoint, usize>>>);

impl Crashes {
    /// The process dies when it passes `point` for the `nth` time from now, and only then.
    ///
    /// # Panics
    /// When `nth` is 0: nothing is passed before the first time.
    pub fn arm(&self, point: CrashPoint, nth: usize) {
        assert!(nth > 0, "points are counted from 1");
        self.0.lock().unwrap().insert(point, nth);
    }

    /// Whether a process has still to die.
    #[must_use]
    pub fn is_armed(&self) -> bool {
        !self.0.lock().unwrap().is_empty()
    }
}

impl Faults for Crashes {
    fn at(&self, point: CrashPoint) -> bool {
        let mut countdown = self.0.lock().unwrap();
        let Some(left) = countdown.get_mut(&point) else {
            return false;
        };

        *left -= 1;
        if *left > 0 {
            return false;
        }
        countdown.remove(&point);
        true
    }
}
