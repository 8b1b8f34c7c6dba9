//! C2SP tlog-cosignature, `cosignature/v1`: a witness's dated Ed25519 statement over a checkpoint
//! (key type 0x04).

use std::io::{self, Read};

use borsh::{BorshDeserialize, BorshSerialize};
use thiserror::Error;

use crate::{
    checkpoint::{Checkpoint, CheckpointError},
    note::{NoteError, NoteSignature, key},
};

#[cfg(test)]
mod tests;

/// Latest time the format allows, in Unix seconds.
pub const TIME_S_MAX: u64 = i64::MAX as u64;

/// Public key of a witness (key type 0x04).
pub type CosignVerifier = key::Verifier<0x04>;
/// Signing key of a witness (key type 0x04); zeroised on drop.
pub type CosignKey = key::SecretKey<0x04>;

/// Reason why a cosignature was not made or not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum CosignatureError {
    /// The body is not a checkpoint. A witness cosigns nothing else.
    #[error("the body is not a checkpoint")]
    NotACheckpoint(#[source] CheckpointError),
    /// The time is later than [`TIME_S_MAX`].
    #[error("time is out of range")]
    Time,
    /// Name or key id are not this key's.
    #[error("cosignature is by another key")]
    UnknownKey,
    /// The Ed25519 signature does not verify.
    #[error("cosignature is not valid")]
    BadSignature,
    /// The text is not a signature line, or its payload is not 8 + 64 bytes.
    #[error("cosignature line is malformed")]
    Malformed,
}

/// A witness's statement that at `time_s` this checkpoint is the largest consistent tree that it
/// knows. The statement is not verified yet.
///
/// Borsh bytes: `name` (u32 length, UTF-8), `key_id` (u32), `time_s` (u64), 64 signature bytes,
/// numbers little-endian; an invalid name or time is refused. Text: a note signature line whose
/// payload is `u64be(time_s) ‖ signature`.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize)]
pub struct Cosignature {
    /// Name of the witness key.
    pub name: String,
    /// First four bytes of SHA-256(name ‖ `\n` ‖ 0x04 ‖ public key), big-endian.
    pub key_id: u32,
    /// Time of the statement, Unix seconds by the witness's clock.
    pub time_s: u64,
    /// Ed25519 signature over [`cosigned_message`].
    pub signature: [u8; 64],
}

impl Cosignature {
    /// The cosignature as a signature line of a note.
    #[must_use]
    pub fn to_note_signature(&self) -> NoteSignature {
        let mut payload = self.time_s.to_be_bytes().to_vec();
        payload.extend_from_slice(&self.signature);

        NoteSignature {
            name: self.name.clone(),
            key_id: self.key_id,
            payload,
        }
    }

    /// Reads a cosignature from a signature line of a note.
    ///
    /// # Errors
    /// `Malformed` if the payload is not 72 bytes; `Time` if it is later than [`TIME_S_MAX`].
    pub fn from_note_signature(line: &NoteSignature) -> Result<Self, CosignatureError> {
        let (time, signature) = line
            .payload
            .split_first_chunk::<8>()
            .ok_or(CosignatureError::Malformed)?;
        let signature = signature
            .try_into()
            .map_err(|_| CosignatureError::Malformed)?;

        // A time beyond the format's range is refused, because it would overflow in a reader that
        // counts in signed seconds.
        let time_s = u64::from_be_bytes(*time);
        if time_s > TIME_S_MAX {
            return Err(CosignatureError::Time);
        }

        Ok(Self {
            name: line.name.clone(),
            key_id: line.key_id,
            time_s,
            signature,
        })
    }

    /// The text line, with its newline.
    #[must_use]
    pub fn to_line(&self) -> String {
        self.to_note_signature().to_line()
    }

    /// Reads one text line that ends in a newline.
    ///
    /// # Errors
    /// `Malformed` or `Time`.
    pub fn parse_line(line: &str) -> Result<Self, CosignatureError> {
        let line =
            NoteSignature::parse_line(line).map_err(|_: NoteError| CosignatureError::Malformed)?;
        Self::from_note_signature(&line)
    }
}

impl BorshDeserialize for Cosignature {
    fn deserialize_reader<R: Read>(reader: &mut R) -> io::Result<Self> {
        let invalid = |what: &'static str| io::Error::new(io::ErrorKind::InvalidData, what);
        // The bytes come from a peer. The checks are those of the text form: if one form accepted
        // more, two readers could disagree.
        let name = String::deserialize_reader(reader)?;
        if !key::name_is_valid(&name) {
            return Err(invalid("witness name is not valid"));
        }

        let key_id = u32::deserialize_reader(reader)?;
        let time_s = u64::deserialize_reader(reader)?;

        if time_s > TIME_S_MAX {
            return Err(invalid("cosignature time out of range"));
        }

        Ok(Self {
            name,
            key_id,
            time_s,
            signature: <[u8; 64]>::deserialize_reader(reader)?,
        })
    }
}

/// The signed message: `cosignature/v1`, `time <Unix seconds>`, then the whole checkpoint body.
#[must_use]
pub fn cosigned_message(body: &str, time_s: u64) -> String {
    format!("cosignature/v1\ntime {time_s}\n{body}")
}

/// Cosigns a checkpoint body. The caller must have replayed, checked consistency and persisted
/// **before**.
///
/// # Errors
/// `NotACheckpoint` if `body` does not parse; `Time` if `time_s` (Unix seconds) is out of range.
pub fn cosign(body: &str, time_s: u64, key: &CosignKey) -> Result<Cosignature, CosignatureError> {
    // Only a checkpoint is signed: a key that signs any text could be made to sign another
    // protocol's message.
    Checkpoint::parse(body).map_err(CosignatureError::NotACheckpoint)?;
    if time_s > TIME_S_MAX {
        return Err(CosignatureError::Time);
    }

    Ok(Cosignature {
        name: key.verifier().name().to_owned(),
        key_id: key.verifier().key_id(),
        time_s,
        signature: key.sign(cosigned_message(body, time_s).as_bytes()),
    })
}

/// Verifies a cosignature over `body` by `key`. It does not check whether the time is plausible.
///
/// # Errors
/// `UnknownKey`, `Time` or `BadSignature`.
pub fn verify_cosignature(
    body: &str,
    cosignature: &Cosignature,
    key: &CosignVerifier,
) -> Result<(), CosignatureError> {
    // The name is compared as well, because a key id is only four bytes and easily made to collide.
    if cosignature.name != key.name() || cosignature.key_id != key.key_id() {
        return Err(CosignatureError::UnknownKey);
    }

    if cosignature.time_s > TIME_S_MAX {
        return Err(CosignatureError::Time);
    }

    // The time is part of the message, so that a relay cannot make an old statement look new.
    let message = cosigned_message(body, cosignature.time_s);

    if key.accepts(message.as_bytes(), &cosignature.signature) {
        Ok(())
    } else {
        Err(CosignatureError::BadSignature)
    }
}
