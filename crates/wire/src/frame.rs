//! Frames on the Unix sockets of a signer: `u32be(length) ‖ bytes`.

use crate::codec::RECORD_BYTES_MAX;
use borsh::{BorshDeserialize, BorshSerialize};
use std::io::{self, Read, Write};
use strongroom_types::Digest;

/// Room for a full record and its frame fields.
pub const FRAME_BYTES_MAX: usize = RECORD_BYTES_MAX + 1024;

/// From the link process to a signer.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub enum ToSigner {
    /// A record of the signer's own inbox (sealed envelope) with its timeline marks.
    Inbox(Vec<u8>),
    /// A record of `journal.entries` (sealed envelope).
    Batch(Vec<u8>),
    /// A record of another witness's cosignatures (sealed envelope).
    Cosignature(Vec<u8>),
}

/// From a signer to its link process.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub enum FromSigner {
    /// First frame: where the signer's journal replica ends, so that the link knows what to send.
    Hello {
        /// Next entry the replica needs.
        next_seq: u64,
    },
    /// A record for this signer's outbox (sealed envelope).
    Outbox(Vec<u8>),
    /// A record for this witness's cosignatures topic (sealed envelope).
    Cosignature(Vec<u8>),
    /// A record for the journal's submissions (sealed envelope): a tightening that was handed over.
    Submission(Vec<u8>),
}

/// On the admin socket, to the signer.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub enum AdminRequest {
    /// State of this signer.
    Status,
    /// Share nothing from now on, until restarted with the stop mark removed.
    Stop,
    /// Take this signed tightening (JSON of a signed container).
    Hand(String),
    /// Lift the freeze that this evidence of a split view caused, from the next start on.
    Unfreeze(Digest),
}

/// On the admin socket, from the signer.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub enum AdminReply {
    /// State, one `name: value` per line.
    Status(String),
    /// Carried out; nothing to report.
    Done,
    /// Refused, with code and detail.
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
    /// Digest of the build that made it, informational.
    pub measurement: Digest,
}

/// Writes one frame.
pub fn write_frame(writer: &mut impl Write, bytes: &[u8]) -> io::Result<()> {
    let length =
        u32::try_from(bytes.len()).map_err(|e| io::Error::new(io::ErrorKind::InvalidInput, e))?;
    // The other side would close the connection over it; here the sender still knows what it was.
    if bytes.len() > FRAME_BYTES_MAX {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "frame too large",
        ));
    }

    // One write call: a length that left alone would make the other side wait for its frame.
    let mut frame = Vec::with_capacity(bytes.len() + 4);
    frame.extend_from_slice(&length.to_be_bytes());
    frame.extend_from_slice(bytes);

    writer.write_all(&frame)?;
    writer.flush()
}

/// Reads one frame; `None` at a clean end.
pub fn read_frame(reader: &mut impl Read) -> io::Result<Option<Vec<u8>>> {
    let mut length = [0; 4];
    let (first, rest) = length.split_at_mut(1);
    match reader.read_exact(first) {
        Err(e) if e.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        other => other?,
    }

    // An end from here on is an error: half a frame must not pass for a closed connection.
    reader.read_exact(rest)?;

    // Before the memory is taken: the other side of the socket may be hostile.
    let length = u32::from_be_bytes(length) as usize;
    if length > FRAME_BYTES_MAX {
        return Err(io::Error::new(
            io::ErrorKind::InvalidData,
            "frame too large",
        ));
    }

    let mut bytes = vec![0; length];
    reader.read_exact(&mut bytes)?;
    Ok(Some(bytes))
}
