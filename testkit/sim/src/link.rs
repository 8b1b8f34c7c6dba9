//! The link between the bus and one signer: ordered frames, late, twice or lost and sent again from
//! the positions.

use crate::hub::Hub;
use crate::kinds::{Fault, NodeName};
use std::collections::{BTreeMap, VecDeque};
use strongroom_ports::bus::{Bus as _, Headers, Record, Topic};
use strongroom_stage::post::first_half;
use strongroom_types::{NodeId, digest};
use strongroom_wire::frame::{FromSigner, ToSigner};
use strongroom_wire::{JournalBatch, Schema, topics};

/// Frames on their way at once.
const WINDOW: usize = 64;

pub(crate) struct Frame {
    due: u64,
    /// Where it stands; none for what did not come from the bus.
    source: Option<(Topic, u64)>,
    pub(crate) frame: ToSigner,
}

pub(crate) struct Link {
    node: NodeName,
    me: NodeId,
    hub: Hub,
    topics: Vec<Topic>,
    /// Next record to send to the signer.
    sent: BTreeMap<Topic, u64>,
    /// Next record the signer has not taken in yet; survives a lost connection.
    acked: BTreeMap<Topic, u64>,
    frames: VecDeque<Frame>,
    out: VecDeque<Record>,
    stalled_until: u64,
    blind_until: u64,
    shows_own: bool,
}

impl Link {
    pub(crate) fn new(node: NodeName, me: NodeId, witnesses: &[NodeId], hub: Hub) -> Self {
        let names = [topics::signer_inbox(me), topics::JOURNAL_ENTRIES.to_owned()];
        let topics: Vec<Topic> = names
            .into_iter()
            .chain(
                witnesses
                    .iter()
                    .map(|witness| topics::cosignatures(*witness)),
            )
            .map(|name| Topic::new(&name).unwrap())
            .collect();
        for topic in &topics {
            hub.lock()
                .subscribers
                .entry(topic.clone())
                .or_default()
                .push(node);
        }
        let start: BTreeMap<Topic, u64> = topics.iter().map(|topic| (topic.clone(), 0)).collect();
        Self {
            node,
            me,
            hub,
            topics,
            sent: start.clone(),
            acked: start,
            frames: VecDeque::new(),
            out: VecDeque::new(),
            stalled_until: 0,
            blind_until: 0,
            shows_own: true,
        }
    }

    /// A new connection: the signer says which entry it needs next. Its own newest cosignature
    /// comes first: whoever does not remember it has been put back.
    pub(crate) fn connect(&mut self, next_seq: u64) {
        self.frames.clear();
        let inner = self.hub.lock();
        let entries = Topic::new(topics::JOURNAL_ENTRIES).unwrap();
        let needed = |offset: &u64| {
            let record = inner.bus.record(&entries, *offset);
            let batch =
                record.and_then(|record| inner.observer.read::<JournalBatch>(&record.payload));
            batch.is_none_or(|(_, batch)| batch.first_seq + batch.entries.len() as u64 > next_seq)
        };
        let first = (0..inner.bus.len(&entries))
            .find(needed)
            .unwrap_or_else(|| inner.bus.len(&entries));
        self.acked.insert(entries, first);
        let own = Topic::new(&topics::cosignatures(self.me)).unwrap();
        if let Some(last) = inner
            .bus
            .len(&own)
            .checked_sub(1)
            .filter(|_| self.shows_own)
            && let Some(record) = inner.bus.record(&own, last)
        {
            let frame = ToSigner::Cosignature(record.payload.clone());
            self.frames.push_back(Frame {
                due: inner.now,
                source: None,
                frame,
            });
        }
        drop(inner);
        self.sent = self.acked.clone();
    }

    /// The connection is lost: what was on its way is sent again.
    pub(crate) fn lose(&mut self, until: u64) {
        self.frames.clear();
        self.sent = self.acked.clone();
        self.stalled_until = self.stalled_until.max(until);
    }

    /// Only requests reach the signer until then.
    pub(crate) fn blind(&mut self, until: u64) {
        self.blind_until = until;
    }

    /// A guard is missing: the signer is never shown its own cosignatures again.
    pub(crate) fn forget_own(&mut self) {
        self.shows_own = false;
        let own = topics::cosignatures(self.me);
        self.topics.retain(|topic| topic.as_str() != own);
    }

    /// Puts a frame before all others (a hostile bus).
    pub(crate) fn inject(&mut self, frame: ToSigner) {
        let due = self.hub.now();
        self.frames.push_front(Frame {
            due,
            source: None,
            frame,
        });
    }

