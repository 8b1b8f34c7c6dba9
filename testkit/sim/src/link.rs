//! The link between the bus and one signer: ordered frames, late, twice or lost and sent again from
//! the positions.

use crate::bus::SimBus;
use crate::kinds::{Fault, NodeName};
use crate::reading::Opener;
use crate::rig::Rig;
use std::collections::{BTreeMap, VecDeque};
use strongroom_ports::bus::{Bus as _, Headers, Record, Topic};
use strongroom_types::NodeId;
use strongroom_wire::frame::{FromSigner, ToSigner};
use strongroom_wire::{JournalBatch, topics};

/// Most frames on their way to a signer: late ones hold up those behind them, and not the whole
/// bus.
const WINDOW: usize = 64;

/// A frame on its way to a signer.
pub(crate) struct Frame {
    /// Arrival.
    due: u64,
    /// Its place on the bus, if it came from there.
    source: Option<(Topic, u64)>,
    pub(crate) frame: ToSigner,
}

/// One signer's connection to the bus, in place of the shipped carrier (`crates/link`).
pub(crate) struct Link {
    node: NodeName,
    me: NodeId,
    rig: Rig,
    opener: Opener,
    topics: Vec<Topic>,
    /// Next record to send to the signer.
    sent: BTreeMap<Topic, u64>,
    /// Next record that the signer has not taken in yet; survives a lost connection.
    acked: BTreeMap<Topic, u64>,
    frames: VecDeque<Frame>,
    out: VecDeque<Record>,
    /// True time until which the connection is lost.
    stalled_until: u64,
    /// True time until which it carries requests only.
    hidden_until: u64,
    /// Whether the signer is shown its newest cosignature, as a carrier does.
    shows_own: bool,
}

/// Whether the link goes on reading.
enum Pumped {
    Read,
    Lost,
}

impl Link {
    pub(crate) fn new(node: NodeName, me: NodeId, witnesses: &[NodeId], rig: Rig) -> Self {
        let own = [topics::signer_inbox(me), topics::JOURNAL_ENTRIES.to_owned()];
        let cosignatures = witnesses.iter().map(|node| topics::cosignatures(*node));
        let topics: Vec<Topic> = own
            .into_iter()
            .chain(cosignatures)
            .map(|name| Topic::new(&name).unwrap())
            .collect();
        for topic in &topics {
            rig.wire.subscribe(node, topic);
        }

        // Made before the first node starts, when every topic is empty.
        let start: BTreeMap<Topic, u64> = topics.iter().map(|topic| (topic.clone(), 0)).collect();
        Self {
            node,
            me,
            opener: rig.opener.clone(),
            rig,
            topics,
            sent: start.clone(),
            acked: start,
            frames: VecDeque::new(),
            out: VecDeque::new(),
            stalled_until: 0,
            hidden_until: 0,
            shows_own: true,
        }
    }

    /// A new connection: the signer says which entry it needs next.
    pub(crate) fn connect(&mut self, next_seq: u64) {
        self.frames.clear();

        // From the batch that has the entry it needs, and not from what it acknowledged: a disk
        // that was put back needs entries again.
        let entries = Topic::new(topics::JOURNAL_ENTRIES).unwrap();
        let len = self.rig.wire.len(&entries);
        let first = (0..len).find(|offset| self.has_entry(&entries, *offset, next_seq));
        self.acked.insert(entries, first.unwrap_or(len));

        // Its own newest cosignature comes first: a signer that does not remember it has been put
        // back, and must know before it signs anything.
        let own = Topic::new(&topics::cosignatures(self.me)).unwrap();
        let last = self.rig.wire.len(&own).checked_sub(1);
        if let Some(record) = last.and_then(|last| self.rig.wire.record(&own, last))
            && self.shows_own
        {
            self.frames.push_back(Frame {
                due: self.rig.now(),
                source: None,
                frame: ToSigner::Cosignature(record.payload),
            });
        }
        self.sent = self.acked.clone();
    }

    /// Whether a record reaches beyond an entry; what does not open is sent, too.
    fn has_entry(&self, entries: &Topic, offset: u64, next_seq: u64) -> bool {
        let record = self.rig.wire.record(entries, offset);
        let batch = record.and_then(|record| self.opener.open::<JournalBatch>(&record.payload));
        batch.is_none_or(|(_, batch)| batch.first_seq + batch.entries.len() as u64 > next_seq)
    }

    /// The connection is lost: what was on its way is sent again.
    pub(crate) fn disconnect(&mut self, until: u64) {
        self.frames.clear();
        self.sent = self.acked.clone();
        self.stalled_until = self.stalled_until.max(until);
    }

    /// Only requests reach the signer until then.
    pub(crate) fn hide_journal(&mut self, until: u64) {
        self.hidden_until = until;
    }

    /// A guard is missing: the signer is never shown its own cosignatures again.
    pub(crate) fn forget_own(&mut self) {
        self.shows_own = false;
        let own = topics::cosignatures(self.me);
        self.topics.retain(|topic| topic.as_str() != own);
    }

