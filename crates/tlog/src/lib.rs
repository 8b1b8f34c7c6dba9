//! C2SP transparency log: the RFC 6962 tree that carries the journal, and the texts signed over it.
//!
//! The crate is pure: it has no clock and no I/O. Times of cosignatures are Unix **seconds**, as in
//! the format.
//!
//! | module | contents |
//! |---|---|
//! | [`hash`] | `Hash`, leaf and node hashing |
//! | [`frontier`] | `Frontier`: O(log n) append-only state, which a replica persists |
//! | [`proof`] | inclusion and consistency proofs |
//! | [`memory_tree`] | every node of a tree in memory, from which tiles and proofs are served |
//! | [`checkpoint`] | C2SP tlog-checkpoint body, with our `state` extension line |
//! | [`note`] | C2SP signed-note, Ed25519 |
//! | [`cosignature`] | C2SP tlog-cosignature, `cosignature/v1` |
//! | [`mod@quorum`] | number of witnesses needed, valid cosignatures among them, time of the quorum |
//! | [`tile`] | C2SP tlog-tiles: paths, hash tiles, entry bundles, authenticated reading |
//! | [`tlog_proof`] | C2SP tlog-proof: one self-contained text an auditor verifies offline |

mod text;

pub mod checkpoint;
pub mod cosignature;
pub mod frontier;
pub mod hash;
pub mod memory_tree;
pub mod note;
pub mod proof;
pub mod quorum;
pub mod tile;
pub mod tlog_proof;

pub use checkpoint::{Checkpoint, CheckpointError};
pub use cosignature::{
    CosignKey, CosignVerifier, Cosignature, CosignatureError, cosign, verify_cosignature,
};
pub use frontier::Frontier;
pub use hash::{Hash, leaf_hash, node_hash};
pub use memory_tree::MemoryTree;
pub use note::{Note, NoteError, NoteSigner, NoteVerifier, Verified, sign_note, verify_note};
pub use proof::{
    Nodes, ProofError, consistency_proof, inclusion_proof, tree_root, verify_consistency,
    verify_inclusion,
};
pub use quorum::{faults_assumed, quorum, valid_cosignatures, witnessed_at};
pub use tlog_proof::{LogPolicy, Proof};

/// Largest tree size this crate accepts (2^62): far above any real log, and low enough that no
/// index arithmetic overflows.
pub const SIZE_MAX: u64 = 1 << 62;
