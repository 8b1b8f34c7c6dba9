//! RFC 6962 §2.1 hashing over SHA-256.

use std::fmt;

use borsh::{BorshDeserialize, BorshSerialize};
use sha2::{Digest, Sha256};

use crate::text;

/// A 32-byte SHA-256 value: leaf hash, node hash or tree root. Text form: standard base64, as in
/// C2SP.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize, BorshDeserialize)]
pub struct Hash(pub [u8; 32]);

impl Hash {
    /// Root of the empty tree: SHA-256 of nothing (RFC 6962 §2.1).
    pub const EMPTY_ROOT: Self = Self([
        0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4, 0xc8, 0x99, 0x6f, 0xb9,
        0x24, 0x27, 0xae, 0x41, 0xe4, 0x64, 0x9b, 0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52,
        0xb8, 0x55,
    ]);

    /// SHA-256 output, 32 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Standard base64, 44 characters.
    #[must_use]
    pub fn to_base64(&self) -> String {
        text::base64(&self.0)
    }

    /// Reads canonical standard base64 of exactly 32 bytes; anything else is `None`.
    #[must_use]
    pub fn from_base64(text: &str) -> Option<Self> {
        text::from_base64_exact(text).map(Self)
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_base64())
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_base64())
    }
}

/// Leaf hash: SHA-256(0x00 ‖ leaf) (RFC 6962 §2.1).
#[must_use]
pub fn leaf_hash(leaf: &[u8]) -> Hash {
    Hash(
        Sha256::new()
            // RFC 6962 §2.1 prefix of leaves: without it an interior node could be presented as an
            // entry (second preimage).
            .chain_update([0])
            .chain_update(leaf)
            .finalize()
            .into(),
    )
}

/// Interior node hash: SHA-256(0x01 ‖ left ‖ right) (RFC 6962 §2.1).
#[must_use]
pub fn node_hash(left: Hash, right: Hash) -> Hash {
    Hash(
        Sha256::new()
            // RFC 6962 §2.1 prefix of nodes. It differs from that of leaves, so that neither can be
            // taken for the other.
            .chain_update([1])
            .chain_update(left.0)
            .chain_update(right.0)
            .finalize()
            .into(),
    )
}

/// Root of a perfect subtree; `None` unless the number of hashes is a power of two.
pub(crate) fn perfect_root(hashes: &[Hash]) -> Option<Hash> {
    if !hashes.len().is_power_of_two() {
        return None;
    }

    let mut row = hashes.to_vec();
    while row.len() > 1 {
        row = row
            .as_chunks::<2>()
            .0
            .iter()
            .map(|[left, right]| node_hash(*left, *right))
            .collect();
    }

    row.first().copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc_6962_hashes_do_not_change() {
        let empty_leaf = "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d";
        assert_eq!(hex::encode(leaf_hash(b"").0), empty_leaf);
        let node = node_hash(leaf_hash(b""), leaf_hash(b"\0"));
        assert_eq!(
            hex::encode(node.0),
            "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"
        );
        assert_eq!(Hash(Sha256::digest(b"").into()), Hash::EMPTY_ROOT);
    }

    #[test]
    fn base64_is_read_only_when_canonical() {
        let text = Hash::EMPTY_ROOT.to_base64();
        assert_eq!(text, "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
        assert_eq!(Hash::from_base64(&text), Some(Hash::EMPTY_ROOT));
        assert_eq!(
            Hash::from_base64("47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFV="),
            None
        );
        assert_eq!(Hash::from_base64("47DEQpj8"), None);
        assert_eq!(format!("{:?}", Hash::EMPTY_ROOT), text);
    }

    #[test]
    fn perfect_root_needs_a_power_of_two() {
        let leaf = leaf_hash(b"a");
        assert_eq!(perfect_root(&[]), None);
        assert_eq!(perfect_root(&[leaf]), Some(leaf));
        assert_eq!(perfect_root(&[leaf; 3]), None);
        assert_eq!(perfect_root(&[leaf; 2]), Some(node_hash(leaf, leaf)));
    }
}
