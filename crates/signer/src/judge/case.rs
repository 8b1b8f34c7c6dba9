//! One request before the judge, with the findings of the checks so far.

use super::Judge;
use crate::evidence::SignerEvidence;
use crate::verdict::{Allowed, CheckEnd, JudgedRefusal, Verdict};
use strongroom_journal::genesis::ChainSeat;
use strongroom_journal::share::{Grant, ShareRequest};
use strongroom_mpc_core::signing::SigningPackage;
use strongroom_ports::chain::{ChainCodec, VaultKey};
use strongroom_types::{Attempt, Code, Intent, Refusal, UnixMs};
use strongroom_wire::SigningRequest;

/// A request under judgement.
///
/// A check writes what it found into its field, and later checks read it through the functions
/// below. A field that is still empty then means that the checks run in the wrong order: the
/// request is refused, never let through.
pub(crate) struct Case<'a> {
    pub(super) judge: &'a Judge<'a>,
    pub(super) request: &'a SigningRequest,
    /// This signer's clock.
    pub(super) now: UnixMs,
    /// The question to the journal, which names this signer.
    pub(super) asked: Option<ShareRequest>,
    /// Size of a head that is witnessed and fresh.
    pub(super) fresh: Option<u64>,
    /// The same, once it is known to be one that this signer may act under.
    pub(super) head: Option<u64>,
    /// The journal's answer at that head.
    pub(super) at_head: Option<JournalAnswer>,
    /// Journal records behind the attempt, once the head covers it.
    pub(super) grant: Option<Box<Grant>>,
    pub(super) intent: Option<Intent>,
    /// The attempt inside of the intent's own entry, which is number 1.
    pub(super) first_attempt: Option<Attempt>,
    pub(super) attempt: Option<Attempt>,
    pub(super) decoder: Option<Decoder<'a>>,
    pub(super) vault_key: Option<VaultKey>,
    pub(super) packages: Option<Vec<SigningPackage>>,
    /// Questions to the journal so far.
    pub(super) questions: u64,
    /// Findings so far, which a refusal names by digest.
    pub(super) evidence: SignerEvidence,
}

/// The journal's answer in one view of its state.
pub(super) enum JournalAnswer {
    Allowed(Box<Grant>),
    /// The view does not have the attempt (yet).
    Unknown(Refusal),
    Forbidden(Refusal),
}

/// A chain's decoder, and the seat in genesis that names it.
#[derive(Clone, Copy)]
pub(super) struct Decoder<'a> {
    pub(super) codec: &'a dyn ChainCodec,
    pub(super) seat: &'a ChainSeat,
}

impl<'a> Case<'a> {
    pub(super) fn new(judge: &'a Judge<'a>, request: &'a SigningRequest, now: UnixMs) -> Self {
        Self {
            judge,
            request,
            now,
            // Nothing is known of the request until a check has found it.
            asked: None,
            fresh: None,
            head: None,
            at_head: None,
            grant: None,
            intent: None,
            first_attempt: None,
            attempt: None,
            decoder: None,
            vault_key: None,
            packages: None,
            questions: 0,
            evidence: SignerEvidence::default(),
        }
    }

    /// Size of the head to act under.
    pub(super) fn head(&self) -> Result<u64, CheckEnd> {
        found(self.head.as_ref()).copied()
    }

    pub(super) fn grant(&self) -> Result<&Grant, CheckEnd> {
        found(self.grant.as_deref())
    }

    pub(super) fn intent(&self) -> Result<&Intent, CheckEnd> {
        found(self.intent.as_ref())
    }

    /// The verdict when no check failed.
    pub(super) fn allowed(self) -> Verdict {
        // All three findings must be there: a list of checks that was cut short must not end in a
        // share.
        let evidence = self.evidence.digest();
        match (self.head, self.grant, self.packages) {
            (Some(head), Some(grant), Some(packages)) => Verdict::Share(Allowed {
                head,
                seq: grant.attempt.seq,
                // The epoch is the journal's and not the request's: shares of an older generation
                // must stay unused.
                epoch: grant.key.epoch,
                packages,
                evidence,
            }),
            // A defect of this program is refused like anything else.
            (head, _, _) => Verdict::Refuse(JudgedRefusal {
                refusal: incomplete(),
                evidence,
                head: head.unwrap_or_default(),
            }),
        }
    }
}

/// Finding of an earlier check.
pub(super) fn found<T>(finding: Option<&T>) -> Result<&T, CheckEnd> {
    // A missing finding has no default: the order of the checks is data, and a wrong order must
    // refuse.
    finding.ok_or_else(|| incomplete().into())
}

fn incomplete() -> Refusal {
    Refusal::new(Code::Internal, "a check that others build on did not run")
}
