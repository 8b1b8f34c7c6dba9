//! The wire: an ordered log per topic, in memory, and what happens to a record on its way there.
//!
//! A record is durable when it was sent, and is in the log at once or later: while it is in flight
//! records of *other* keys overtake it, those of its own key never. Consumers own their positions,
//! so a duplicate is a record that is in the log twice.

use crate::clock::Time;
use crate::dice::Dice;
use crate::kinds::{Fault, NodeName};
use crate::wakes::Wakes;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use strongroom_ports::bus::{Record, Topic};

struct State {
    /// Name of this log: positions of another one are refused.
    incarnation: [u8; 16],
    topics: BTreeMap<Topic, Vec<Record>>,
    /// By arrival and number.
    in_flight: BTreeMap<(u64, u64), Record>,
    /// Arrival of the newest record in flight of a key.
    arrivals: BTreeMap<(Topic, Vec<u8>), u64>,
    /// Until when a consumer gets nothing of a topic.
    hidden: BTreeMap<(NodeName, Topic), u64>,
    /// Earliest arrival of a topic's records.
    held: BTreeMap<Topic, u64>,
    /// Nodes that a record of a topic wakes.
    subscribers: BTreeMap<Topic, Vec<NodeName>>,
    /// Until when a node reaches no other.
    cut: BTreeMap<NodeName, u64>,
    /// Records that were in flight so far: of two that arrive at one moment the earlier one lands.
    sent: u64,
    /// Fetches so far, by which the topic that is served first rotates.
    fetches: usize,
}

/// A handle to the wire of a seed.
#[derive(Clone)]
pub(crate) struct Wire {
    state: Arc<Mutex<State>>,
    time: Time,
    dice: Dice,
    wakes: Wakes,
}

