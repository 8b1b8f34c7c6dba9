//! The bus of the simulation: an ordered log a topic, in memory, with faults at publishing and at
//! delivery.
//!
//! A record is durable when `publish` returns, and stands in the log at once or later: while it is
//! in flight records of *other* keys overtake it, those of its own key never. Consumers own their
//! positions, so a duplicate is a record that stands twice.

use crate::hub::{Hub, Inner};
use crate::kinds::{Fault, NodeName};
use std::collections::BTreeMap;
use std::time::Duration;
use strongroom_ports::bus::{Bus, BusError, Delivered, Position, Record, Topic};
use strongroom_types::digest;
use strongroom_wire::topics;

/// What is published and not yet read by everybody.
pub(crate) struct BusState {
    topics: BTreeMap<Topic, Vec<Record>>,
    in_flight: BTreeMap<(u64, u64), Record>,
    /// When the newest record in flight of a key arrives.
    arrival: BTreeMap<(Topic, Vec<u8>), u64>,
    hidden: BTreeMap<(NodeName, Topic), u64>,
    next: u64,
    /// Which topic is served first.
    turn: usize,
    incarnation: [u8; 16],
}

impl BusState {
    pub(crate) fn new(incarnation: [u8; 16]) -> Self {
        Self {
            topics: BTreeMap::new(),
            in_flight: BTreeMap::new(),
            arrival: BTreeMap::new(),
            hidden: BTreeMap::new(),
            next: 0,
            turn: 0,
            incarnation,
        }
    }

    /// When the next record in flight arrives.
    pub(crate) fn next_arrival(&self) -> Option<u64> {
        self.in_flight.keys().next().map(|(at, _)| *at)
    }

    pub(crate) fn len(&self, topic: &Topic) -> u64 {
        self.topics.get(topic).map_or(0, |log| log.len() as u64)
    }

    pub(crate) fn record(&self, topic: &Topic, offset: u64) -> Option<&Record> {
        self.topics.get(topic)?.get(usize::try_from(offset).ok()?)
    }

    /// All records in the logs and in flight.
    pub(crate) fn is_quiet(&self) -> bool {
        self.in_flight.is_empty()
    }
}

impl Inner {
    /// Puts records into the logs whose flight is over.
    pub(crate) fn land(&mut self) {
        while let Some(((at, number), _)) = self.bus.in_flight.first_key_value() {
            if *at > self.now {
                return;
            }
            let key = (*at, *number);
            if let Some(record) = self.bus.in_flight.remove(&key) {
                self.append(record);
            }
        }
    }

    fn append(&mut self, record: Record) {
        let topic = record.topic.clone();
        self.bus
            .topics
            .entry(topic.clone())
            .or_default()
            .push(record);
        let wait = self.below(3);
        let due = self.now + wait;
        for node in self.subscribers.get(&topic).cloned().unwrap_or_default() {
            self.wake_by(node, due);
        }
    }

    /// Sends a record on its way; faults decide when it arrives, and how often.
    pub(crate) fn send(&mut self, record: Record) {
        let mut at = self.now;
        if self.roll(Fault::BusReorder) {
            at += self.between(1, 40);
        }
        if self.roll(Fault::BusDelay) {
            at += self.between(50, 3_000);
        }
        if self.roll(Fault::BusFlip) {
            let flipped = self.flipped(&record);
            self.append(flipped);
        }
        let doubled = self.roll(Fault::BusDuplicate).then(|| record.clone());
        self.fly(record, at);
        if let Some(copy) = doubled {
            let later = self.between(0, 500);
            self.fly(copy, at + later);
        }
        if self.roll(Fault::BusReplay) {
            self.replay();
        }
    }

    fn fly(&mut self, record: Record, at: u64) {
        let key = (record.topic.clone(), record.key.clone());
        let at = at.max(self.bus.arrival.get(&key).copied().unwrap_or(0));
        if at <= self.now {
            self.append(record);
            return;
        }
        self.bus.arrival.insert(key, at);
        self.bus.next += 1;
        self.bus.in_flight.insert((at, self.bus.next), record);
    }

    /// Some old records of one topic appear again.
    fn replay(&mut self) {
        let topics: Vec<Topic> = self.bus.topics.keys().cloned().collect();
        let Some(topic) = topics.get(self.below(topics.len() as u64) as usize) else {
            return;
        };
        let len = self.bus.len(topic);
        let from = self.below(len);
        let count = self.between(1, 6);
        let old: Vec<Record> = (from..(from + count).min(len))
            .filter_map(|at| self.bus.record(topic, at).cloned())
            .collect();
        for record in old {
            let at = self.now;
            self.fly(record, at);
        }
    }

    /// A copy with one bit changed, under an id of its own (who changes bits does not know how to
    /// keep it).
    fn flipped(&mut self, record: &Record) -> Record {
        let mut copy = record.clone();
        let at = self.below(copy.payload.len() as u64) as usize;
        let bit = self.below(8);
        if let Some(byte) = copy.payload.get_mut(at) {
            *byte ^= 1 << bit;
        }
        let id = digest("strongroom/sim-flip/v1", &[&copy.payload]);
        copy.headers.msg_id.copy_from_slice(&id.0[..16]);
        copy
    }

