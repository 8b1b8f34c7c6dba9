//! Recomputing every claim of a folder of artefacts, from the pinned genesis on, in this process.
//!
//! | file | what |
//! |---|---|
//! | `genesis.bin`, `genesis.hash` | genesis and its pinned hash |
//! | `journal.bin` | borsh `Vec<JournalBatch>`, from entry 0 |
//! | `unwitnessed.bin` | optional: the batches behind it that signers were shown and no quorum cosigned |
//! | `cosignatures.bin` | borsh `Vec<(NodeId, WitnessCosignature)>` |
//! | `transactions.jsonl` | optional: signed transactions with what they were signed for |
//! | `refusals.jsonl` | optional: signers' signed refusals of tampered requests, with the batch that stopped them if one did |
//! | `counters.json` | optional: commits and fsyncs before and after the measured transfers |
//!
//! Every entry is applied again; log signatures, tree and state roots are compared; the witnesses'
//! quorum must cover the last entry. What is written in a file and cannot be recomputed is a
//! problem, never a number.

mod figures;
mod journal;
mod refusals;
mod transactions;

#[cfg(test)]
mod tests;

pub use figures::{Figures, LayerFigures};

use crate::error::SourceError;
use journal::Batches;
use serde_json::{Value, json};
use std::io;
use std::path::Path;
use std::sync::Arc;
use strongroom_journal::Genesis;
use strongroom_ports::chain::ChainCodec;
use strongroom_types::Digest;
use strongroom_wire::JournalBatch;

/// Batches that signers were shown and no quorum cosigned, optional.
const UNWITNESSED: &str = "unwitnessed.bin";

/// Recomputed counts and heads, and everything that did not hold.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Number of entries applied.
    pub entries: u64,
    /// RFC 6962 root over all entries (base64), and the state root (hex).
    pub head: String,
    /// Size of the largest head that a quorum of witnesses cosigned.
    pub witnessed: u64,
    /// Number of entries behind these, kept for what was said of them and counted nowhere.
    pub unwitnessed: u64,
    /// Number of authorized payments.
    pub authorized: u64,
    /// Attempts, the first ones included.
    pub attempts: u64,
    /// Noes of approvers.
    pub rejected: u64,
    /// Signed transactions whose every signature verifies and whose effects are those of their
    /// intent.
    pub signed: u64,
    /// Signed refusals whose signatures verify.
    pub refused_tampered: u64,
    /// Latencies and counters, when there are any.
    pub figures: Option<Figures>,
    /// Everything that is wrong; empty when all claims hold.
    pub problems: Vec<String>,
}

impl Report {
    /// One line of JSON.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut line = json!({
            "signed": self.signed,
            "refused_tampered": self.refused_tampered,
            "entries": self.entries,
            "head": self.head,
            "witnessed": self.witnessed,
            "authorized": self.authorized,
            "attempts": self.attempts,
            "rejected": self.rejected,
            "problems": self.problems,
        });
        if let (Some(figures), Some(members)) = (&self.figures, line.as_object_mut()) {
            members.extend(figures.members());
        }
        if let (1.., Some(members)) = (self.unwitnessed, line.as_object_mut()) {
            members.insert("unwitnessed".to_owned(), self.unwitnessed.into());
        }
        line.to_string()
    }

    pub(crate) fn problem(&mut self, what: impl std::fmt::Display) {
        self.problems.push(what.to_string());
    }
}

/// Reason for which nothing could be recomputed.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// A file that must be there cannot be read.
    #[error("{file} cannot be read")]
    File {
        /// Name of the file in the folder.
        file: String,
        /// Error of the file system.
        #[source]
        error: io::Error,
    },
    /// A file is not what it must be.
    #[error("{file} is not what it must be")]
    Form {
        /// Name of the file in the folder.
        file: String,
        /// Deviation from the form.
        #[source]
        deviation: SourceError,
    },
}

/// Bytes of an artefact by the name of its file; [`io::ErrorKind::NotFound`] where there is none.
pub type Artefacts<'a> = &'a dyn Fn(&str) -> io::Result<Vec<u8>>;

/// Verifies a folder against the hash in its own `genesis.hash`. `codecs` read the transactions:
/// one per chain, and what no codec reads is a problem of the report.
///
/// # Errors
/// [`VerifyError`] when genesis or journal cannot be read at all; everything else is a problem of
/// the report.
pub fn verify_dir(dir: &Path, codecs: &[Arc<dyn ChainCodec>]) -> Result<Report, VerifyError> {
    // This proves only that the folder agrees with itself: its author also wrote this hash. A
    // reader who has the hash from elsewhere calls `verify_dir_pinned`.
    let file = "genesis.hash";
    let bytes = read(&|file| std::fs::read(dir.join(file)), file)?;
    let text = String::from_utf8(bytes).map_err(|e| form(file, e))?;
    verify_dir_pinned(dir, text.trim().parse().map_err(|e| form(file, e))?, codecs)
}

