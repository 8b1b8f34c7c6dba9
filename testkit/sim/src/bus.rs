//! One node's connection to the bus: the port over the wire, with the faults of publishing.

use crate::kinds::{Fault, NodeName};
use crate::plan::Plan;
use crate::rig::Rig;
use std::time::Duration;
use strongroom_ports::bus::{Bus, BusError, Delivered, Position, Record, Topic};
use strongroom_wire::topics;

/// One node's connection to the bus.
#[derive(Clone)]
pub struct SimBus {
    node: NodeName,
    rig: Rig,
}

/// A topic with records that a consumer does not have yet.
struct Open<'a> {
    topic: &'a Topic,
    next: u64,
    end: u64,
}

impl SimBus {
    pub(crate) fn new(node: NodeName, rig: Rig) -> Self {
        Self { node, rig }
    }

    /// A bus of its own without any fault, for trying it alone.
    #[must_use]
    pub fn quiet(seed: u64) -> Self {
        Self::new(NodeName::Api, Rig::new(&Plan::quiet(seed, 1), false))
    }

    fn position(&self, next: u64) -> Position {
        Position {
            incarnation: self.rig.wire.incarnation(),
            next,
        }
    }

    /// The wanted topics that have records, another one first each time.
    fn open<'a>(&self, wants: &'a [(Topic, Position)]) -> Result<Vec<Open<'a>>, BusError> {
        // A fixed order would let the first topics starve the last ones.
        let first = self.rig.wire.first_of(wants.len());
        let mut open = Vec::new();
        for at in 0..wants.len() {
            let (topic, position) = &wants[(at + first) % wants.len()];
            let end = self.rig.wire.len(topic);

            // As the port demands: a position that the log does not have is an error. An empty
            // fetch would hide a bus that was lost.
            let same_log = position.incarnation == self.rig.wire.incarnation();
            if !same_log || position.next > end {
                return Err(BusError::PositionGone {
                    topic: topic.clone(),
                    wanted: position.next,
                    oldest: 0,
                    end,
                    same_log,
                });
            }

            if end > position.next && !self.rig.wire.is_hidden(self.node, topic) {
                let next = position.next;
                open.push(Open { topic, next, end });
            }
        }
        Ok(open)
    }

    /// A hostile writer does not see what it leaves out. Its position moves on with the next
    /// record; a submitter that is left out sends again.
    fn is_withheld(&self, record: &Record) -> bool {
        self.node == NodeName::Writer
            && record.topic.as_str() == topics::JOURNAL_SUBMITTED
            && self.rig.hostile.withholds(record)
    }
}

impl Bus for SimBus {
    fn publish(&self, records: &[Record]) -> Result<(), BusError> {
        records.iter().try_for_each(Record::check)?;

        // Of a node that is cut off, or whose bus is full, nothing left; after a broken connection
        // the sender cannot know.
        if self.rig.wire.is_cut(self.node) {
            return Err(BusError::Io("the bus cannot be reached".into()));
        }
        if self.rig.dice.strikes(Fault::BusFull) {
            return Err(BusError::Full);
        }
        if self.rig.dice.strikes(Fault::BusUnknown) {
            if self.rig.dice.below(2) == 0 {
                self.rig.publish(self.node, records);
            }
            return Err(BusError::Io("the connection broke".into()));
        }
        self.rig.publish(self.node, records);
        Ok(())
    }

    fn start(&self, _topic: &Topic) -> Result<Position, BusError> {
        Ok(self.position(0))
    }

    fn end(&self, topic: &Topic) -> Result<Position, BusError> {
        Ok(self.position(self.rig.wire.len(topic)))
    }

    fn fetch(
        &self,
        wants: &[(Topic, Position)],
        records_max: usize,
        _wait: Duration,
    ) -> Result<Vec<Delivered>, BusError> {
        if self.rig.wire.is_cut(self.node) {
            return Ok(Vec::new());
        }

        let mut open = self.open(wants)?;
        let mut fetched = Vec::new();
        let share = (records_max / open.len().max(1)).max(1);

        // First every topic's share, so that a busy one does not starve the others, then what is
        // left of the room.
        for room in [share, records_max] {
            for Open { topic, next, end } in &mut open {
                let room = room.min(records_max - fetched.len()) as u64;
                let until = (*end).min(*next + room);
                for offset in *next..until {
                    let Some(record) = self.rig.wire.record(topic, offset) else {
                        break;
                    };
                    if !self.is_withheld(&record) {
                        fetched.push(Delivered {
                            topic: (*topic).clone(),
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
