//! Requests and answers on the socket: `u32be(length) ‖ borsh`.

use borsh::{BorshDeserialize, BorshSerialize};
use std::io::{self, Read, Write};
use strongroom_ports::bus::{BusError, Delivered, Headers, Position, Record, Topic};

/// Longest message: a fetch of 256 largest records, and room for their headers.
const MESSAGE_BYTES_MAX: u32 = 128 << 20;

/// A call of the bus port.
#[derive(BorshSerialize, BorshDeserialize)]
pub(super) enum Request {
    Publish(Vec<WireRecord>),
    Start(String),
    End(String),
    Fetch {
        wants: Vec<(String, WirePosition)>,
        records_max: u32,
        wait_ms: u64,
    },
    Fsyncs,
}

/// What came of it.
#[derive(BorshSerialize, BorshDeserialize)]
pub(super) enum Answer {
    Done,
    Position(WirePosition),
    /// Records with their partition and offset.
    Records(Vec<(WireRecord, u32, u64)>),
    Count(u64),
    Refused(WireError),
}

#[derive(BorshSerialize, BorshDeserialize)]
pub(super) struct WireRecord {
    topic: String,
    key: Vec<u8>,
    headers: Headers,
    payload: Vec<u8>,
}

/// Incarnation and next offset.
#[derive(BorshSerialize, BorshDeserialize)]
pub(super) struct WirePosition([u8; 16], u64);

/// A refusal that crosses the socket. Sizes and names are checked by the client before it asks, so
/// those refusals do not.
#[derive(BorshSerialize, BorshDeserialize)]
pub(super) enum WireError {
    PositionGone {
        topic: String,
        wanted: u64,
        oldest: u64,
        end: u64,
        same_log: bool,
    },
    Full,
    Timeout,
    Closed,
    Io(String),
    Corrupt(String),
}

impl WireRecord {
    pub(super) fn of(record: &Record) -> Self {
        Self {
            topic: record.topic.as_str().to_owned(),
            key: record.key.clone(),
            headers: record.headers.clone(),
            payload: record.payload.clone(),
        }
    }

    pub(super) fn record(self) -> Result<Record, BusError> {
        let Self {
            topic,
            key,
            headers,
            payload,
        } = self;
        Ok(Record {
            topic: Topic::new(&topic)?,
            key,
            headers,
            payload,
        })
    }

    pub(super) fn delivered(self, partition: u32, offset: u64) -> Result<Delivered, BusError> {
        let record = self.record()?;
        Ok(Delivered {
            topic: record.topic.clone(),
            partition,
            offset,
            record,
        })
    }
}

impl From<Position> for WirePosition {
    fn from(position: Position) -> Self {
        Self(position.incarnation, position.next)
    }
}

impl From<WirePosition> for Position {
    fn from(WirePosition(incarnation, next): WirePosition) -> Self {
        Self { incarnation, next }
    }
}

impl From<BusError> for WireError {
    fn from(error: BusError) -> Self {
        match error {
            BusError::PositionGone {
                topic,
                wanted,
                oldest,
                end,
                same_log,
            } => {
                let topic = topic.as_str().to_owned();
                Self::PositionGone {
                    topic,
                    wanted,
                    oldest,
                    end,
                    same_log,
                }
            }
            BusError::Full => Self::Full,
            BusError::Timeout => Self::Timeout,
            BusError::Closed => Self::Closed,
            BusError::Io(text) => Self::Io(text),
            BusError::Corrupt(text) => Self::Corrupt(text),
            other @ (BusError::BadTopic { .. }
            | BusError::TooLarge { .. }
            | BusError::RefusedInProduction) => Self::Io(other.to_string()),
        }
    }
}

impl From<WireError> for BusError {
    fn from(error: WireError) -> Self {
        match error {
            WireError::PositionGone {
                topic,
                wanted,
                oldest,
                end,
                same_log,
            } => match Topic::new(&topic) {
                Ok(topic) => Self::PositionGone {
                    topic,
                    wanted,
                    oldest,
                    end,
                    same_log,
                },
                Err(error) => error,
            },
            WireError::Full => Self::Full,
            WireError::Timeout => Self::Timeout,
            WireError::Closed => Self::Closed,
            WireError::Io(text) => Self::Io(text),
            WireError::Corrupt(text) => Self::Corrupt(text),
        }
    }
}

/// Writes one message.
pub(super) fn send(stream: &mut impl Write, message: &impl BorshSerialize) -> io::Result<()> {
    let bytes = borsh::to_vec(message)?;

    // Checked by the sender too: the receiver would close the connection without a reason.
    let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    if length > MESSAGE_BYTES_MAX {
        return Err(io::Error::new(
            io::ErrorKind::InvalidData,
            "a message over the limit",
        ));
    }
    stream.write_all(&length.to_be_bytes())?;
    stream.write_all(&bytes)
}

/// Reads one message.
pub(super) fn receive<T: BorshDeserialize>(stream: &mut impl Read) -> io::Result<T> {
    let mut length = [0; 4];
    stream.read_exact(&mut length)?;
    let length = u32::from_be_bytes(length);

    // Before the memory is taken: four wrong bytes must not ask for 4 GB.
    if length > MESSAGE_BYTES_MAX {
        return Err(io::Error::new(
            io::ErrorKind::InvalidData,
            "a message over the limit",
        ));
    }

    let mut bytes = vec![0; length as usize];
    stream.read_exact(&mut bytes)?;
    borsh::from_slice(&bytes)
}
