//! The digest rule for everything that is signed or hashed: SHA-256 over a length-prefixed domain
//! tag and length-prefixed fields.

use borsh::{BorshDeserialize, BorshSerialize};
use sha2::{Digest as _, Sha256};
use std::fmt;
use std::str::FromStr;

/// A SHA-256 digest (32 bytes; text form: 64 lower-case hex digits).
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, BorshSerialize, BorshDeserialize,
)]
pub struct Digest(pub [u8; 32]);

/// `SHA-256(u32be(len(domain)) ‖ domain ‖ Σ u32be(len(field)) ‖ field)`.
///
/// Because of the lengths the encoding of (domain, fields) is injective, which a plain
/// concatenation is not.
#[must_use]
pub fn digest(domain: &str, fields: &[&[u8]]) -> Digest {
    let mut hash = Sha256::new();
    let mut put = |bytes: &[u8]| {
        // The length always fits, because nothing that is digested is near 4 GiB.
        hash.update(u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_be_bytes());
        hash.update(bytes);
    };

    put(domain.as_bytes());
    fields.iter().for_each(|field| put(field));
    Digest(hash.finalize().into())
}

impl Digest {
    /// The digest as 32 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Text that is not the 64 lower-case hex digits of a digest.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a digest is 64 lower-case hex digits")]
pub struct NotADigest;

impl FromStr for Digest {
    type Err = NotADigest;

    fn from_str(text: &str) -> Result<Self, NotADigest> {
        Ok(Self(crate::text::lower_hex(text).ok_or(NotADigest)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digest_bytes_do_not_change() {
        let d = digest("strongroom/test/v1", &[b"ab", b"c"]);
        assert_eq!(
            d.to_string(),
            "9e5d80dc96fc1db7d66cb0f5dda96daf43bea252db5dc72ec3b8501f598748d8"
        );
    }

    #[test]
    fn moving_a_byte_between_fields_changes_the_digest() {
        assert_ne!(digest("d", &[b"ab", b"c"]), digest("d", &[b"a", b"bc"]));
        assert_ne!(digest("d", &[b"ab"]), digest("da", &[b"b"]));
    }

    #[test]
    fn upper_case_hex_is_refused() {
        let text = digest("d", &[]).to_string();
        assert_eq!(text.parse(), Ok(digest("d", &[])));
        assert_eq!(text.to_uppercase().parse::<Digest>(), Err(NotADigest));
    }
}
