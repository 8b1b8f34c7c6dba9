//! Buses that show less than was published.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use strongroom_ports::bus::{Bus, BusError, Delivered, Position, Record, Topic};
use strongroom_wire::topics;

/// Shows nothing of the entries topic from an offset on.
pub struct Hiding {
    inner: Arc<dyn Bus>,
    from: AtomicU64,
}

impl Hiding {
    pub fn new(inner: Arc<dyn Bus>) -> Arc<Self> {
        let from = AtomicU64::new(u64::MAX);
        Arc::new(Self { inner, from })
    }

    pub fn hide_from(&self, offset: u64) {
        self.from.store(offset, Ordering::Relaxed);
    }

    pub fn show_all(&self) {
        self.hide_from(u64::MAX);
    }
}

impl Bus for Hiding {
    fn publish(&self, records: &[Record]) -> Result<(), BusError> {
        self.inner.publish(records)
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
        let mut fetched = self.inner.fetch(wants, records_max, wait)?;
        let from = self.from.load(Ordering::Relaxed);
        fetched.retain(|delivered| {
            delivered.topic.as_str() != topics::JOURNAL_ENTRIES || delivered.offset < from
        });
        Ok(fetched)
    }
    fn shutdown(&self, within: Duration) -> Result<(), BusError> {
        self.inner.shutdown(within)
    }
    fn fsyncs(&self) -> u64 {
        self.inner.fsyncs()
    }
}

/// Has dropped all records of one topic, of which the newest was at offset 6.
pub struct Emptied {
    pub inner: Arc<dyn Bus>,
    pub topic: Topic,
}

impl Emptied {
    const NEXT: u64 = 7;

    fn position(&self, topic: &Topic, inner: Position) -> Position {
        let next = if *topic == self.topic {
            Self::NEXT
        } else {
            inner.next
        };
        Position { next, ..inner }
    }
}

impl Bus for Emptied {
    fn publish(&self, records: &[Record]) -> Result<(), BusError> {
        self.inner.publish(records)
    }
    fn start(&self, topic: &Topic) -> Result<Position, BusError> {
        Ok(self.position(topic, self.inner.start(topic)?))
    }
    fn end(&self, topic: &Topic) -> Result<Position, BusError> {
        Ok(self.position(topic, self.inner.end(topic)?))
    }
    fn fetch(
        &self,
        wants: &[(Topic, Position)],
        records_max: usize,
        wait: Duration,
    ) -> Result<Vec<Delivered>, BusError> {
        let mut wants = wants.to_vec();
        for (topic, position) in &mut wants {
            if *topic == self.topic && position.next < Self::NEXT {
                return Err(BusError::PositionGone {
                    topic: topic.clone(),
                    wanted: position.next,
                    oldest: Self::NEXT,
                    end: Self::NEXT,
                    same_log: true,
                });
            }
            if *topic == self.topic {
                position.next -= Self::NEXT;
            }
        }
        self.inner.fetch(&wants, records_max, wait)
    }
    fn shutdown(&self, within: Duration) -> Result<(), BusError> {
        self.inner.shutdown(within)
    }
    fn fsyncs(&self) -> u64 {
        self.inner.fsyncs()
    }
}
