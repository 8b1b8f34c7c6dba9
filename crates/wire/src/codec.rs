//! Strict borsh: one encoding per value, bounded size.

use borsh::{BorshDeserialize, BorshSerialize};
use strongroom_types::{Code, Refusal};

/// Largest record on any topic or socket: 128 KiB.
pub const RECORD_BYTES_MAX: usize = 128 * 1024;

/// Names a payload type and version; the number never changes its meaning.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, BorshSerialize, BorshDeserialize)]
pub struct Schema(pub u16);

/// A payload of an envelope.
pub trait Payload: BorshSerialize + BorshDeserialize {
    /// Its schema number.
    const SCHEMA: Schema;
}

/// Encodes a value. Our types always encode; were a writer ever to fail, the empty bytes decode nowhere.
#[must_use]
pub fn encode<T: BorshSerialize>(value: &T) -> Vec<u8> {
    borsh::to_vec(value).unwrap_or_default()
}

/// Decodes a value strictly: bounded size, no trailing bytes, re-encodes to the same bytes.
///
/// # Errors
/// `record_too_large` or `malformed`.
pub fn decode<T: BorshSerialize + BorshDeserialize>(bytes: &[u8]) -> Result<T, Refusal> {
    if bytes.len() > RECORD_BYTES_MAX {
        return Err(Refusal::new(Code::RecordTooLarge, format!("{} bytes", bytes.len())));
    }
    let value = T::try_from_slice(bytes).map_err(|e| Refusal::new(Code::Malformed, e))?;
    if encode(&value) == bytes {
        Ok(value)
    } else {
        Err(Refusal::new(Code::Malformed, "not the one encoding of its value"))
    }
}