    /// Puts a frame before all others, as a hostile bus does.
    pub(crate) fn inject(&mut self, frame: ToSigner) {
        self.frames.push_front(Frame {
            due: self.rig.now(),
            source: None,
            frame,
        });
    }

    /// Reads the bus into frames.
    pub(crate) fn pump(&mut self) {
        let now = self.rig.now();
        if self.rig.wire.is_cut(self.node) || now < self.stalled_until {
            return;
        }

        // Another topic first each time: cosignatures may overtake their entries, and requests
        // both.
        let mut order = self.topics.clone();
        let first = self.rig.dice.below(order.len() as u64) as usize;
        order.rotate_left(first);
        for topic in order {
            if now < self.hidden_until && !topic.as_str().ends_with(".inbox.v1") {
                continue;
            }
            if let Pumped::Lost = self.pump_topic(&topic) {
                return;
            }
        }
    }

    fn pump_topic(&mut self, topic: &Topic) -> Pumped {
        let (now, dice) = (self.rig.now(), self.rig.dice.clone());
        while self.frames.len() < WINDOW {
            let next = self.sent.get(topic).copied().unwrap_or(0);
            let Some(record) = self.rig.wire.record(topic, next) else {
                break;
            };

            if dice.strikes(Fault::LinkDrop) {
                self.disconnect(now + dice.between(10, 800));
                return Pumped::Lost;
            }

            // Frames keep their order: one that is late holds up all behind it.
            let last = self.frames.back().map_or(0, |frame| frame.due);
            let late = if dice.strikes(Fault::LinkDelay) {
                dice.between(5, 900)
            } else {
                0
            };
            let due = last.max(now + late);

            // Copies name no place on the bus, so that acknowledging them moves nothing: only the
            // frame as it was does.
            let bytes = record.payload;
            if dice.strikes(Fault::LinkFlip) {
                let mut flipped = bytes.clone();
                let at = dice.below(flipped.len() as u64) as usize;
                flipped[at] ^= 1 << dice.below(8);
                self.push(due, None, frame(topic, flipped));
            }
            if dice.strikes(Fault::LinkDuplicate) {
                self.push(due, None, frame(topic, bytes.clone()));
            }
            self.push(due, Some((topic.clone(), next)), frame(topic, bytes));
            self.sent.insert(topic.clone(), next + 1);
        }
        Pumped::Read
    }

    fn push(&mut self, due: u64, source: Option<(Topic, u64)>, frame: ToSigner) {
        self.frames.push_back(Frame { due, source, frame });
    }

    /// The next frame that has arrived.
    pub(crate) fn next(&mut self) -> Option<Frame> {
        let now = self.rig.now();
        let has_arrived = self.frames.front().is_some_and(|frame| frame.due <= now);
        if has_arrived {
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
            // Never back: a frame from before a lost connection may be taken in late.
            let acked = self.acked.entry(topic.clone()).or_default();
            *acked = (*acked).max(offset + 1);
        }
    }

    /// A frame of the signer, on its way to the bus.
    pub(crate) fn send(&mut self, frame: FromSigner) {
        let (topic, payload) = match frame {
            FromSigner::Hello { .. } => return,
            FromSigner::Outbox(record) => (topics::signer_outbox(self.me), record),
            FromSigner::Cosignature(record) => (topics::cosignatures(self.me), record),
            FromSigner::Submission(record) => (topics::JOURNAL_SUBMITTED.to_owned(), record),
        };

        self.out.push_back(Record {
            topic: Topic::new(&topic).unwrap(),
            key: Vec::new(),
            headers: Headers::default(),
            payload,
        });
    }

    /// Publishes what waits, in order.
    pub(crate) fn flush(&mut self) {
        let bus = SimBus::new(self.node, self.rig.clone());
        while let Some(record) = self.out.front() {
            // One that the bus did not take, or may have taken, is sent again: order is kept, and
            // readers drop the copy.
            if bus.publish(std::slice::from_ref(record)).is_err() {
                return;
            }
            self.out.pop_front();
        }
    }

    /// Whether everything on the bus was taken in, and everything from the signer is published.
    pub(crate) fn is_quiet(&self) -> bool {
        let has_read = |topic: &Topic| {
            let acked = self.acked.get(topic).copied().unwrap_or(0);
            acked >= self.rig.wire.len(topic)
        };
        self.out.is_empty() && self.topics.iter().all(has_read)
    }

    /// For the debugger.
    pub(crate) fn describe(&self) -> String {
        let now = self.rig.now();
        let mut text = format!("{} frames in, {} out", self.frames.len(), self.out.len());
        for (what, until) in [
            ("stalled", self.stalled_until),
            ("hide_journal", self.hidden_until),
        ] {
            if until > now {
                text.push_str(&format!(", {what} for {} ms", until - now));
            }
        }
        text
    }
}

fn frame(topic: &Topic, record: Vec<u8>) -> ToSigner {
    match topic.as_str() {
        topics::JOURNAL_ENTRIES => ToSigner::Batch(record),
        name if name.ends_with(".inbox.v1") => ToSigner::Inbox(record),
        _ => ToSigner::Cosignature(record),
    }
}
