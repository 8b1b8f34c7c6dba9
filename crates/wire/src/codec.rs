//! Strict borsh: one encoding per value, and bounded size.

use borsh::io::{ErrorKind, Result, Write};
use borsh::{BorshDeserialize, BorshSerialize};
use strongroom_guard::{G, guard, kept};
use strongroom_types::{Code, Refusal};

/// Largest record on any topic or socket, bytes: 256 KiB.
pub const RECORD_BYTES_MAX: usize = 256 * 1024;

/// Number of a payload's type and version. A number never changes its meaning.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, BorshSerialize, BorshDeserialize,
)]
pub struct Schema(pub u16);

/// A payload of an envelope.
pub trait Payload: BorshSerialize + BorshDeserialize {
    /// Schema number, in the envelope and in the record's headers.
    const SCHEMA: Schema;
}

/// A value that borsh cannot write: a collection of more than [`u32::MAX`] elements.
#[derive(Debug, thiserror::Error)]
#[error("the value has no encoding")]
pub struct EncodeError(#[source] borsh::io::Error);

/// Encodes a value, for callers that can refuse one without an encoding.
///
/// The vector's capacity is its length (`borsh::to_vec` reserves 1 KiB), because the journal's
/// state keeps many of these vectors.
///
/// # Errors
/// [`EncodeError`].
pub fn try_encode<T: BorshSerialize>(value: &T) -> std::result::Result<Vec<u8>, EncodeError> {
    let len = borsh::object_length(value).map_err(EncodeError)?;
    let mut bytes = Vec::with_capacity(len);

    // After an error the bytes written so far are dropped: half an encoding could decode as another
    // value.
    value.serialize(&mut bytes).map_err(EncodeError)?;
    Ok(bytes)
}

/// Encodes a value of Strongroom's own types, which always have an encoding: writing into memory
/// does not fail, each `BorshSerialize` written by hand passes on its writer's errors and makes
/// none, and a collection too long for borsh (more than [`u32::MAX`] elements) would have to come
/// out of messages of at most [`RECORD_BYTES_MAX`].
///
/// # Panics
/// When encoding fails all the same. A digest, row or record of no bytes would be taken for a valid
/// one, and two different requests would have the same digest, so the process ends before it makes
/// one.
#[must_use]
#[expect(
    clippy::expect_used,
    reason = "our types have an encoding; see the documentation"
)]
pub fn encode<T: BorshSerialize>(value: &T) -> Vec<u8> {
    try_encode(value).expect("a value of our own types has an encoding")
}

/// Decodes a value strictly: bounded size, no trailing bytes, re-encodes to the same bytes.
///
/// # Errors
/// `record_too_large` or `malformed`.
pub fn decode<T: BorshSerialize + BorshDeserialize>(
    bytes: &[u8],
) -> std::result::Result<T, Refusal> {
    // The size is checked before decoding, because a length inside the bytes must not decide how
    // much memory is taken.
    if guard(G::RecordSize, bytes.len() > RECORD_BYTES_MAX) {
        return Err(Refusal::new(
            Code::RecordTooLarge,
            format!("{} bytes", bytes.len()),
        ));
    }

    let value = kept!(
        G::StrictCodec,
        T::try_from_slice(bytes),
        instead T::deserialize(&mut &*bytes)
    );
    let value = value.map_err(|e| Refusal::new(Code::Malformed, e))?;

    // The value must encode to the same bytes: with two encodings, one record would have two
    // digests, and an approved record could differ from the executed one.
    let mut rest = Same(bytes);
    let is_same = value.serialize(&mut rest).is_ok() && rest.0.is_empty();
    if guard(G::StrictCodec, !is_same) {
        return Err(Refusal::new(
            Code::Malformed,
            "not the one encoding of its value",
        ));
    }
    Ok(value)
}

/// A writer that accepts only the bytes that it holds, in their order.
struct Same<'a>(&'a [u8]);

impl Write for Same<'_> {
    fn write(&mut self, written: &[u8]) -> Result<usize> {
        // The bytes are compared while they are written, so that a record is not in memory twice.
        self.0 = self.0.strip_prefix(written).ok_or(ErrorKind::InvalidData)?;
        Ok(written.len())
    }

    fn flush(&mut self) -> Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::collections::BTreeSet;

    /// Reads any byte as one of two values and writes them as 0 and 1.
    #[derive(Debug, PartialEq, Eq)]
    struct Lenient(bool, u8);

    impl BorshSerialize for Lenient {
        fn serialize<W: Write>(&self, writer: &mut W) -> Result<()> {
            writer.write_all(&vec![1; usize::from(self.1)])?;
            [u8::from(self.0)].serialize(writer)
        }
    }

    impl BorshDeserialize for Lenient {
        fn deserialize_reader<R: borsh::io::Read>(reader: &mut R) -> Result<Self> {
            let byte = u8::deserialize_reader(reader)?;
            Ok(Self(byte & 1 == 1, byte >> 6))
        }
    }

    #[test]
    fn what_is_not_written_as_it_was_read_is_refused() {
        assert_eq!(decode::<Lenient>(&[1]).unwrap(), Lenient(true, 0));
        // These values write other bytes, or more bytes, than were read.
        for bad in [3, 64, 65] {
            assert_eq!(
                decode::<Lenient>(&[bad]).unwrap_err().code,
                Code::Malformed,
                "{bad}"
            );
        }
    }

    /// A value whose encoding fails after its first byte, like that of a collection that is too
    /// long.
    struct TooLong;

    impl BorshSerialize for TooLong {
        fn serialize<W: Write>(&self, writer: &mut W) -> Result<()> {
            writer.write_all(&[1])?;
            Err(ErrorKind::InvalidData.into())
        }
    }

    #[test]
    fn a_value_without_an_encoding_is_an_error() {
        let error = try_encode(&TooLong).unwrap_err();
        assert_eq!(error.to_string(), "the value has no encoding");
        assert!(std::error::Error::source(&error).is_some());
    }

    #[test]
    #[should_panic(expected = "a value of our own types has an encoding")]
    fn a_value_without_an_encoding_is_never_taken_for_an_empty_one() {
        let _ = encode(&TooLong);
    }

    #[test]
    fn fewer_bytes_than_were_read_are_refused() {
        #[derive(Debug)]
        struct Padded;
        impl BorshSerialize for Padded {
            fn serialize<W: Write>(&self, _: &mut W) -> Result<()> {
                Ok(())
            }
        }
        impl BorshDeserialize for Padded {
            fn deserialize_reader<R: borsh::io::Read>(reader: &mut R) -> Result<Self> {
                u8::deserialize_reader(reader).map(|_| Self)
            }
        }
        assert_eq!(decode::<Padded>(&[0]).unwrap_err().code, Code::Malformed);
    }

    #[test]
    fn an_encoding_is_that_of_borsh_and_takes_no_spare_memory() {
        let value = (
            7u64,
            "text".to_owned(),
            BTreeSet::from([1u16, 2]),
            Some([9u8; 40]),
        );
        let bytes = encode(&value);
        assert_eq!(bytes, borsh::to_vec(&value).unwrap());
        assert_eq!(bytes.capacity(), bytes.len());
        assert_eq!(
            decode::<(u64, String, BTreeSet<u16>, Option<[u8; 40]>)>(&bytes).unwrap(),
            value
        );
    }
}
