//! Records that could not be handled.

use borsh::{BorshDeserialize, BorshSerialize};
use strongroom_ports::bus::{BusError, Delivered, Headers, Record};
use strongroom_wire::encode;

/// Payload of a record on `<topic>.dlq`, in borsh, under the original's key. The original's id does
/// not enter the inbox, so that a replay to its topic is handled.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct DeadLetter {
    /// The stage that gave up.
    pub stage: String,
    /// Topic of the record.
    pub topic: String,
    /// Partition of that topic, from 0.
    pub partition: u32,
    /// Offset in the partition, from 0.
    pub offset: u64,
    /// The record's key.
    pub key: Vec<u8>,
    /// The error chain of the last try, at most [`DeadLetter::CAUSE_MAX`] bytes.
    pub cause: String,
    /// Number of tries before the stage gave up.
    pub attempts: u32,
    /// The record's headers.
    pub headers: Headers,
    /// The record's payload; `None` when the letter would be too large with it (it is still at its
    /// offset).
    pub payload: Option<Vec<u8>>,
}

impl DeadLetter {
    /// Encoding of this version, in the record's `schema` header.
    pub const SCHEMA: u16 = 1;
    /// Longest cause kept, bytes.
    pub const CAUSE_MAX: usize = 1024;
    /// Space that is kept for the fields other than the payload, bytes.
    const OVERHEAD_MAX: usize = 4096;

    /// The record for `<topic>.dlq`.
    pub(crate) fn record(
        stage: &str,
        delivered: &Delivered,
        cause: &str,
        attempts: u32,
    ) -> Result<Record, BusError> {
        let original = &delivered.record;
        // The letter must be publishable itself, or the record would block its topic permanently.
        let fits = original.payload.len() + Self::OVERHEAD_MAX <= Record::PAYLOAD_MAX;

        let letter = Self {
            stage: stage.to_owned(),
            topic: delivered.topic.as_str().to_owned(),
            partition: delivered.partition,
            offset: delivered.offset,
            key: original.key.clone(),
            cause: cut(cause).to_owned(),
            attempts,
            headers: original.headers.clone(),
            payload: fits.then(|| original.payload.clone()),
        };

        let headers = Headers {
            schema: Self::SCHEMA,
            // People read the letter later, so it does not expire at the deadline of its record.
            deadline_ms: 0,
            ..original.headers.clone()
        };
        Ok(Record {
            topic: delivered.topic.dead_letter()?,
            key: original.key.clone(),
            headers,
            payload: encode(&letter),
        })
    }
}

/// At most [`DeadLetter::CAUSE_MAX`] bytes, cut between characters.
fn cut(cause: &str) -> &str {
    // The cut is at a character's end, because a part of a character is not UTF-8.
    cause
        .get(..cause.floor_char_boundary(DeadLetter::CAUSE_MAX))
        .unwrap_or(cause)
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
    use strongroom_ports::bus::Topic;

    fn delivered(len: usize) -> Delivered {
        let topic = Topic::new("t.v1").unwrap();
        let headers = Headers {
            schema: 9,
            deadline_ms: 5,
            ..Headers::default()
        };
        let record = Record {
            topic: topic.clone(),
            key: vec![1],
            headers,
            payload: vec![2; len],
        };
        Delivered {
            topic,
            partition: 0,
            offset: 3,
            record,
        }
    }

    #[test]
    fn dead_letter_bytes_do_not_change() {
        let record = DeadLetter::record("s", &delivered(1), "c", 2).unwrap();
        let mut want = vec![
            1, 0, 0, 0, b's', 4, 0, 0, 0, b't', b'.', b'v', b'1', 0, 0, 0, 0,
        ];
        want.extend([
            3, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 1, 0, 0, 0, b'c', 2, 0, 0, 0,
        ]);
        want.extend([
            9, 0, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 0, 0, 0, 2,
        ]);
        assert_eq!(record.payload, want);
        assert_eq!(record.topic.as_str(), "t.v1.dlq");
    }

    #[test]
    fn the_largest_record_still_makes_a_letter() {
        let cause = "ä".repeat(5000);
        let record = DeadLetter::record("s", &delivered(Record::PAYLOAD_MAX), &cause, 1).unwrap();
        record.check().unwrap();
        let letter: DeadLetter = borsh::from_slice(&record.payload).unwrap();
        assert_eq!(
            (letter.payload, letter.cause.len()),
            (None, DeadLetter::CAUSE_MAX)
        );
        let kept = DeadLetter::record("s", &delivered(120_000), "c", 1).unwrap();
        kept.check().unwrap();
        assert!(
            borsh::from_slice::<DeadLetter>(&kept.payload)
                .unwrap()
                .payload
                .is_some()
        );
    }
}
