//! C2SP tlog-proof: one text that proves, offline, that an entry is in a witnessed log.

use strongroom_guard::{G, guard};
use thiserror::Error;

use crate::{
    checkpoint::{Checkpoint, CheckpointError},
    cosignature::{CosignVerifier, Cosignature},
    hash::Hash,
    note::{NOTE_LEN_MAX, Note, NoteError, NoteVerifier, verify_note},
    proof::{PROOF_HASHES_MAX, ProofError, verify_inclusion},
    quorum::{valid_cosignatures, witnessed_at},
    text,
};

#[cfg(test)]
mod tests;

/// Largest extra data, in bytes before base64.
pub const EXTRA_LEN_MAX: usize = 16 * 1024;
const HEADER: &str = "c2sp.org/tlog-proof@v1\n";

/// Reason why a proof text was not read or not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum TlogProofError {
    /// The text is not of the format, not canonical, or too large.
    #[error("proof text is malformed")]
    Malformed,
    /// The checkpoint note is malformed, or the log did not sign it.
    #[error("checkpoint note is not accepted")]
    Note(#[from] NoteError),
    /// The body of the note is not a checkpoint.
    #[error("checkpoint is malformed")]
    Checkpoint(#[from] CheckpointError),
    /// The checkpoint is of another log.
    #[error("checkpoint of another log")]
    WrongOrigin,
    /// The inclusion proof does not hold.
    #[error("inclusion proof is not valid")]
    Inclusion(#[from] ProofError),
    /// Fewer distinct witnesses than the policy asks for.
    #[error("not enough witnesses cosigned")]
    NotWitnessed,
}

/// An entry's index, its inclusion proof and the signed checkpoint (with cosignatures) to which it
/// leads, not verified yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// Opaque data that travels with the proof and is **not** authenticated; empty for none.
    pub extra: Vec<u8>,
    /// Zero-based index of the entry.
    pub index: u64,
    /// Inclusion proof, beginning with the leaf's sibling.
    pub hashes: Vec<Hash>,
    /// Note over the checkpoint, with its signature lines.
    pub checkpoint: Note,
}

/// Keys and quorum that are trusted for one log.
#[derive(Clone, Debug)]
pub struct LogPolicy {
    /// Origin line of the log's checkpoints.
    pub origin: String,
    /// Key with which the log signs checkpoints.
    pub log: NoteVerifier,
    /// Keys of the trusted witnesses.
    pub witnesses: Vec<CosignVerifier>,
    /// Number of distinct witnesses that must have cosigned, at least 1.
    pub quorum: u32,
}

/// Statement of a proof that was verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proven {
    /// Checkpoint that a quorum cosigned.
    pub checkpoint: Checkpoint,
    /// Time of the cosignature that completed the quorum counted from the newest, Unix seconds.
    pub witnessed_at_s: u64,
}

impl Proof {
    /// Proof text (file extension `.tlog-proof`).
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut out = HEADER.to_owned();
        if !self.extra.is_empty() {
            out.push_str(&format!("extra {}\n", text::base64(&self.extra)));
        }

        out.push_str(&format!("index {}\n", self.index));
        for hash in &self.hashes {
            out.push_str(&format!("{hash}\n"));
        }

        out.push('\n');
        out.push_str(&self.checkpoint.to_text());
        out
    }

    /// Reads a proof text; accepts exactly what [`Proof::to_text`] writes.
    ///
    /// # Errors
    /// `Malformed`; `Note` or `Checkpoint` for the checkpoint part.
    pub fn parse(proof: &str) -> Result<Self, TlogProofError> {
        const LEN_MAX: usize = NOTE_LEN_MAX + 2 * EXTRA_LEN_MAX + 64 * (PROOF_HASHES_MAX + 2);

        let rest = proof
            .strip_prefix(HEADER)
            .filter(|_| proof.len() <= LEN_MAX);
        let (head, note) = rest
            .and_then(|rest| rest.split_once("\n\n"))
            .ok_or(TlogProofError::Malformed)?;
        let (extra, index, hashes) = parse_head(head).ok_or(TlogProofError::Malformed)?;

        let checkpoint = Note::parse(note)?;
        Checkpoint::parse(checkpoint.body())?;

        Ok(Self {
            extra,
            index,
            hashes,
            checkpoint,
        })
    }

    /// Checks that the entry with hash `leaf` is in the log of `policy`, under a checkpoint that
    /// the log signed and a quorum of witnesses cosigned no later than `latest_s` (Unix seconds).
    ///
    /// # Errors
    /// [`TlogProofError`] naming the first check that failed.
    pub fn verify(
        &self,
        leaf: Hash,
        policy: &LogPolicy,
        latest_s: u64,
    ) -> Result<Proven, TlogProofError> {
        let signed = verify_note(
            &self.checkpoint.to_text(),
            std::slice::from_ref(&policy.log),
        )?;

        // The log's signature was verified first, because every later check leads to the root that
        // it signs.
        let checkpoint = Checkpoint::parse(&signed.body)?;
        // The origin is compared: with one key for two logs, the entry could be proven in the wrong
        // one.
        if checkpoint.origin() != policy.origin {
            return Err(TlogProofError::WrongOrigin);
        }

        verify_inclusion(
            leaf,
            self.index,
            checkpoint.size(),
            checkpoint.root(),
            &self.hashes,
        )?;

        // Lines of unknown kinds are ignored, as C2SP signed-note says.
        let cosignatures: Vec<Cosignature> = signed
            .others
            .iter()
            .filter_map(|line| Cosignature::from_note_signature(line).ok())
            .collect();

        // A quorum of witnesses must have cosigned: a log could show this auditor a tree that no
        // other reader has seen.
        let valid = valid_cosignatures(&signed.body, &cosignatures, &policy.witnesses, latest_s);
        let witnessed_at_s = witnessed_at(policy.quorum, &valid);
        if guard(G::ClientWitnessed, witnessed_at_s.is_none()) {
            return Err(TlogProofError::NotWitnessed);
        }

        Ok(Proven {
            checkpoint,
            witnessed_at_s: witnessed_at_s.unwrap_or_default(),
        })
    }
}

/// Extra data, index and inclusion proof, as the lines before the checkpoint have them.
type Head = (Vec<u8>, u64, Vec<Hash>);

/// Reads the lines before the checkpoint.
fn parse_head(head: &str) -> Option<Head> {
    let mut lines = head.split('\n').peekable();
    let extra = match lines.next_if(|line| line.starts_with("extra ")) {
        Some(line) => {
            // Empty extra data must be written as no line at all, so that it has one spelling.
            text::from_base64(line.strip_prefix("extra ")?).filter(|extra| !extra.is_empty())?
        }
        None => Vec::new(),
    };

    let index = text::decimal(lines.next()?.strip_prefix("index ")?)?;

    let hashes = lines
        .take(PROOF_HASHES_MAX + 1)
        .map(Hash::from_base64)
        .collect::<Option<Vec<_>>>()?;

    let bounded = hashes.len() <= PROOF_HASHES_MAX && extra.len() <= EXTRA_LEN_MAX;
    bounded.then_some((extra, index, hashes))
}
