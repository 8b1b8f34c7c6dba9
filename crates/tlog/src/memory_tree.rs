//! Every node of a tree, in memory.

use crate::{
    frontier::Frontier,
    hash::{Hash, node_hash},
    proof::{Nodes, tree_root},
};

/// All perfect-subtree hashes of an append-only tree (about 64 bytes per leaf). A node look-up is
/// O(1), so it serves proofs and tiles for any earlier size too.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MemoryTree {
    /// `levels[l][i]` is the root of the `i`-th perfect subtree of 2^l leaves.
    levels: Vec<Vec<Hash>>,
}

impl MemoryTree {
    /// The empty tree.
    #[must_use]
    pub const fn new() -> Self {
        Self { levels: Vec::new() }
    }

    /// Number of leaves.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.levels.first().map_or(0, |leaves| leaves.len() as u64)
    }

    /// Appends one leaf hash.
    pub fn append(&mut self, leaf: Hash) {
        let mut node = leaf;
        for level in 0.. {
            if self.levels.len() == level {
                self.levels.push(Vec::new());
            }

            let Some(row) = self.levels.get_mut(level) else {
                return;
            };
            row.push(node);

            // A right child completes a pair with its left sibling, and their parent is appended
            // one level up.
            match row.as_chunks::<2>() {
                (pairs, []) if !pairs.is_empty() => {
                    let Some([left, right]) = pairs.last() else {
                        return;
                    };
                    node = node_hash(*left, *right);
                }
                _ => return,
            }
        }
    }

    /// Root of the first `size` leaves; `None` if the tree is smaller.
    #[must_use]
    pub fn root_at(&self, size: u64) -> Option<Hash> {
        tree_root(self, size)
    }

    /// The tree's right edge, to compute the root that it would have with further leaves.
    #[must_use]
    pub fn frontier(&self) -> Frontier {
        // A level with an odd number of nodes ends with one that has no sibling yet: a perfect
        // subtree of the right edge. Higher levels have larger subtrees.
        let without_sibling = |level: &&Vec<Hash>| level.len() % 2 == 1;
        let edge = self.levels.iter().rev().filter(without_sibling);
        let nodes = edge.filter_map(|level| level.last().copied()).collect();
        Frontier::from_nodes(self.size(), nodes)
    }
}

impl Nodes for MemoryTree {
    fn node(&self, level: u32, index: u64) -> Option<Hash> {
        self.levels
            .get(level as usize)?
            .get(usize::try_from(index).ok()?)
            .copied()
    }
}

impl FromIterator<Hash> for MemoryTree {
    fn from_iter<I: IntoIterator<Item = Hash>>(leaves: I) -> Self {
        let mut tree = Self::new();
        leaves.into_iter().for_each(|leaf| tree.append(leaf));
        tree
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::indexing_slicing)]
    use super::*;
    use crate::{leaf_hash, proof::naive::mth};

    #[test]
    fn root_of_every_earlier_size_stays_known() {
        let leaves: Vec<Hash> = (0..130u64).map(|i| leaf_hash(&i.to_be_bytes())).collect();
        let tree: MemoryTree = leaves.iter().copied().collect();
        for n in 0..=leaves.len() {
            assert_eq!(tree.root_at(n as u64), Some(mth(&leaves[..n])));
        }
        assert_eq!((tree.size(), tree.root_at(131)), (130, None));
    }

    #[test]
    fn right_edge_is_that_of_the_same_leaves() {
        let (mut tree, mut frontier) = (MemoryTree::new(), Frontier::new());
        for i in 0..130u64 {
            assert_eq!(tree.frontier(), frontier);
            let leaf = leaf_hash(&i.to_be_bytes());
            tree.append(leaf);
            frontier.append(leaf);
        }
    }
}
