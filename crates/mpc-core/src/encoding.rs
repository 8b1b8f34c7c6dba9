//! Borsh with exactly one encoding per value: decoded bytes are encoded again and compared.

use borsh::{BorshDeserialize, BorshSerialize};
use strongroom_guard::{G, guard};

/// Bytes that are not the one encoding of a value, or longer than allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not the canonical encoding")]
pub struct NotCanonical;

/// Encodes `value`. Writing into memory does not fail, the impls of this crate are all derived, and
/// its collections have at most one element per roster member, or hold a message's bounded bytes.
///
/// # Panics
/// When encoding fails all the same. A transcript over no bytes would be the same for every
/// ceremony, so the process ends before it certifies one.
#[expect(
    clippy::expect_used,
    reason = "values of this crate have an encoding; see the documentation"
)]
pub(crate) fn encode<T: BorshSerialize>(value: &T) -> Vec<u8> {
    borsh::to_vec(value).expect("a value of this crate has an encoding")
}

/// Decodes at most `len_max` bytes and refuses bytes that would not be encoded the same way.
pub(crate) fn decode<T: BorshSerialize + BorshDeserialize>(
    bytes: &[u8],
    len_max: usize,
) -> Result<T, NotCanonical> {
    // The length is checked before decoding: a length field of a hostile peer must not make this
    // process allocate memory.
    if guard(G::RecordSize, bytes.len() > len_max) {
        return Err(NotCanonical);
    }

    let value = T::try_from_slice(bytes).map_err(|_| NotCanonical)?;

    // A second encoding of a value is refused: digests are taken over bytes, so it would count as
    // another message.
    if guard(G::StrictCodec, encode(&value) != bytes) {
        Err(NotCanonical)
    } else {
        Ok(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use borsh::io::{ErrorKind, Result, Write};

    struct TooLong;

    impl BorshSerialize for TooLong {
        fn serialize<W: Write>(&self, _: &mut W) -> Result<()> {
            Err(ErrorKind::InvalidData.into())
        }
    }

    #[test]
    #[should_panic(expected = "a value of this crate has an encoding")]
    fn a_value_without_an_encoding_is_never_taken_for_an_empty_one() {
        let _ = encode(&TooLong);
    }
}
