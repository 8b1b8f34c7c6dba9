#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use proptest::prelude::*;

use super::*;
use crate::{MemoryTree, leaf_hash};

fn leaves(n: u64) -> Vec<Hash> {
    (0..n).map(|i| leaf_hash(&i.to_be_bytes())).collect()
}

struct Stored(Vec<tlog_tiles::Hash>);

impl tlog_tiles::HashReader for Stored {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<tlog_tiles::Hash>, tlog_tiles::Error> {
        Ok(indexes
            .iter()
            .map(|i| self.0[usize::try_from(*i).unwrap()])
            .collect())
    }
}

fn theirs(hashes: &[Hash]) -> Vec<tlog_tiles::Hash> {
    hashes.iter().map(|hash| tlog_tiles::Hash(hash.0)).collect()
}

#[test]
fn proofs_equal_the_rfc_definition_and_verify_at_every_size_to_70() {
    let all = leaves(70);
    let tree: MemoryTree = all.iter().copied().collect();
    for n in 1..=all.len() {
        let root = naive::mth(&all[..n]);
        for i in 0..n {
            let proof = inclusion_proof(&tree, i as u64, n as u64).unwrap();
            assert_eq!(proof, naive::path(i, &all[..n]));
            assert_eq!(
                proof,
                inclusion_proof(all.as_slice(), i as u64, n as u64).unwrap()
            );
            assert_eq!(
                verify_inclusion(all[i], i as u64, n as u64, root, &proof),
                Ok(())
            );
        }
        for m in 1..=n {
            let proof = consistency_proof(&tree, m as u64, n as u64).unwrap();
            assert_eq!(proof, naive::subproof(m, &all[..n], true));
            let old = naive::mth(&all[..m]);
            assert_eq!(
                verify_consistency(m as u64, old, n as u64, root, &proof),
                Ok(())
            );
        }
    }
}

#[test]
fn proofs_equal_those_of_tlog_tiles_and_each_side_accepts_the_other() {
    let all = leaves(40);
    let tree: MemoryTree = all.iter().copied().collect();
    let mut stored = Stored(Vec::new());
    for (i, leaf) in theirs(&all).into_iter().enumerate() {
        let more = tlog_tiles::stored_hashes_for_record_hash(i as u64, leaf, &stored).unwrap();
        stored.0.extend(more);
    }
    for n in 1..=40u64 {
        let root = tree.root_at(n).unwrap();
        assert_eq!(tlog_tiles::tree_hash(n, &stored).unwrap().0, root.0);
        for i in 0..n {
            let (proof, leaf) = (inclusion_proof(&tree, i, n).unwrap(), all[i as usize]);
            assert_eq!(
                tlog_tiles::prove_record(n, i, &stored).unwrap(),
                theirs(&proof)
            );
            let (root, leaf) = (tlog_tiles::Hash(root.0), tlog_tiles::Hash(leaf.0));
            tlog_tiles::check_record(&theirs(&proof), n, root, i, leaf).unwrap();
        }
        for m in 1..=n {
            let proof = theirs(&consistency_proof(&tree, m, n).unwrap());
            assert_eq!(tlog_tiles::prove_tree(n, m, &stored).unwrap(), proof);
            let (new, old) = (
                tlog_tiles::Hash(root.0),
                tlog_tiles::Hash(tree.root_at(m).unwrap().0),
            );
            tlog_tiles::check_tree(&proof, n, new, m, old).unwrap();
        }
    }
}

#[test]
fn consistency_from_the_empty_tree_needs_the_empty_root_and_an_empty_proof() {
    let root = naive::mth(&leaves(5));
    assert_eq!(
        verify_consistency(0, Hash::EMPTY_ROOT, 5, root, &[]),
        Ok(())
    );
    assert_eq!(
        verify_consistency(0, root, 5, root, &[]),
        Err(ProofError::WrongRoot)
    );
    assert_eq!(
        verify_consistency(0, Hash::EMPTY_ROOT, 5, root, &[root]),
        Err(ProofError::WrongLength)
    );
    assert_eq!(
        verify_consistency(0, Hash::EMPTY_ROOT, 0, root, &[]),
        Err(ProofError::WrongRoot)
    );
    assert_eq!(
        verify_consistency(0, Hash::EMPTY_ROOT, 0, Hash::EMPTY_ROOT, &[]),
        Ok(())
    );
}

#[test]
fn equal_sizes_need_equal_roots_and_an_empty_proof() {
    let (a, b) = (leaf_hash(b"a"), leaf_hash(b"b"));
    assert_eq!(verify_consistency(4, a, 4, a, &[]), Ok(()));
    assert_eq!(
        verify_consistency(4, a, 4, b, &[]),
        Err(ProofError::WrongRoot)
    );
    assert_eq!(
        verify_consistency(4, a, 4, a, &[b]),
        Err(ProofError::WrongLength)
    );
}

#[test]
fn an_interior_node_is_not_taken_for_a_leaf_nor_a_subtree_for_the_tree() {
    let all = leaves(4);
    let (left, right) = (node_hash(all[0], all[1]), node_hash(all[2], all[3]));
    let root = node_hash(left, right);
    assert_eq!(
        verify_inclusion(left, 0, 4, root, &[right]),
        Err(ProofError::WrongLength)
    );
    assert_eq!(
        verify_inclusion(all[2], 0, 2, root, &[all[3], left]),
        Err(ProofError::WrongLength)
    );
}

