//! Records between services: a log of topics, kept by a broker or by the process itself.
//!
//! Contract (each sentence is a case of `testkit/conformance`):
//!
//! - Records of one topic with one key keep the order in which they were published.
//! - Delivery is at least once; the consumer removes duplicates by what their sender signed.
//! - The consumer owns its positions: the bus keeps none.
//! - A position that no longer exists (other incarnation, before the oldest record, beyond the end)
//!   is [`BusError::PositionGone`]; the bus never moves a consumer silently.
//! - A record over a size limit is refused by [`Bus::publish`], with its size, and nothing of that
//!   call is published.
//! - [`Bus::publish`] returns `Ok` only when every record is durable.
//! - A full queue blocks the publisher and then returns [`BusError::Full`]; no accepted record is
//!   dropped.
//! - Headers carry `schema`, `deadline-ms`, `traceparent` and timeline marks; never
//!   secrets or customer data.
//! - [`Bus::shutdown`] drains the accepted records within its deadline; later calls are
//!   [`BusError::Closed`].

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use borsh::{BorshDeserialize, BorshSerialize};

pub use strongroom_types::Mode;

/// End of the name of a topic of dead letters.
const DEAD_LETTERS: &str = ".dlq";

/// Name of a topic: 1 to 200 bytes of `a-z 0-9 . _ -`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Topic(Arc<str>);

impl Topic {
    /// Longest name, bytes (Kafka allows 249; the rest is for `.dlq` and a test's prefix).
    pub const LEN_MAX: usize = 200;
    /// Number of dead letters that are kept per topic: with the largest payloads 64 MiB.
    pub const DEAD_LETTERS_MAX: u64 = 256;

    /// A checked name.
    ///
    /// # Errors
    /// [`BusError::BadTopic`] when empty, too long or with another character.
    pub fn new(name: &str) -> Result<Self, BusError> {
        let good =
            |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'_' | b'-');

        if name.is_empty() || name.len() > Self::LEN_MAX || !name.bytes().all(good) {
            // The error has only the length: a bad name may hold anything, and errors are logged.
            return Err(BusError::BadTopic { len: name.len() });
        }

        Ok(Self(name.into()))
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Topic of the records that this topic's consumer could not handle: `<topic>.dlq`.
    ///
    /// # Errors
    /// [`BusError::BadTopic`] when that name is too long.
    pub fn dead_letter(&self) -> Result<Self, BusError> {
        Self::new(&format!("{}{DEAD_LETTERS}", self.0))
    }

    /// Whether it is a topic of dead letters. A bus keeps the newest [`Self::DEAD_LETTERS_MAX`]
    /// records of one and drops those before them: who may write to a topic can cause as many as
    /// they like, and none of them is acted upon.
    #[must_use]
    pub fn is_of_dead_letters(&self) -> bool {
        self.0.ends_with(DEAD_LETTERS)
    }
}

impl fmt::Debug for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Fields that travel beside a payload, in clear. Borsh is the stored form (field order below).
#[derive(Debug, Clone, PartialEq, Eq, Default, BorshSerialize, BorshDeserialize)]
pub struct Headers {
    /// Version of the payload's encoding.
    pub schema: u16,
    /// The deadline that the payload's envelope states, Unix milliseconds, for people and tools that
    /// read a topic; 0 = none. Services go by the envelope, which is signed.
    pub deadline_ms: u64,
    /// W3C trace context, or empty.
    pub traceparent: String,
    /// Timeline marks, opaque to the bus.
    pub marks: Vec<u8>,
}

/// One record to publish.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Topic to which it is published.
    pub topic: Topic,
    /// Key of the record. Records of one key keep their order.
    pub key: Vec<u8>,
    /// Headers, in clear and unsigned.
    pub headers: Headers,
    /// The signed envelope, opaque to the bus.
    pub payload: Vec<u8>,
}

impl Record {
    /// Largest payload, bytes: 256 KiB, the largest record of the services (`docs/formats.md`).
    pub const PAYLOAD_MAX: usize = 256 * 1024;
    /// Largest key, bytes.
    pub const KEY_MAX: usize = 512;
    /// Largest `traceparent`, bytes (W3C's form is 55).
    pub const TRACEPARENT_MAX: usize = 128;
    /// Largest marks, bytes.
    pub const MARKS_MAX: usize = 512;

    /// Checks every size limit; each adapter's `publish` calls it before anything else.
    ///
    /// # Errors
    /// [`BusError::TooLarge`] with the size found.
    pub fn check(&self) -> Result<(), BusError> {
        let limits = [
            ("payload", self.payload.len(), Self::PAYLOAD_MAX),
            ("key", self.key.len(), Self::KEY_MAX),
            (
                "traceparent",
                self.headers.traceparent.len(),
                Self::TRACEPARENT_MAX,
            ),
            ("marks", self.headers.marks.len(), Self::MARKS_MAX),
        ];

        for (part, size, max) in limits {
            if size > max {
                return Err(BusError::TooLarge {
                    topic: self.topic.clone(),
                    part,
                    size,
                    max,
                });
            }
        }

        Ok(())
    }
}

/// One record as a consumer gets it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivered {
    /// Topic that it was read from (the same as `record.topic`).
    pub topic: Topic,
    /// Partition of the topic (always 0 on the embedded bus).
    pub partition: u32,
    /// Place in the partition, from 0. The position after this record is `offset + 1`.
    pub offset: u64,
    /// The record as it was published.
    pub record: Record,
}

