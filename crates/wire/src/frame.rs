//! Frames on the Unix sockets of a signer: `u32be(length) ‖ bytes`.

mod parts;

pub use parts::{FrameRead, Frames};

use crate::codec::RECORD_BYTES_MAX;
use borsh::{BorshDeserialize, BorshSerialize};
use std::io::{self, Read, Write};
use strongroom_guard::{G, guard};
use strongroom_types::Digest;
use strongroom_types::signed::SIGNED_JSON_BYTES_MAX;

/// Largest frame, bytes: a record of the largest size and the frame's fields.
pub const FRAME_BYTES_MAX: usize = RECORD_BYTES_MAX + 1024;

/// Bytes of [`AdminRequest::Hand`] beside its text: the variant and the text's length.
const HAND_FRAME_BYTES: usize = 5;

// A tightening that the journal takes can be handed over, however many people signed it.
const _: () = assert!(SIGNED_JSON_BYTES_MAX + HAND_FRAME_BYTES <= RECORD_BYTES_MAX);

/// Message from the link process to a signer.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub enum ToSigner {
    /// A record of this signer's inbox topic (sealed envelope).
    Inbox(Vec<u8>),
    /// A record of `journal.entries` (sealed envelope).
    Batch(Vec<u8>),
    /// A record of another witness's cosignatures (sealed envelope).
    Cosignature(Vec<u8>),
}

/// Message from a signer to its link process.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub enum FromSigner {
    /// First frame, from which the link knows which entries to send: of the batches on the bus it
    /// leaves out those that end at or below this position, but for the newest record.
    Hello {
        /// Position of the next entry that the signer's replica needs.
        next_seq: u64,
    },
    /// A record for this signer's outbox (sealed envelope).
    Outbox(Vec<u8>),
    /// A record for this witness's cosignatures topic (sealed envelope).
    Cosignature(Vec<u8>),
    /// A record for the journal's submissions (sealed envelope): a tightening that was handed over.
    Submission(Vec<u8>),
}

/// Request to a signer on its admin socket.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub enum AdminRequest {
    /// Report the state of this signer.
    Status,
    /// Give no share from now on, until the signer is restarted with the stop mark removed.
    Stop,
    /// Take this signed tightening: JSON of a signed container, of at most
    /// [`SIGNED_JSON_BYTES_MAX`] bytes.
    Hand(String),
    /// Lift the freeze that this evidence of a split view caused, from the next start on.
    Unfreeze(Digest),
}

/// Answer of a signer on its admin socket.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub enum AdminReply {
    /// State, one `name: value` per line.
    Status(String),
    /// The request was carried out; there is nothing to report.
    Done,
    /// The request was refused, with code and detail.
    Refused(String),
}

/// A signer's public record, printed by `init` and collected into genesis.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub struct PublicRecord {
    /// Ed25519 key of envelopes and ceremony certificates.
    pub signing_key: [u8; 32],
    /// Ed25519 key of cosignatures.
    pub witness_key: [u8; 32],
    /// X-Wing public key for sealed ceremony messages.
    pub sealing_key: Vec<u8>,
    /// Digest of the build that made the record, for information only.
    pub measurement: Digest,
}

/// Writes one frame.
pub fn write_frame(writer: &mut impl Write, bytes: &[u8]) -> io::Result<()> {
    let length =
        u32::try_from(bytes.len()).map_err(|e| io::Error::new(io::ErrorKind::InvalidInput, e))?;
    // A frame that is too large is refused before it is sent: the other side would close the
    // connection, and the sender would not know which frame was the reason.
    if guard(G::RecordSize, bytes.len() > FRAME_BYTES_MAX) {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "frame too large",
        ));
    }

    // Length and bytes go out in one write, because a length that is sent alone makes the other
    // side wait.
    let mut frame = Vec::with_capacity(bytes.len() + 4);
    frame.extend_from_slice(&length.to_be_bytes());
    frame.extend_from_slice(bytes);

    writer.write_all(&frame)?;
    writer.flush()
}

/// Reads one frame; `None` if the stream ends before its first byte.
pub fn read_frame(reader: &mut impl Read) -> io::Result<Option<Vec<u8>>> {
    let mut length = [0; 4];
    let (first, rest) = length.split_at_mut(1);
    match reader.read_exact(first) {
        Err(e) if e.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        other => other?,
    }

    // An end from here on is an error: half a frame must not be taken for a closed connection.
    reader.read_exact(rest)?;

    // The length is checked before memory is taken for it, because the other side of the socket may
    // be hostile.
    let length = u32::from_be_bytes(length) as usize;
    if guard(G::RecordSize, length > FRAME_BYTES_MAX) {
        return Err(io::Error::new(
            io::ErrorKind::InvalidData,
            "frame too large",
        ));
    }

    let mut bytes = vec![0; length];
    reader.read_exact(&mut bytes)?;
    Ok(Some(bytes))
}
