//! The bus at the moment a connection is accepted: what the signer is shown first, and which entries
//! it has already.

use crate::LinkError;
use std::collections::VecDeque;
use std::time::Duration;
use strongroom_ports::bus::{Bus, Delivered, Position, Topic};
use strongroom_wire::{Envelope, JournalBatch, topics};

/// Newest of the signer's own cosignatures with which a connection begins.
///
/// The newest one alone shows a disk that was put back what it has forgotten. But such a signer may
/// cosign its old tip again before it reads the first frame; if it dies just then, its next start
/// finds that record as the newest. Only that many starts in a row which all die in that moment
/// leave the forgotten record out of what is shown.
const OWN_MAX: u64 = 16;
/// Longest wait for a record that the bus has counted.
const FETCH_WAIT: Duration = Duration::from_millis(100);

/// Records and positions with which a connection begins.
pub(crate) struct Opening {
    /// The signer's newest own cosignatures, newest first.
    pub(crate) own: VecDeque<Vec<u8>>,
    /// Topics that the connection carries, each with its next record for the signer.
    pub(crate) wants: Vec<(Topic, Position)>,
    /// Position after the newest record of the entries topic.
    entries_end: u64,
}

impl Opening {
    /// Reads the bus. Must be done before anything of this connection is published: what the signer
    /// sends now would otherwise be its newest cosignature, in place of one that it has forgotten.
    /// `journal` are the topics of the journal, and `own` is among them.
    pub(crate) fn read(
        bus: &dyn Bus,
        inbox: (Topic, Position),
        journal: &[Topic],
        own: &Topic,
    ) -> Result<Self, LinkError> {
        let (newest_first, own_next) = own_newest(bus, own)?;
        let mut opening = Self {
            own: newest_first,
            wants: vec![inbox],
            entries_end: 0,
        };

        for topic in journal {
            let (start, end) = (bus.start(topic)?, bus.end(topic)?);
            let position = if topic.as_str() == topics::JOURNAL_ENTRIES {
                opening.entries_end = end.next;
                start
            } else if topic == own {
                own_next
            } else {
                // Reading begins at the newest cosignature of each witness: only that one counts,
                // and an old one would make its clock look wrong.
                let next = end.next.saturating_sub(1).max(start.next);
                Position { next, ..start }
            };
            opening.wants.push((topic.clone(), position));
        }
        Ok(opening)
    }

    /// The entries that a signer has which needs `next_seq` next.
    pub(crate) const fn known_to(&self, next_seq: u64) -> KnownEntries {
        KnownEntries {
            next_seq,
            end: self.entries_end,
        }
    }
}

/// The newest own cosignatures, newest first, and the position after them.
fn own_newest(bus: &dyn Bus, topic: &Topic) -> Result<(VecDeque<Vec<u8>>, Position), LinkError> {
    let (start, end) = (bus.start(topic)?, bus.end(topic)?);
    let mut position = Position {
        next: end.next.saturating_sub(OWN_MAX).max(start.next),
        ..start
    };

    let mut newest_first = VecDeque::new();
    while position.next < end.next {
        let missing = usize::try_from(end.next - position.next).unwrap_or(usize::MAX);
        let records = bus.fetch(&[(topic.clone(), position)], missing, FETCH_WAIT)?;

        // A record that the bus counts and does not deliver now is sent when it comes.
        let Some(last) = records.last() else {
            break;
        };
        position.next = last.offset + 1;
        for delivered in records {
            newest_first.push_front(delivered.record.payload);
        }
    }
    Ok((newest_first, position))
}

/// Entries that a signer has, by the position that it named when it connected.
pub(crate) struct KnownEntries {
    /// Position of the next entry that the signer needs.
    next_seq: u64,
    /// Position after the newest record that the entries topic had when the connection began.
    end: u64,
}

impl KnownEntries {
    /// Whether the connection leaves a record out, since the signer has all of its entries. Costs a
    /// decoding of the record and no signature: a connection reads the entries topic once.
    pub(crate) fn include(&self, delivered: &Delivered) -> bool {
        // What is published from now on is sent whatever it holds: a writer that starts publishes
        // its newest batch again and waits for answers to it, and a second line of the log at sizes
        // that the signer has must freeze it. The same holds for the newest record that is there,
        // since the writer may have started just before the signer.
        if delivered.topic.as_str() != topics::JOURNAL_ENTRIES || delivered.offset + 1 >= self.end {
            return false;
        }
        batch_end(&delivered.record.payload).is_some_and(|end| end <= self.next_seq)
    }
}

/// Position after the last entry of a batch; none for bytes that are not a batch, which the signer
/// judges.
fn batch_end(record: &[u8]) -> Option<u64> {
    // Nothing is verified: the writer's own record says the truth, and a forged one only keeps
    // itself from a signer that would ignore it.
    let envelope = Envelope::unverified(record).ok()?;
    let batch: JournalBatch = envelope.payload().ok()?;
    batch.first_seq.checked_add(batch.entries.len() as u64)
}