    fn describe(record: &Record) -> String {
        let name = record
            .topic
            .as_str()
            .trim_start_matches("strongroom.")
            .trim_end_matches(".v1");
        let what = digest("strongroom/sim-record/v1", &[&record.payload]);
        format!(
            "{name} {:02x}{:02x}{:02x}{:02x}",
            what.0[0], what.0[1], what.0[2], what.0[3]
        )
    }

    /// What a node publishes, as the observer sees it and a hostile part changes it.
    fn publish(&mut self, node: NodeName, records: &[Record]) {
        self.plan_changes(node, records);
        for record in records {
            for record in self.tampered(node, record) {
                let line = format!("{node} publishes {}", Self::describe(&record));
                self.log(&line);
                if record.topic.as_str().ends_with(".dlq") {
                    self.counts.dead_letters += 1;
                }
                self.saw_published(node, &record);
                self.send(record);
            }
        }
    }
}

/// One node's connection to the bus.
#[derive(Clone)]
pub struct SimBus {
    node: NodeName,
    hub: Hub,
}

impl SimBus {
    /// The connection of a node.
    #[must_use]
    pub fn new(node: NodeName, hub: Hub) -> Self {
        Self { node, hub }
    }

    fn position(&self, topic: &Topic, next: u64) -> Position {
        let _ = topic;
        Position {
            incarnation: self.hub.lock().bus.incarnation,
            next,
        }
    }
}

impl Bus for SimBus {
    fn publish(&self, records: &[Record]) -> Result<(), BusError> {
        records.iter().try_for_each(Record::check)?;
        let mut inner = self.hub.lock();
        if inner.is_cut(self.node) {
            return Err(BusError::Io("nobody is there".into()));
        }
        if inner.roll(Fault::BusFull) {
            return Err(BusError::Full);
        }
        if inner.roll(Fault::BusUnknown) {
            if inner.below(2) == 0 {
                inner.publish(self.node, records);
            }
            return Err(BusError::Io("the connection broke".into()));
        }
        inner.publish(self.node, records);
        Ok(())
    }

    fn start(&self, topic: &Topic) -> Result<Position, BusError> {
        Ok(self.position(topic, 0))
    }

    fn end(&self, topic: &Topic) -> Result<Position, BusError> {
        let len = self.hub.lock().bus.len(topic);
        Ok(self.position(topic, len))
    }

    fn fetch(
        &self,
        wants: &[(Topic, Position)],
        records_max: usize,
        _wait: Duration,
    ) -> Result<Vec<Delivered>, BusError> {
        let mut inner = self.hub.lock();
        if inner.is_cut(self.node) {
            return Ok(Vec::new());
        }
        let turn = inner.bus.turn;
        inner.bus.turn = turn.wrapping_add(1);
        let mut open = Vec::new();
        for at in 0..wants.len() {
            let (topic, position) = &wants[(at + turn) % wants.len()];
            let end = inner.bus.len(topic);
            let same_log = position.incarnation == inner.bus.incarnation;
            if !same_log || position.next > end {
                let (topic, wanted) = (topic.clone(), position.next);
                return Err(BusError::PositionGone {
                    topic,
                    wanted,
                    oldest: 0,
                    end,
                    same_log,
                });
            }
            if end > position.next && !inner.is_hidden(self.node, topic) {
                open.push((topic, position.next, end));
            }
        }
        let mut fetched = Vec::new();
        let share = (records_max / open.len().max(1)).max(1);
        // First everybody's share, then what is left of it.
        for room in [share, records_max] {
            for (topic, next, end) in &mut open {
                let room = room.min(records_max - fetched.len()) as u64;
                let until = (*end).min(*next + room);
                for offset in *next..until {
                    let Some(record) = inner.bus.record(topic, offset).cloned() else {
                        break;
                    };
                    if !inner.withheld(self.node, &record) {
                        let topic = (*topic).clone();
                        fetched.push(Delivered {
                            topic,
                            partition: 0,
                            offset,
                            record,
                        });
                    }
                }
                *next = until;
            }
        }
        Ok(fetched)
    }

    fn shutdown(&self, _within: Duration) -> Result<(), BusError> {
        Ok(())
    }

    fn fsyncs(&self) -> u64 {
        0
    }
}

impl Inner {
    /// Whether a consumer gets nothing of a topic for now.
    fn is_hidden(&mut self, node: NodeName, topic: &Topic) -> bool {
        let key = (node, topic.clone());
        if self
            .bus
            .hidden
            .get(&key)
            .is_some_and(|until| self.now < *until)
        {
            return true;
        }
        if !self.roll(Fault::BusDrop) {
            return false;
        }
        let until = self.now + self.between(20, 1_500);
        self.bus.hidden.insert(key, until);
        self.wake_by(node, until);
        true
    }

    /// A hostile writer does not see what it leaves out. (Its position moves on with the next
    /// record; whoever is left out sends again.)
    fn withheld(&self, node: NodeName, record: &Record) -> bool {
        node == NodeName::Writer
            && record.topic.as_str() == topics::JOURNAL_SUBMITTED
            && self.tamper.withholds(record)
    }
}
