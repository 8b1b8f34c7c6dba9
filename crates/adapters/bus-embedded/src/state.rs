//! The bus in memory: the queue of publishes, and each topic's bounds and tail.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use strongroom_ports::bus::{BusError, Position, Record, Topic};

use crate::log::{Append, StoredTopic};

/// Largest number of records per topic that are kept in memory for readers that follow closely.
const TAIL_RECORDS_MAX: usize = 4096;
/// The same bound in bytes of payload: 8 MiB.
const TAIL_BYTES_MAX: usize = 8 * 1024 * 1024;

/// State of the bus, which its lock protects.
#[derive(Default)]
pub(crate) struct BusState {
    pub(crate) topics: BTreeMap<Topic, TopicState>,
    pub(crate) queue: VecDeque<PendingPublish>,
    /// Records in `queue` and in the batch being written.
    pub(crate) queued: usize,
    /// Outcomes that their publishers have not collected yet, by ticket.
    pub(crate) results: BTreeMap<u64, Result<(), BusError>>,
    pub(crate) next_ticket: u64,
    /// Whether a thread is writing the records of all publishers.
    pub(crate) writing: bool,
    pub(crate) closed: bool,
    /// Whether memory and file may disagree; the bus then serves nothing until the log is opened
    /// again.
    pub(crate) broken: bool,
    /// Index of the topic that the next fetch serves first, so that none starves when there are
    /// more topics than records.
    pub(crate) turn: usize,
}

/// One call of publish that waits to be written.
pub(crate) struct PendingPublish {
    pub(crate) ticket: u64,
    pub(crate) records: Vec<Arc<Record>>,
}

/// Bounds and newest records of one topic.
pub(crate) struct TopicState {
    pub(crate) id: i64,
    pub(crate) oldest: u64,
    pub(crate) next: u64,
    /// The newest records, ending at `next`.
    tail: VecDeque<Arc<Record>>,
    tail_bytes: usize,
}

impl BusState {
    pub(crate) fn new(topics: Vec<StoredTopic>) -> Self {
        let topics = topics.into_iter().map(|t| {
            let state = TopicState {
                id: t.id,
                oldest: t.oldest,
                next: t.next,
                tail: VecDeque::new(),
                tail_bytes: 0,
            };
            (t.topic, state)
        });
        Self {
            topics: topics.collect(),
            ..Self::default()
        }
    }

    /// Refuses every use of a bus that failed or was shut down.
    pub(crate) fn refuse_if_unusable(&self) -> Result<(), BusError> {
        if self.broken {
            return Err(BusError::Io(
                "the log failed and must be opened again".into(),
            ));
        }

        if self.closed {
            Err(BusError::Closed)
        } else {
            Ok(())
        }
    }

    /// (oldest, next) of a topic; (0, 0) for one without records.
    pub(crate) fn bounds(&self, topic: &Topic) -> (u64, u64) {
        self.topics
            .get(topic)
            .map_or((0, 0), |t| (t.oldest, t.next))
    }

    /// Checks that the position is within this log. Offsets of another incarnation are those of
    /// other records: a consumer that continued there would skip or repeat records without
    /// noticing.
    pub(crate) fn check_position(
        &self,
        topic: &Topic,
        position: &Position,
        incarnation: [u8; 16],
    ) -> Result<(), BusError> {
        let (oldest, end) = self.bounds(topic);
        let same_log = position.incarnation == incarnation;
        if same_log && (oldest..=end).contains(&position.next) {
            return Ok(());
        }

        Err(BusError::PositionGone {
            topic: topic.clone(),
            wanted: position.next,
            oldest,
            end,
            same_log,
        })
    }

    /// Takes whole publishes off the queue, at least one, until `records_max` is reached.
    pub(crate) fn take_batch(&mut self, records_max: usize) -> Vec<PendingPublish> {
        let mut batch = Vec::new();
        let mut count = 0;
        while let Some(pending) = self.queue.front() {
            // Publishes are taken whole, so that one commit stores all records of a publish.
            if !batch.is_empty() && count + pending.records.len() > records_max {
                break;
            }
            count += pending.records.len();
            batch.extend(self.queue.pop_front());
        }
        batch
    }

