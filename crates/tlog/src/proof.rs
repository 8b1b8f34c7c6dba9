//! Inclusion and consistency proofs: building (RFC 6962 §2.1) and verifying (RFC 9162 §2.1.3.2,
//! §2.1.4.2).

use thiserror::Error;

use crate::{
    SIZE_MAX,
    hash::{Hash, node_hash, perfect_root},
};

#[cfg(test)]
pub(crate) mod naive;
#[cfg(test)]
mod tests;

/// Largest number of hashes in a proof (a tree of [`SIZE_MAX`] leaves is 62 levels high).
pub const PROOF_HASHES_MAX: usize = 63;

/// Read access to the perfect subtrees of a tree.
pub trait Nodes {
    /// Root of the perfect subtree over leaves `[index · 2^level, (index + 1) · 2^level)`; `None`
    /// if the source does not have it.
    fn node(&self, level: u32, index: u64) -> Option<Hash>;
}

/// A list of leaf hashes as a node source; interior nodes are recomputed at each look-up.
impl Nodes for [Hash] {
    fn node(&self, level: u32, index: u64) -> Option<Hash> {
        let width = 1usize.checked_shl(level)?;
        let from = usize::try_from(index).ok()?.checked_mul(width)?;
        perfect_root(self.get(from..from.checked_add(width)?)?)
    }
}

/// Reason why a proof was not built or not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ProofError {
    /// The index is not below the size, sizes are in the wrong order, or a size is above
    /// [`SIZE_MAX`].
    #[error("index or size out of range")]
    OutOfRange,
    /// The node source lacks a hash that the proof needs.
    #[error("a needed node is missing")]
    MissingNode,
    /// The proof has too many or too few hashes for this index and size.
    #[error("proof has the wrong length")]
    WrongLength,
    /// The computed root differs from the given one.
    #[error("proof does not lead to the root")]
    WrongRoot,
}

/// RFC 6962 Merkle tree hash of the first `size` leaves; `None` if a node is missing or `size` >
/// [`SIZE_MAX`].
#[must_use]
pub fn tree_root<N: Nodes + ?Sized>(nodes: &N, size: u64) -> Option<Hash> {
    match size {
        0 => Some(Hash::EMPTY_ROOT),
        1..=SIZE_MAX => range_root(nodes, 0, size),
        _ => None,
    }
}

/// Merkle audit path of leaf `index` in the tree of the first `size` leaves, beginning with the
/// leaf's sibling (RFC 6962 §2.1.1).
///
/// # Errors
/// `OutOfRange` unless `index < size ≤ SIZE_MAX`; `MissingNode` if `nodes` lacks a hash.
pub fn inclusion_proof<N: Nodes + ?Sized>(
    nodes: &N,
    index: u64,
    size: u64,
) -> Result<Vec<Hash>, ProofError> {
    if index >= size || size > SIZE_MAX {
        return Err(ProofError::OutOfRange);
    }

    let (mut from, mut to) = (0, size);
    let mut path = Vec::new();
    while to - from > 1 {
        let middle = from + split(to - from);
        // RFC 6962 §2.1.1: the half without the leaf gives one hash of the path, and the other half
        // is split further.
        let sibling = if index < middle {
            let sibling = range_root(nodes, middle, to);
            to = middle;
            sibling
        } else {
            let sibling = range_root(nodes, from, middle);
            from = middle;
            sibling
        };
        path.push(sibling.ok_or(ProofError::MissingNode)?);
    }

    // The definition adds hashes from the leaf up, but this loop went from the root down.
    path.reverse();
    Ok(path)
}

/// Merkle consistency proof from the first `old_size` leaves to the first `new_size` (RFC 6962
/// §2.1.2). Empty for equal sizes and for `old_size` 0.
///
/// # Errors
/// `OutOfRange` unless `old_size ≤ new_size ≤ SIZE_MAX`; `MissingNode` if `nodes` lacks a hash.
pub fn consistency_proof<N: Nodes + ?Sized>(
    nodes: &N,
    old_size: u64,
    new_size: u64,
) -> Result<Vec<Hash>, ProofError> {
    if old_size > new_size || new_size > SIZE_MAX {
        return Err(ProofError::OutOfRange);
    }

    let mut path = Vec::new();
    if old_size == 0 {
        return Ok(path);
    }

    let (mut from, mut to) = (0, new_size);
    while to != old_size {
        let middle = from + split(to - from);
        // RFC 6962 §2.1.2, SUBPROOF: the half without the old tree's edge gives one hash of the
        // proof.
        let sibling = if old_size <= middle {
            let sibling = range_root(nodes, middle, to);
            to = middle;
            sibling
        } else {
            let sibling = range_root(nodes, from, middle);
            from = middle;
            sibling
        };
        path.push(sibling.ok_or(ProofError::MissingNode)?);
    }

    if from != 0 {
        // The old tree is not a perfect subtree of the new one, so the verifier also needs the root
        // of its last subtree.
        path.push(range_root(nodes, from, to).ok_or(ProofError::MissingNode)?);
    }

    path.reverse();
    Ok(path)
}

