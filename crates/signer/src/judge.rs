//! The judgement before any share. Everything in a request is a claim; nothing of it is believed.
//!
//! [`Judge`] borrows what it reads and has no way to change it: no frame, no nonce, no row, no
//! counter. The checks are data, [`CHECKS`], in the order in which they run; `snapshots/checks.txt`
//! shows each with the attack that it stops.
//!
//! The client's signature on the intent, the approvals and the policy are *not* among them: this
//! signer's replica checked them when it applied the entry, at the entry's position, else the entry
//! would not be in it. [`share::check`](strongroom_journal::share::check) asks whether all of that
//! is still in force.

mod case;
mod ceremony;
mod checks;
mod journal;
mod local;
mod quorum;
mod transaction;

use crate::fatal::Fatal;
use crate::floor::Floor;
use crate::rules::LocalRules;
use crate::setup::Identity;
use crate::verdict::{CheckEnd, JudgedRefusal, Judgement, Verdict};
use case::Case;
use checks::CHECKS;
use std::collections::BTreeMap;
use std::sync::Arc;
use strongroom_journal::follower::Follower;
use strongroom_journal::{Delta, Entry};
use strongroom_ports::chain::ChainCodec;
use strongroom_types::{ChainId, UnixMs};
use strongroom_wire::SigningRequest;

/// Decoders of the chains that this signer signs on, by chain.
pub(crate) type Codecs = BTreeMap<ChainId, Arc<dyn ChainCodec>>;

/// Reads back what this signer's replica has applied.
pub(crate) trait Entries {
    /// The entry at position `seq`, from this signer's disk.
    ///
    /// # Errors
    /// The store failed, or a replica that is beyond `seq` has no such entry.
    fn entry(&self, seq: u64) -> Result<Entry, Fatal>;
}

/// Everything that a decision is made from, read-only.
pub(crate) struct Judge<'a> {
    /// This signer's seat in the pinned genesis.
    pub(crate) identity: &'a Identity,
    /// Whether its operator stopped it.
    pub(crate) stopped: bool,
    /// Whether its disk was put back, cloned or lost.
    pub(crate) retired: bool,
    /// Its replica of the journal.
    pub(crate) follower: &'a Follower,
    /// Changes at the tip that each handed tightening would make.
    pub(crate) handed: &'a [Delta],
    /// The replica's entries on its disk.
    pub(crate) entries: &'a dyn Entries,
    /// Smallest head it may act under.
    pub(crate) floor: &'a Floor,
    /// Codecs by chain that it decodes transactions with.
    pub(crate) codecs: &'a Codecs,
    /// Its operator's rules.
    pub(crate) rules: &'a LocalRules,
}

impl Judge<'_> {
    /// Runs every check in order; the first that fails is the answer.
    ///
    /// `now` is this signer's clock.
    pub(crate) fn judge(&self, request: &SigningRequest, now: UnixMs) -> Judgement {
        // All checks are in one list and run in its order: a new check is a row that reviewers see.
        let mut case = Case::new(self, request, now);
        for check in CHECKS {
            if let Err(end) = (check.run)(&mut case) {
                tracing::debug!(check = check.name, stops = check.stops, "not passed");
                return Judgement {
                    questions: case.questions,
                    verdict: case.verdict_of(end),
                };
            }
        }

        Judgement {
            questions: case.questions,
            verdict: case.allowed(),
        }
    }
}

impl Case<'_> {
    fn verdict_of(&self, end: CheckEnd) -> Verdict {
        let judged = |refusal| JudgedRefusal {
            refusal,
            evidence: self.evidence.digest(),
            head: self.head.unwrap_or_default(),
        };

        match end {
            CheckEnd::Refuse(refusal) => Verdict::Refuse(judged(refusal)),
            CheckEnd::Wait(refusal) => Verdict::Wait(judged(refusal)),
            CheckEnd::Fatal(fatal) => Verdict::Fatal(fatal),
        }
    }
}
