//! Borsh with exactly one encoding: decode, encode again, compare.

use borsh::{BorshDeserialize, BorshSerialize};

/// Bytes that are not the one encoding of a value, or longer than allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not the canonical encoding")]
pub struct NotCanonical;

/// Encodes `value`; writing to memory does not fail.
pub(crate) fn encode<T: BorshSerialize>(value: &T) -> Vec<u8> {
    borsh::to_vec(value).unwrap_or_default()
}

/// Decodes at most `len_max` bytes and refuses bytes that would not be encoded the same way.
pub(crate) fn decode<T: BorshSerialize + BorshDeserialize>(
    bytes: &[u8],
    len_max: usize,
) -> Result<T, NotCanonical> {
    // Before decoding: a length field of a hostile peer must not allocate memory.
    if bytes.len() > len_max {
        return Err(NotCanonical);
    }

    let value = T::try_from_slice(bytes).map_err(|_| NotCanonical)?;

    // Digests are taken over bytes: two encodings of one value would be two messages.
    if encode(&value) == bytes {
        Ok(value)
    } else {
        Err(NotCanonical)
    }
}