/// Checks that leaf hash `leaf` is entry `index` of the tree of `size` leaves with `root` (RFC 9162
/// §2.1.3.2).
///
/// # Errors
/// `OutOfRange`, `WrongLength` or `WrongRoot`.
pub fn verify_inclusion(
    leaf: Hash,
    index: u64,
    size: u64,
    root: Hash,
    proof: &[Hash],
) -> Result<(), ProofError> {
    if index >= size || size > SIZE_MAX {
        return Err(ProofError::OutOfRange);
    }

    // RFC 9162 §2.1.3.2: fn = index, sn = size - 1.
    let (mut node, mut last) = (index, size - 1);
    let mut computed = leaf;
    for sibling in proof {
        // There are too many hashes: sn has reached the root already.
        if last == 0 {
            return Err(ProofError::WrongLength);
        }
        // If LSB(fn) is set or fn = sn, the sibling is on the left.
        if node & 1 == 1 || node == last {
            computed = node_hash(*sibling, computed);
            skip_missing_levels(&mut node, &mut last);
        } else {
            computed = node_hash(computed, *sibling);
        }
        node >>= 1;
        last >>= 1;
    }

    // There are too few hashes: the computed node is below the root of a tree of this size.
    if last != 0 {
        return Err(ProofError::WrongLength);
    }

    check_root(computed == root)
}

/// Checks that the tree (`new_size`, `new_root`) starts with the tree (`old_size`, `old_root`) (RFC
/// 9162 §2.1.4.2).
///
/// From size 0 only the empty root and an empty proof are accepted; equal sizes need equal roots
/// and an empty proof.
///
/// # Errors
/// `OutOfRange`, `WrongLength` or `WrongRoot`.
pub fn verify_consistency(
    old_size: u64,
    old_root: Hash,
    new_size: u64,
    new_root: Hash,
    proof: &[Hash],
) -> Result<(), ProofError> {
    if old_size > new_size || new_size > SIZE_MAX {
        return Err(ProofError::OutOfRange);
    }

    // The RFC leaves these cases to the caller. A proof where none is needed is refused, so that
    // one statement has one text.
    if old_size == 0 || old_size == new_size {
        let fits = if old_size == 0 {
            old_root == Hash::EMPTY_ROOT && (new_size != 0 || new_root == Hash::EMPTY_ROOT)
        } else {
            old_root == new_root
        };
        return if proof.is_empty() {
            check_root(fits)
        } else {
            Err(ProofError::WrongLength)
        };
    }

    // RFC 9162 §2.1.4.2 step 2: if the old size is a power of two, its root is the first node of
    // the path.
    let (seed, rest) = if old_size.is_power_of_two() {
        (old_root, proof)
    } else {
        let (first, rest) = proof.split_first().ok_or(ProofError::WrongLength)?;
        (*first, rest)
    };

    // Steps 3 and 4: fn = first - 1, sn = second - 1, shifted right while LSB(fn) is set.
    let (mut node, mut last) = (old_size - 1, new_size - 1);
    let ones = node.trailing_ones();
    node >>= ones;
    last >>= ones;

    // Steps 5 and 6: fr and sr start at the first node and take in the others.
    let (mut old_computed, mut new_computed) = (seed, seed);
    for sibling in rest {
        if last == 0 {
            return Err(ProofError::WrongLength);
        }
        // A left sibling is in both trees; a right sibling is only in the new one.
        if node & 1 == 1 || node == last {
            old_computed = node_hash(*sibling, old_computed);
            new_computed = node_hash(*sibling, new_computed);
            skip_missing_levels(&mut node, &mut last);
        } else {
            new_computed = node_hash(new_computed, *sibling);
        }
        node >>= 1;
        last >>= 1;
    }

    // Step 7: sn must be 0 and both roots must be the given ones. If only the new root were
    // compared, the log could rewrite the old tree.
    if last != 0 {
        return Err(ProofError::WrongLength);
    }

    check_root(old_computed == old_root && new_computed == new_root)
}

fn check_root(is_right: bool) -> Result<(), ProofError> {
    if is_right {
        Ok(())
    } else {
        Err(ProofError::WrongRoot)
    }
}

/// Moves up to the level at which the node is a right child. On the right edge of the tree a node
/// without a sibling moves up unchanged.
fn skip_missing_levels(node: &mut u64, last: &mut u64) {
    while *node & 1 == 0 && *node != 0 {
        *node >>= 1;
        *last >>= 1;
    }
}

/// Largest power of two strictly below `n` (n ≥ 2).
const fn split(n: u64) -> u64 {
    1 << (63 - (n - 1).leading_zeros())
}

/// Root over leaves `[from, to)`, `from` aligned as RFC 6962 splits it, `to > from`; recursion ≤ 62
/// deep.
fn range_root<N: Nodes + ?Sized>(nodes: &N, from: u64, to: u64) -> Option<Hash> {
    let width = to - from;
    if width.is_power_of_two() {
        return nodes.node(width.trailing_zeros(), from / width);
    }

    let middle = from + split(width);
    Some(node_hash(
        range_root(nodes, from, middle)?,
        range_root(nodes, middle, to)?,
    ))
}