impl Wire {
    pub(crate) fn new(incarnation: [u8; 16], time: Time, dice: Dice, wakes: Wakes) -> Self {
        let state = State {
            incarnation,
            topics: BTreeMap::new(),
            in_flight: BTreeMap::new(),
            arrivals: BTreeMap::new(),
            hidden: BTreeMap::new(),
            held: BTreeMap::new(),
            subscribers: BTreeMap::new(),
            cut: BTreeMap::new(),
            sent: 0,
            fetches: 0,
        };
        Self {
            state: Arc::new(Mutex::new(state)),
            time,
            dice,
            wakes,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Which log the positions belong to.
    pub(crate) fn incarnation(&self) -> [u8; 16] {
        self.state().incarnation
    }

    /// Records in the log of a topic.
    pub(crate) fn len(&self, topic: &Topic) -> u64 {
        let state = self.state();
        state.topics.get(topic).map_or(0, |log| log.len() as u64)
    }

    pub(crate) fn record(&self, topic: &Topic, offset: u64) -> Option<Record> {
        let offset = usize::try_from(offset).ok()?;
        self.state().topics.get(topic)?.get(offset).cloned()
    }

    /// A node is woken by records of this topic.
    pub(crate) fn subscribe(&self, node: NodeName, topic: &Topic) {
        let mut state = self.state();
        let nodes = state.subscribers.entry(topic.clone()).or_default();
        if !nodes.contains(&node) {
            nodes.push(node);
        }
    }

    /// Cuts a node off until then.
    pub(crate) fn cut(&self, node: NodeName, until: u64) {
        self.state().cut.insert(node, until);
    }

    /// Every node reaches every other again.
    pub(crate) fn mend(&self) {
        self.state().cut.clear();
    }

    pub(crate) fn is_cut(&self, node: NodeName) -> bool {
        let until = self.state().cut.get(&node).copied();
        until.is_some_and(|until| self.time.now() < until)
    }

    /// Whether a consumer gets nothing of a topic for now.
    pub(crate) fn is_hidden(&self, node: NodeName, topic: &Topic) -> bool {
        let (now, key) = (self.time.now(), (node, topic.clone()));
        let until = self.state().hidden.get(&key).copied();
        if until.is_some_and(|until| now < until) {
            return true;
        }

        // Drawn at a fetch that would find something, and so only where hiding has an effect.
        if !self.dice.strikes(Fault::BusDrop) {
            return false;
        }

        // Nothing is sent when hiding ends, so nothing else would wake the reader.
        let until = now + self.dice.between(20, 1_500);
        self.state().hidden.insert(key, until);
        self.wakes.wake_by(node, until);
        true
    }

    /// A consumer gets nothing of a topic until then.
    pub(crate) fn hide(&self, node: NodeName, topic: &Topic, until: u64) {
        self.state().hidden.insert((node, topic.clone()), until);
        self.wakes.wake_by(node, until);
    }

    /// Records of a topic that are sent from now on arrive at this time, if it is later.
    pub(crate) fn hold(&self, topic: &Topic, until: u64) {
        self.state().held.insert(topic.clone(), until);
    }

    /// Which of `n` wanted topics is served first: another one at each fetch.
    pub(crate) fn first_of(&self, n: usize) -> usize {
        let mut state = self.state();
        state.fetches = state.fetches.wrapping_add(1);
        state.fetches % n.max(1)
    }

    /// Sends a record on its way; faults decide when it arrives, and how often.
    pub(crate) fn send(&self, record: Record) {
        let mut at = self.time.now();

        // Forty milliseconds are some turns of every reader, three seconds several tries of a
        // sender.
        if self.dice.strikes(Fault::BusReorder) {
            at += self.dice.between(1, 40);
        }
        if self.dice.strikes(Fault::BusDelay) {
            at += self.dice.between(50, 3_000);
        }

        // Before the record itself: a reader that believed the flipped copy would have acted by
        // then.
        if self.dice.strikes(Fault::BusFlip) {
            self.append(self.flipped(&record));
        }

        let copy = self
            .dice
            .strikes(Fault::BusDuplicate)
            .then(|| record.clone());
        self.fly(record, at);

        if let Some(copy) = copy {
            self.fly(copy, at + self.dice.between(0, 500));
        }
        if self.dice.strikes(Fault::BusReplay) {
            self.replay();
        }
    }

    fn fly(&self, record: Record, at: u64) {
        let mut state = self.state();
        let key = (record.topic.clone(), record.key.clone());
        let held = state.held.get(&record.topic).copied().unwrap_or(0);

        // Not before the record of its key that was sent before it: buses keep the order of a key.
        let at = at
            .max(state.arrivals.get(&key).copied().unwrap_or(0))
            .max(held);
        if at > self.time.now() {
            state.arrivals.insert(key, at);
            state.sent += 1;
            let number = state.sent;
            state.in_flight.insert((at, number), record);
            return;
        }
        drop(state);
        self.append(record);
    }

    /// Some old records of one topic appear again.
    fn replay(&self) {
        let topics: Vec<Topic> = self.state().topics.keys().cloned().collect();
        let Some(topic) = topics.get(self.dice.below(topics.len() as u64) as usize) else {
            return;
        };

        // A few in a row, as a consumer meets them whose position went back.
        let len = self.len(topic);
        let from = self.dice.below(len);
        let until = (from + self.dice.between(1, 6)).min(len);

        let old: Vec<Record> = (from..until)
            .filter_map(|offset| self.record(topic, offset))
            .collect();
        for record in old {
            self.fly(record, self.time.now());
        }
    }

    /// A copy with one bit changed.
    fn flipped(&self, record: &Record) -> Record {
        let mut copy = record.clone();
        let at = self.dice.below(copy.payload.len() as u64) as usize;
        let bit = self.dice.below(8);
        if let Some(byte) = copy.payload.get_mut(at) {
            *byte ^= 1 << bit;
        }
        copy
    }

    /// Puts a record into its log; its readers become due within 2 ms.
    fn append(&self, record: Record) {
        // Drawn per record: which of two readers comes first differs between seeds.
        let due = self.time.now() + self.dice.below(3);
        let mut state = self.state();
        let readers = state.subscribers.get(&record.topic).cloned();
        let log = state.topics.entry(record.topic.clone()).or_default();
        log.push(record);
        drop(state);

        for node in readers.unwrap_or_default() {
            self.wakes.wake_by(node, due);
        }
    }

    /// When the next record in flight arrives.
    pub(crate) fn next_arrival(&self) -> Option<u64> {
        self.state().in_flight.keys().next().map(|(at, _)| *at)
    }

    /// Puts records into the logs whose flight is over.
    pub(crate) fn land(&self) {
        loop {
            let mut state = self.state();
            let landed = state
                .in_flight
                .first_entry()
                .filter(|first| first.key().0 <= self.time.now())
                .map(|first| first.remove());
            // `append` takes the lock again, and draws.
            drop(state);
            let Some(record) = landed else { return };
            self.append(record);
        }
    }

    /// Whether no record is in flight.
    pub(crate) fn is_quiet(&self) -> bool {
        self.state().in_flight.is_empty()
    }

    /// Lines for the debugger.
    pub(crate) fn describe(&self) -> Vec<String> {
        let state = self.state();
        let now = self.time.now();
        let cut = |(node, until): (&NodeName, &u64)| {
            (*until > now).then(|| format!("{node} for {} ms", until - now))
        };
        let cut: Vec<String> = state.cut.iter().filter_map(cut).collect();
        let mut lines = vec![format!("{} records in flight", state.in_flight.len())];
        if !cut.is_empty() {
            lines.push(format!("cut off: {}", cut.join(", ")));
        }
        for (topic, log) in &state.topics {
            lines.push(format!("{:>6} {}", log.len(), topic.as_str()));
        }
        lines
    }
}
