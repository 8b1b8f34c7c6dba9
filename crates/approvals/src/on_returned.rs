//! An intent comes back: the journal found another decision than the one that was approved.

use crate::inbox::ParsedText;
use crate::outlook::Outlook;
use crate::pending::PendingEvent;
use crate::stage::{ApprovalsStage, Outgoing};
use crate::step::Step;
use strongroom_types::{Code, Intent};

impl ApprovalsStage {
    /// Evaluates the intent again; people answer again if the decision is not what they approved, or
    /// their approval counts no more.
    /// The record carries the intent, so that it is not lost with this service's tables.
    pub(crate) fn on_returned(
        &mut self,
        step: &mut Step<'_>,
        intent: &ParsedText<Intent>,
        why: Code,
    ) -> Outgoing {
        tracing::info!(intent.id = %intent.digest, code = %why, "returned by the journal");
        let Some(outlook) = Outlook::of(&self.journal, intent, step.now) else {
            return Ok(Vec::new());
        };
        let event = PendingEvent::Return(outlook.kind());
        self.decide(step, intent, outlook, event)
    }
}
