//! Strict borsh: one encoding per value, bounded size.

use borsh::io::{ErrorKind, Result, Write};
use borsh::{BorshDeserialize, BorshSerialize};
use strongroom_types::{Code, Refusal};

/// Largest record on any topic or socket: 128 KiB.
pub const RECORD_BYTES_MAX: usize = 128 * 1024;

/// Names a payload type and version; the number never changes its meaning.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, BorshSerialize, BorshDeserialize,
)]
pub struct Schema(pub u16);

/// A payload of an envelope.
pub trait Payload: BorshSerialize + BorshDeserialize {
    /// Schema number, in the envelope and in the record's headers.
    const SCHEMA: Schema;
}

/// Encodes a value. Our types always encode; were a writer ever to fail, the empty bytes decode
/// nowhere.
///
/// The bytes take no more memory than they are long (`borsh::to_vec` reserves 1 KiB for each): the
/// journal's state keeps what this gives.
#[must_use]
pub fn encode<T: BorshSerialize>(value: &T) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(borsh::object_length(value).unwrap_or_default());

    // Half an encoding must not leave: it could decode as another value.
    if value.serialize(&mut bytes).is_err() {
        bytes.clear();
    }
    bytes
}

/// Decodes a value strictly: bounded size, no trailing bytes, re-encodes to the same bytes.
///
/// # Errors
/// `record_too_large` or `malformed`.
pub fn decode<T: BorshSerialize + BorshDeserialize>(
    bytes: &[u8],
) -> std::result::Result<T, Refusal> {
    // Before decoding: a length inside the bytes must not decide how much memory is taken.
    if bytes.len() > RECORD_BYTES_MAX {
        return Err(Refusal::new(
            Code::RecordTooLarge,
            format!("{} bytes", bytes.len()),
        ));
    }

    let value = T::try_from_slice(bytes).map_err(|e| Refusal::new(Code::Malformed, e))?;

    // One value, one encoding: two texts of one record would have two digests, and what was
    // approved could differ from what is executed.
    let mut rest = Same(bytes);
    if value.serialize(&mut rest).is_ok() && rest.0.is_empty() {
        Ok(value)
    } else {
        Err(Refusal::new(
            Code::Malformed,
            "not the one encoding of its value",
        ))
    }
}

/// Takes only the very bytes that are left.
struct Same<'a>(&'a [u8]);

impl Write for Same<'_> {
    fn write(&mut self, written: &[u8]) -> Result<usize> {
        // Compared while it is written, so that a record is not held in memory twice.
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
        // Other bytes, and more bytes, than were read.
        for bad in [3, 64, 65] {
            assert_eq!(
                decode::<Lenient>(&[bad]).unwrap_err().code,
                Code::Malformed,
                "{bad}"
            );
        }
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
