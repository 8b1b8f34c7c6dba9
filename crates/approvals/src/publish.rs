//! The records this service makes.

use crate::inbox::ParsedText;
use crate::stage::ApprovalsStage;
use crate::step::Step;
use strongroom_ports::bus::Record;
use strongroom_stage::StageError;
use strongroom_stage::post::Cause;
use strongroom_types::{Intent, Signed};
use strongroom_wire::{Decided, IntentDecided, Layer, topics};

/// Decision about an intent, as it is published.
pub(crate) struct DecisionNews {
    /// Canonical text of the decision core; empty when refused before the policy.
    pub(crate) core: String,
    /// The approvals that complete it.
    pub(crate) approvals: Vec<Signed>,
    /// Pending, approved or refused.
    pub(crate) decided: Decided,
}

impl ApprovalsStage {
    /// Tells transactions and API. The record is good as long as the intent: people may take hours
    /// after the request's own deadline.
    pub(crate) fn publish_decided(
        &mut self,
        step: &Step<'_>,
        intent: &ParsedText<Intent>,
        verdict: DecisionNews,
    ) -> Result<Record, StageError> {
        let cause = step.cause_for(intent.digest);
        let cause = Cause {
            marks: cause.marks.clone().with(Layer::Policy, step.now.micros()),
            deadline: cause.deadline.max(intent.document.expires),
            ..cause
        };

        let payload = IntentDecided {
            intent: intent.signed.clone(),
            core: verdict.core,
            approvals: verdict.approvals,
            decided: verdict.decided,
        };

        // The record's key is the vault, so that its decisions keep their order: they may spend the
        // same coins.
        let address = (topics::INTENT_DECIDED, &intent.document.vault.0[..]);
        self.post.record(step.now, address, None, &payload, &cause)
    }
}