    /// Groups the batch by topic and assigns offsets.
    pub(crate) fn plan(
        &self,
        batch: &[PendingPublish],
        retention_records_max: Option<u64>,
    ) -> Vec<Append> {
        let mut by_topic: BTreeMap<&Topic, Vec<Arc<Record>>> = BTreeMap::new();
        for record in batch.iter().flat_map(|pending| &pending.records) {
            by_topic
                .entry(&record.topic)
                .or_default()
                .push(Arc::clone(record));
        }

        let mut last_id = self.topics.values().map(|t| t.id).max().unwrap_or(0);
        let appends = by_topic.into_iter().map(|(topic, records)| {
            let known = self.topics.get(topic);
            let (oldest, next) = self.bounds(topic);
            let id = known.map_or_else(
                || {
                    last_id += 1;
                    last_id
                },
                |t| t.id,
            );

            // Offsets of what is dropped are never given again, so that a reader who was behind is told
            // that its position is gone.
            let after = next + records.len() as u64;
            let dead_letters = topic.is_of_dead_letters();
            let dead_letters = dead_letters.then_some(Topic::DEAD_LETTERS_MAX);
            let max = retention_records_max.into_iter().chain(dead_letters).min();
            let keep_from = max.map_or(oldest, |max| oldest.max(after.saturating_sub(max)));
            Append {
                topic: topic.clone(),
                id,
                created: known.is_none(),
                oldest,
                next,
                records,
                keep_from,
            }
        });

        appends.collect()
    }

    /// Makes written records readable.
    pub(crate) fn apply(&mut self, appends: Vec<Append>) {
        for append in appends {
            let topic = self
                .topics
                .entry(append.topic)
                .or_insert_with(|| TopicState {
                    id: append.id,
                    oldest: append.oldest,
                    next: append.next,
                    tail: VecDeque::new(),
                    tail_bytes: 0,
                });

            topic.next += append.records.len() as u64;
            for record in append.records {
                topic.tail_bytes += record.payload.len();
                topic.tail.push_back(record);
            }

            topic.trim(append.keep_from);
        }
    }
}

impl TopicState {
    /// Drops records before `oldest`, and the oldest ones beyond the memory bounds.
    fn trim(&mut self, oldest: u64) {
        self.oldest = self.oldest.max(oldest);
        while self.tail.len() > TAIL_RECORDS_MAX
            || self.tail_bytes > TAIL_BYTES_MAX
            || (!self.tail.is_empty() && self.tail_start() < self.oldest)
        {
            if let Some(record) = self.tail.pop_front() {
                self.tail_bytes -= record.payload.len();
            }
        }
    }

    fn tail_start(&self) -> u64 {
        self.next - self.tail.len() as u64
    }

    /// Records from memory; `None` when `from` is older than the tail.
    pub(crate) fn read_tail(&self, from: u64, max: usize) -> Option<Vec<Record>> {
        let skip = usize::try_from(from.checked_sub(self.tail_start())?).ok()?;
        Some(
            self.tail
                .iter()
                .skip(skip)
                .take(max)
                .map(|record| Record::clone(record))
                .collect(),
        )
    }
}

/// Number of records that each of several topics may give, so that their sum is at most `max` and a
/// busy topic does not starve a quiet one. The topic at index `turn` is served first.
pub(crate) fn shares(available: &[u64], max: usize, turn: usize) -> Vec<usize> {
    let mut shares = vec![0usize; available.len()];
    let mut left = max;
    while left > 0 {
        let wanting: Vec<usize> = (0..available.len())
            .map(|i| (i + turn) % available.len())
            .filter(|i| {
                shares
                    .get(*i)
                    .zip(available.get(*i))
                    .is_some_and(|(share, there)| (*share as u64) < *there)
            })
            .collect();

        if wanting.is_empty() {
            break;
        }

        // Each topic gets at least one record. If there are more topics than room, the first ones
        // of this turn get it.
        let each = (left / wanting.len()).max(1);
        for i in wanting {
            if let Some((share, there)) = shares.get_mut(i).zip(available.get(i)) {
                let room = usize::try_from(*there).unwrap_or(usize::MAX) - *share;
                let more = each.min(room).min(left);
                *share += more;
                left -= more;
            }
        }
    }
    shares
}

#[cfg(test)]
mod tests {
    use super::shares;

    #[test]
    fn shares_are_fair_and_never_exceed_what_is_there() {
        assert_eq!(shares(&[100, 2, 100], 10, 0), [4, 2, 4]);
        assert_eq!(shares(&[100, 100, 100], 2, 0), [1, 1, 0]);
        assert_eq!(shares(&[100, 100, 100], 2, 2), [1, 0, 1]);
        assert_eq!(shares(&[1, 0], 10, 1), [1, 0]);
        assert_eq!(shares(&[], 10, 7), Vec::<usize>::new());
    }
}