/// A consumer's place in a topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Position {
    /// Random id of the bus's store, made when the store is, so that a recreated or replaced log is
    /// noticed.
    pub incarnation: [u8; 16],
    /// Offset of the next record to read.
    pub next: u64,
}

/// Publish and fetch. Shared by threads behind an `Arc`.
pub trait Bus: Send + Sync {
    /// Makes the records durable, in order; one call's records of one key stay together in order.
    ///
    /// # Errors
    /// [`BusError::TooLarge`] (nothing published), [`BusError::Full`] (nothing published, try
    /// again), [`BusError::Io`]: outcome unknown, publish the same records again.
    fn publish(&self, records: &[Record]) -> Result<(), BusError>;

    /// The oldest position of a topic. A topic without a record begins at 0.
    fn start(&self, topic: &Topic) -> Result<Position, BusError>;

    /// The position after the newest record.
    fn end(&self, topic: &Topic) -> Result<Position, BusError>;

    /// At most `records_max` records at or after the wanted positions, each topic's in order,
    /// shared fairly between the topics. Blocks up to `wait` until there is at least one; empty on
    /// timeout. Asking again from the same positions gives the same records again.
    ///
    /// # Errors
    /// [`BusError::PositionGone`] for the first wanted position that does not exist.
    fn fetch(
        &self,
        wants: &[(Topic, Position)],
        records_max: usize,
        wait: Duration,
    ) -> Result<Vec<Delivered>, BusError>;

    /// Refuses new work, finishes what was accepted and stops.
    ///
    /// # Errors
    /// [`BusError::Timeout`] when that took longer than `within`.
    fn shutdown(&self, within: Duration) -> Result<(), BusError>;

    /// Number of times the log was synced to disk since this object was made.
    fn fsyncs(&self) -> u64;
}

/// Errors of the bus. [`Self::Io`] and [`Self::Corrupt`] hold the engine's error as text and have no
/// source: they are compared, copied to every waiting publisher and sent between processes, and no
/// engine's error can do all of that.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BusError {
    /// A topic name is not allowed.
    #[error("bad topic name ({len} bytes)")]
    BadTopic {
        /// Length of the name, bytes.
        len: usize,
    },
    /// A record is over a limit.
    #[error("record for {topic}: {part} of {size} bytes is over the limit of {max}")]
    TooLarge {
        /// Topic of the record.
        topic: Topic,
        /// `payload`, `key`, `traceparent` or `marks`.
        part: &'static str,
        /// Size found, bytes.
        size: usize,
        /// Limit, bytes.
        max: usize,
    },
    /// The wanted position does not exist: records were dropped by retention, or this is another
    /// log.
    #[error(
        "{topic}: position {wanted} does not exist (oldest {oldest}, end {end}, same log: {same_log})"
    )]
    PositionGone {
        /// Topic whose position was asked for.
        topic: Topic,
        /// Offset asked for.
        wanted: u64,
        /// Oldest offset there is.
        oldest: u64,
        /// Offset after the newest record.
        end: u64,
        /// `false` when the position belongs to another incarnation of the log.
        same_log: bool,
    },
    /// The queue stayed full; nothing was published.
    #[error("the publish queue is full")]
    Full,
    /// The shutdown was not finished in time.
    #[error("the bus did not drain in time")]
    Timeout,
    /// The bus was shut down.
    #[error("the bus is closed")]
    Closed,
    /// The broker or the disk failed; the outcome of a publish is unknown.
    #[error("bus input/output: {0}")]
    Io(String),
    /// The log is damaged.
    #[error("the bus's log is corrupt: {0}")]
    Corrupt(String),
    /// A development bus was asked to carry production records.
    #[error("this bus is for development only and genesis says production")]
    RefusedInProduction,
}

impl BusError {
    /// Whether the same call may succeed later.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            // After `Io` the records may be on the bus. The caller publishes the same records again,
            // and readers drop duplicates.
            Self::Full | Self::Timeout | Self::Io(_) => true,
            // Another try does not help with these. A lost position needs an operator above all: a
            // consumer that continued from another one would skip records or handle old ones again.
            Self::BadTopic { .. }
            | Self::TooLarge { .. }
            | Self::PositionGone { .. }
            | Self::Closed
            | Self::Corrupt(_)
            | Self::RefusedInProduction => false,
        }
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

    #[test]
    fn topic_names_are_checked() {
        assert!(Topic::new("strongroom.journal.entries.v1").is_ok());
        assert!(Topic::new(&"a".repeat(200)).is_ok());
        for bad in ["", "A", "a b", "a/b", "ä", &"a".repeat(201)] {
            assert!(Topic::new(bad).is_err(), "{bad}");
        }
        assert_eq!(
            Topic::new("a").unwrap().dead_letter().unwrap().as_str(),
            "a.dlq"
        );
    }

    #[test]
    fn header_bytes_do_not_change() {
        let headers = Headers {
            schema: 0x0102,
            deadline_ms: 3,
            traceparent: "t".into(),
            marks: vec![9],
        };
        let bytes = borsh::to_vec(&headers).unwrap();
        let want = [
            2, 1, 3, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, b't', 1, 0, 0, 0, 9,
        ];
        assert_eq!(bytes, want);
        assert_eq!(borsh::from_slice::<Headers>(&bytes).unwrap(), headers);
    }
}