    /// Reads the bus into frames.
    pub(crate) fn pump(&mut self) {
        let mut inner = self.hub.lock();
        let now = inner.now;
        if inner.is_cut(self.node) || now < self.stalled_until {
            return;
        }
        let first = inner.below(self.topics.len() as u64) as usize;
        let order: Vec<Topic> = self
            .topics
            .iter()
            .cycle()
            .skip(first)
            .take(self.topics.len())
            .cloned()
            .collect();
        for topic in order {
            if now < self.blind_until && !topic.as_str().ends_with(".inbox.v1") {
                continue;
            }
            while self.frames.len() < WINDOW {
                let next = self.sent.get(&topic).copied().unwrap_or(0);
                let Some(record) = inner.bus.record(&topic, next) else {
                    break;
                };
                let bytes = record.payload.clone();
                if inner.roll(Fault::LinkDrop) {
                    let until = now + inner.between(10, 800);
                    drop(inner);
                    self.lose(until);
                    return;
                }
                let last = self.frames.back().map_or(0, |frame| frame.due);
                let late = if inner.roll(Fault::LinkDelay) {
                    inner.between(5, 900)
                } else {
                    0
                };
                let due = last.max(now + late);
                if inner.roll(Fault::LinkFlip) {
                    let mut flipped = bytes.clone();
                    let at = inner.below(flipped.len() as u64) as usize;
                    flipped[at] ^= 1 << inner.below(8);
                    let frame = self.frame(&topic, flipped);
                    self.frames.push_back(Frame {
                        due,
                        source: None,
                        frame,
                    });
                }
                if inner.roll(Fault::LinkDuplicate) {
                    let frame = self.frame(&topic, bytes.clone());
                    self.frames.push_back(Frame {
                        due,
                        source: None,
                        frame,
                    });
                }
                let frame = self.frame(&topic, bytes);
                self.frames.push_back(Frame {
                    due,
                    source: Some((topic.clone(), next)),
                    frame,
                });
                self.sent.insert(topic.clone(), next + 1);
            }
        }
    }

    fn frame(&self, topic: &Topic, record: Vec<u8>) -> ToSigner {
        match topic.as_str() {
            topics::JOURNAL_ENTRIES => ToSigner::Batch(record),
            name if name.ends_with(".inbox.v1") => ToSigner::Inbox(record),
            _ => ToSigner::Cosignature(record),
        }
    }

    /// The next frame that has arrived.
    pub(crate) fn next(&mut self) -> Option<Frame> {
        let now = self.hub.now();
        let arrived = self.frames.front().is_some_and(|frame| frame.due <= now);
        if arrived {
            self.frames.pop_front()
        } else {
            None
        }
    }

    pub(crate) fn next_due(&self) -> Option<u64> {
        self.frames.front().map(|frame| frame.due)
    }

    /// The signer has taken a frame in.
    pub(crate) fn ack(&mut self, frame: &Frame) {
        if let Some((topic, offset)) = &frame.source {
            let acked = self.acked.entry(topic.clone()).or_default();
            *acked = (*acked).max(offset + 1);
        }
    }

    /// A frame of the signer goes to the bus.
    pub(crate) fn take(&mut self, frame: FromSigner) {
        let (topic, payload) = match frame {
            FromSigner::Hello { .. } => return,
            FromSigner::Outbox(record) => (topics::signer_outbox(self.me), record),
            FromSigner::Cosignature(record) => (topics::cosignatures(self.me), record),
        };
        let msg_id = first_half(digest("strongroom/link-msg-id/v1", &[&payload]));
        let headers = Headers {
            msg_id,
            schema: Schema(0).0,
            ..Headers::default()
        };
        self.out.push_back(Record {
            topic: Topic::new(&topic).unwrap(),
            key: Vec::new(),
            headers,
            payload,
        });
    }

    /// Publishes what waits, in order.
    pub(crate) fn flush(&mut self) {
        let bus = crate::bus::SimBus::new(self.node, self.hub.clone());
        while let Some(record) = self.out.front() {
            if bus.publish(std::slice::from_ref(record)).is_err() {
                return;
            }
            self.out.pop_front();
        }
    }

    /// Everything that was read has been taken in, and everything said is published.
    pub(crate) fn is_quiet(&self) -> bool {
        let inner = self.hub.lock();
        let read =
            |topic: &Topic| self.acked.get(topic).copied().unwrap_or(0) >= inner.bus.len(topic);
        self.out.is_empty() && self.topics.iter().all(read)
    }
}