/// Verifies a folder against a genesis hash that the caller pinned before.
///
/// # Errors
/// As [`verify_dir`].
pub fn verify_dir_pinned(
    dir: &Path,
    hash: Digest,
    codecs: &[Arc<dyn ChainCodec>],
) -> Result<Report, VerifyError> {
    verify_artefacts(&|file| std::fs::read(dir.join(file)), hash, codecs)
}

/// Verifies the files of a folder, wherever they are, against a genesis hash that the caller pinned
/// before.
///
/// # Errors
/// As [`verify_dir`].
pub fn verify_artefacts(
    files: Artefacts<'_>,
    hash: Digest,
    codecs: &[Arc<dyn ChainCodec>],
) -> Result<Report, VerifyError> {
    // The genesis is compared with its pinned hash first: every key and quorum below comes from
    // this file.
    let genesis =
        Genesis::pinned(&read(files, "genesis.bin")?, hash).map_err(|e| form("genesis.bin", e))?;

    let journal: Vec<JournalBatch> = list(files, "journal.bin")?;
    let beyond: Vec<JournalBatch> = match optional(files, UNWITNESSED)? {
        Some(bytes) => parsed(UNWITNESSED, &bytes)?,
        None => Vec::new(),
    };
    let batches = Batches {
        journal: &journal,
        beyond: &beyond,
    };
    let cosignatures = list(files, "cosignatures.bin")?;

    let mut report = Report::default();
    // The journal is verified first: transactions and refusals are judged by what it says, not by
    // one another.
    let replayed = journal::replay(Arc::new(genesis), batches, &cosignatures, &mut report)
        .map_err(|e| form("genesis.bin", e))?;

    let transactions = lines(files, "transactions.jsonl", &mut report)?;
    transactions::verify(&replayed, codecs, &transactions, &mut report);
    refusals::verify(
        (&replayed, batches),
        &lines(files, "refusals.jsonl", &mut report)?,
        &mut report,
    );

    let counters = match optional(files, "counters.json")? {
        Some(bytes) => Some(serde_json::from_slice(&bytes).map_err(|e| form("counters.json", e))?),
        None => None,
    };
    report.figures = figures::figures(&transactions, counters.as_ref());
    Ok(report)
}

fn form(file: &str, deviation: impl Into<SourceError>) -> VerifyError {
    VerifyError::Form {
        file: file.to_owned(),
        deviation: deviation.into(),
    }
}

fn read(files: Artefacts<'_>, file: &str) -> Result<Vec<u8>, VerifyError> {
    files(file).map_err(|error| VerifyError::File {
        file: file.to_owned(),
        error,
    })
}

fn optional(files: Artefacts<'_>, file: &str) -> Result<Option<Vec<u8>>, VerifyError> {
    match read(files, file) {
        Err(VerifyError::File { error, .. }) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        other => other.map(Some),
    }
}

/// A borsh list: larger than a record, but as strict.
fn list<T: borsh::BorshSerialize + borsh::BorshDeserialize>(
    files: Artefacts<'_>,
    file: &str,
) -> Result<Vec<T>, VerifyError> {
    parsed(file, &read(files, file)?)
}

fn parsed<T: borsh::BorshSerialize + borsh::BorshDeserialize>(
    file: &str,
    bytes: &[u8],
) -> Result<Vec<T>, VerifyError> {
    let values: Vec<T> = borsh::from_slice(bytes).map_err(|e| form(file, e))?;

    // One journal must have one file: two encodings of one list would let two readers see different
    // bytes under the same claim.
    if strongroom_wire::encode(&values) == bytes {
        Ok(values)
    } else {
        Err(form(file, "not in its one encoding"))
    }
}

/// The lines of an optional file, each with its number from 1; lines that are not JSON are
/// problems.
fn lines(
    files: Artefacts<'_>,
    file: &str,
    report: &mut Report,
) -> Result<Vec<(usize, Value)>, VerifyError> {
    let Some(bytes) = optional(files, file)? else {
        return Ok(Vec::new());
    };
    let text = String::from_utf8(bytes).map_err(|e| form(file, e))?;

    let mut values = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        match serde_json::from_str(line) {
            Ok(value) => values.push((number, value)),
            Err(error) => report.problem(format!("{file} line {number}: {error}")),
        }
    }
    Ok(values)
}
