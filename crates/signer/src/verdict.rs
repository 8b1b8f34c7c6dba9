//! Decisions of this signer. Every part may name a verdict; this file names no part.

use crate::evidence::SignerEvidence;
use crate::fatal::Fatal;
use strongroom_mpc_core::signing::SigningPackage;
use strongroom_types::{Code, Digest, Refusal};

/// End of a judgement.
#[derive(Debug)]
pub(crate) struct Judgement {
    pub(crate) verdict: Verdict,
    /// Questions that it asked the journal: the request in one state each.
    pub(crate) questions: u64,
}

/// This signer's decision on a signing request.
#[derive(Debug)]
pub(crate) enum Verdict {
    /// Every check passed: the shares may leave.
    Share(Allowed),
    /// Refused for now: the journal may still bring what is missing.
    Wait(JudgedRefusal),
    /// The request is refused; the journal cannot change that.
    Refuse(JudgedRefusal),
    /// This signer's own store failed. Nothing leaves, and the process ends.
    Fatal(Fatal),
}

/// A request that may be signed.
#[derive(Debug)]
pub(crate) struct Allowed {
    /// Size of the witnessed head judged by, in entries.
    pub(crate) head: u64,
    /// Position of the attempt's entry.
    pub(crate) seq: u64,
    /// Generation of the shares that the journal names.
    pub(crate) epoch: u32,
    /// One package per input, in the order of the transaction.
    pub(crate) packages: Vec<SigningPackage>,
    /// Digest over the attempt, the inspection and the expected effects.
    pub(crate) evidence: Digest,
}

/// A refusal, and what it was decided from.
#[derive(Debug)]
pub(crate) struct JudgedRefusal {
    pub(crate) refusal: Refusal,
    /// Digest over those of attempt, inspection and expected effects that the checks came to.
    pub(crate) evidence: Digest,
    /// Size of the witnessed head judged by, in entries; 0 when there was none.
    pub(crate) head: u64,
}

impl JudgedRefusal {
    /// A refusal before anything was looked at: its evidence is empty.
    pub(crate) fn unjudged(refusal: Refusal) -> Self {
        Self {
            refusal,
            // The digest is one of no findings, but never missing: each refusal is signed over a
            // digest of what was seen.
            evidence: SignerEvidence::default().digest(),
            head: 0,
        }
    }
}

/// End of the judgement by one check.
#[derive(Debug)]
pub(crate) enum CheckEnd {
    /// The request is refused; the journal cannot change that.
    Refuse(Refusal),
    /// No share yet: the journal may still bring what is missing.
    Wait(Refusal),
    /// The process ends.
    Fatal(Fatal),
}

impl From<Refusal> for CheckEnd {
    fn from(refusal: Refusal) -> Self {
        // A refusal passed on by `?` is final: a check that the journal can cure must say `Wait`
        // itself.
        Self::Refuse(refusal)
    }
}

impl From<Code> for CheckEnd {
    fn from(code: Code) -> Self {
        Self::Refuse(code.into())
    }
}

impl From<Fatal> for CheckEnd {
    fn from(fatal: Fatal) -> Self {
        // A failed store is not refused: the signer must not answer as if it had looked.
        Self::Fatal(fatal)
    }
}

/// Outcome of serving a coordinator's request, if the process goes on.
pub(crate) enum Served {
    /// The answer is among the frames to send, or none is due.
    Done,
    /// Refused for now; the request may wait for the journal.
    Wait(JudgedRefusal),
    /// Refused for good.
    Refuse(JudgedRefusal),
}
