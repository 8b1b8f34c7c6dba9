//! Compact range: the right edge of a tree, which is enough to append leaves and to compute the
//! root.

use std::io::{self, Read, Write};

use borsh::{BorshDeserialize, BorshSerialize};

use crate::{
    SIZE_MAX,
    hash::{Hash, node_hash},
};

/// Append-only tree state of O(log n): the roots of the perfect subtrees into which the tree
/// splits, largest first.
///
/// Borsh bytes: `size` (u64 little-endian), then exactly `popcount(size)` hashes of 32 bytes. There
/// is one encoding per value; sizes above [`SIZE_MAX`] are refused.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frontier {
    size: u64,
    /// Invariant: `nodes.len() == size.count_ones()`.
    nodes: Vec<Hash>,
}

impl Frontier {
    /// The empty tree.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            size: 0,
            nodes: Vec::new(),
        }
    }

    /// The right edge of a tree: the roots of its perfect subtrees, largest first, as many as `size`
    /// has one bits.
    pub(crate) const fn from_nodes(size: u64, nodes: Vec<Hash>) -> Self {
        Self { size, nodes }
    }

    /// Number of leaves appended so far, which is also the index of the next leaf.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// Appends one leaf **hash** (see [`crate::leaf_hash`]); two SHA-256 compressions on average.
    pub fn append(&mut self, leaf: Hash) {
        let mut node = leaf;
        // Each trailing one bit of the size is a perfect subtree that the new leaf completes to the
        // next larger one.
        for _ in 0..self.size.trailing_ones() {
            if let Some(left) = self.nodes.pop() {
                node = node_hash(left, node);
            }
        }

        self.nodes.push(node);
        self.size += 1;
    }

    /// RFC 6962 Merkle tree hash of the leaves appended so far.
    #[must_use]
    pub fn root(&self) -> Hash {
        let mut smallest_first = self.nodes.iter().rev().copied();
        // RFC 6962 §2.1 splits at the largest power of two, so the smaller subtrees join first.
        match smallest_first.next() {
            None => Hash::EMPTY_ROOT,
            Some(last) => smallest_first.fold(last, |right, left| node_hash(left, right)),
        }
    }
}

impl BorshSerialize for Frontier {
    fn serialize<W: Write>(&self, writer: &mut W) -> io::Result<()> {
        self.size.serialize(writer)?;
        self.nodes
            .iter()
            .try_for_each(|node| node.serialize(writer))
    }
}

impl BorshDeserialize for Frontier {
    fn deserialize_reader<R: Read>(reader: &mut R) -> io::Result<Self> {
        let size = u64::deserialize_reader(reader)?;
        // The size decides how many hashes are read, so it is bounded before any of them is.
        if size > SIZE_MAX {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "tree size out of range",
            ));
        }

        let nodes = (0..size.count_ones())
            .map(|_| Hash::deserialize_reader(reader))
            .collect::<io::Result<_>>()?;

        Ok(Self { size, nodes })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::{leaf_hash, proof::naive::mth};

    fn leaves(n: u64) -> Vec<Hash> {
        (0..n).map(|i| leaf_hash(&i.to_be_bytes())).collect()
    }

    #[test]
    fn root_equals_the_recursive_definition_at_every_size() {
        let all = leaves(300);
        let mut frontier = Frontier::new();
        assert_eq!(frontier.root(), Hash::EMPTY_ROOT);
        for (n, leaf) in all.iter().enumerate() {
            assert_eq!(frontier.root(), mth(&all[..n]));
            frontier.append(*leaf);
        }
        assert_eq!((frontier.size(), frontier.root()), (300, mth(&all)));
    }

    #[test]
    fn frontier_continues_after_a_restart_from_its_bytes() {
        let all = leaves(77);
        let mut frontier = Frontier::new();
        for leaf in &all {
            frontier = borsh::from_slice(&borsh::to_vec(&frontier).unwrap()).unwrap();
            frontier.append(*leaf);
        }
        assert_eq!(frontier.root(), mth(&all));
    }

    #[test]
    fn frontier_bytes_do_not_change() {
        let mut frontier = Frontier::new();
        leaves(3).into_iter().for_each(|leaf| frontier.append(leaf));
        let expected = format!(
            "0300000000000000{}{}",
            hex::encode(mth(&leaves(2)).0),
            hex::encode(leaf_hash(&2u64.to_be_bytes()).0)
        );
        assert_eq!(hex::encode(borsh::to_vec(&frontier).unwrap()), expected);
    }

    #[test]
    fn truncated_padded_or_oversized_bytes_are_refused() {
        let mut frontier = Frontier::new();
        leaves(3).into_iter().for_each(|leaf| frontier.append(leaf));
        let good = borsh::to_vec(&frontier).unwrap();
        assert!(borsh::from_slice::<Frontier>(&good[..good.len() - 1]).is_err());
        assert!(borsh::from_slice::<Frontier>(&[good.as_slice(), &[0]].concat()).is_err());
        let huge = [&(SIZE_MAX + 1).to_le_bytes()[..], &[0; 64 * 32]].concat();
        assert!(borsh::from_slice::<Frontier>(&huge[..8 + 2 * 32]).is_err());
    }
}