#[test]
fn consistency_proofs_of_the_wrong_length_are_refused_even_where_the_hashes_fit() {
    let all = leaves(4);
    // The same root is claimed for two sizes.
    assert_eq!(
        verify_consistency(2, all[0], 4, all[0], &[]),
        Err(ProofError::WrongLength)
    );
    // A valid proof from 3 to 4 is extended by one level.
    let mut proof = consistency_proof(all.as_slice(), 3, 4).unwrap();
    let (old, new) = (naive::mth(&all[..3]), naive::mth(&all));
    assert_eq!(verify_consistency(3, old, 4, new, &proof), Ok(()));
    let above = leaf_hash(b"above");
    proof.push(above);
    let (old, new) = (node_hash(above, old), node_hash(above, new));
    assert_eq!(
        verify_consistency(3, old, 4, new, &proof),
        Err(ProofError::WrongLength)
    );
    assert_eq!(
        verify_consistency(3, old, 4, new, &[]),
        Err(ProofError::WrongLength)
    );
}

#[test]
fn sizes_out_of_range_are_refused() {
    let h = Hash::EMPTY_ROOT;
    assert_eq!(
        verify_inclusion(h, 5, 5, h, &[]),
        Err(ProofError::OutOfRange)
    );
    assert_eq!(
        verify_inclusion(h, 0, 0, h, &[]),
        Err(ProofError::OutOfRange)
    );
    assert_eq!(
        verify_inclusion(h, 0, SIZE_MAX + 1, h, &[]),
        Err(ProofError::OutOfRange)
    );
    assert_eq!(
        verify_consistency(6, h, 5, h, &[]),
        Err(ProofError::OutOfRange)
    );
    assert_eq!(
        verify_consistency(1, h, u64::MAX, h, &[]),
        Err(ProofError::OutOfRange)
    );
    let none: &[Hash] = &[];
    assert_eq!(inclusion_proof(none, 0, 2), Err(ProofError::MissingNode));
    assert_eq!(inclusion_proof(none, 1, 1), Err(ProofError::OutOfRange));
    assert_eq!(
        inclusion_proof(none, 0, u64::MAX),
        Err(ProofError::OutOfRange)
    );
    assert_eq!(
        consistency_proof(none, 1, u64::MAX),
        Err(ProofError::OutOfRange)
    );
    assert_eq!(tree_root(none, SIZE_MAX), None);
    assert_eq!(tree_root(none, u64::MAX), None);
}

proptest! {
    #[test]
    fn a_changed_shortened_or_lengthened_inclusion_proof_is_refused(
        n in 1u64..400, pick: u64, hash in 0usize..64, bit in 0usize..256,
    ) {
        let tree: MemoryTree = leaves(n).into_iter().collect();
        let (i, root) = (pick % n, tree.root_at(n).unwrap());
        let leaf = tree.node(0, i).unwrap();
        let good = inclusion_proof(&tree, i, n).unwrap();
        prop_assert!(verify_inclusion(leaf, i, n, root, &good).is_ok());
        prop_assert!(verify_inclusion(leaf, i, n, root, &[good.as_slice(), &[root]].concat()).is_err());
        if let [_, rest @ ..] = good.as_slice() {
            let mut bad = good.clone();
            bad[hash % good.len()].0[bit / 8] ^= 1 << (bit % 8);
            prop_assert!(verify_inclusion(leaf, i, n, root, &bad).is_err());
            prop_assert!(verify_inclusion(leaf, i, n, root, rest).is_err());
            prop_assert!(verify_inclusion(leaf, (i + 1) % n, n, root, &good).is_err());
        }
    }

    #[test]
    fn a_changed_shortened_or_lengthened_consistency_proof_is_refused(
        n in 2u64..400, pick: u64, hash in 0usize..64, bit in 0usize..256,
    ) {
        let tree: MemoryTree = leaves(n).into_iter().collect();
        let m = 1 + pick % (n - 1);
        let (old, new) = (tree.root_at(m).unwrap(), tree.root_at(n).unwrap());
        let good = consistency_proof(&tree, m, n).unwrap();
        prop_assert!(verify_consistency(m, old, n, new, &good).is_ok());
        prop_assert!(verify_consistency(m, old, n, new, &good[1..]).is_err());
        prop_assert!(verify_consistency(m, old, n, new, &[good.as_slice(), &[old]].concat()).is_err());
        prop_assert!(verify_consistency(m, new, n, new, &good).is_err());
        prop_assert!(verify_consistency(m, old, n, old, &good).is_err());
        let mut bad = good.clone();
        bad[hash % good.len()].0[bit / 8] ^= 1 << (bit % 8);
        prop_assert!(verify_consistency(m, old, n, new, &bad).is_err());
    }

    #[test]
    fn verifiers_never_panic(a: u64, b: u64, proof in prop::collection::vec(any::<[u8; 32]>(), 0..80)) {
        let proof: Vec<Hash> = proof.into_iter().map(Hash).collect();
        let h = Hash::EMPTY_ROOT;
        prop_assert!(verify_inclusion(h, a, b, h, &proof).is_err());
        let _ = verify_consistency(a, h, b, h, &proof);
    }
}
