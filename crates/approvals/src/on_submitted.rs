//! A client's intent arrives.

use crate::inbox::ParsedText;
use crate::outlook::Outlook;
use crate::pending::{OutlookKind, PendingEvent, PendingState};
use crate::publish::DecisionNews;
use crate::stage::{ApprovalsStage, Outgoing};
use crate::step::Step;
use crate::store::{self, Change};
use strongroom_types::{Document as _, Intent};
use strongroom_wire::Decided;

impl ApprovalsStage {
    /// Evaluates a new intent; answers one that waits already with its present decision.
    pub(crate) fn on_submitted(
        &mut self,
        step: &mut Step<'_>,
        intent: &ParsedText<Intent>,
    ) -> Outgoing {
        let Some(pending) = store::find(step.tx, &intent.digest)? else {
            return self.decide(step, intent, PendingEvent::Submit);
        };

        match store::set_state(step, pending.change(), PendingEvent::SubmitAgain)? {
            // The same intent under another message id says that its sender has no answer: it gets
            // the present one again, and no one has to approve twice.
            PendingState::Waiting => {
                let verdict = DecisionNews {
                    core: pending.core.to_text(),
                    approvals: Vec::new(),
                    decided: Decided::Pending,
                };
                Ok(vec![self.publish_decided(step, intent, verdict)?])
            }
            // The approvals are on their way, and the transactions service tells the rest.
            PendingState::Approved | PendingState::Absent => Ok(Vec::new()),
        }
    }

    /// Evaluates the policy and moves the intent there, in its row and in public. `event` makes an
    /// event of the outcome.
    pub(crate) fn decide(
        &mut self,
        step: &mut Step<'_>,
        intent: &ParsedText<Intent>,
        event: fn(OutlookKind) -> PendingEvent,
    ) -> Outgoing {
        let Some(outlook) = Outlook::of(&self.journal, intent, step.now) else {
            return Ok(Vec::new());
        };
        let event = event(outlook.kind());
        // An attempt of a returned intent was offered before, and a refusal of now may pass, so it
        // ends nothing. The transactions service returns the intent again.
        let may_pass = event == PendingEvent::Return(OutlookKind::Refused);

        let known = store::find(step.tx, &intent.digest)?;
        // No row is kept of an intent that the rule alone approves or refuses, because no one has
        // to be asked.
        let change = Change {
            intent,
            from: known.map_or(PendingState::Absent, |pending| pending.state),
            core: (!may_pass).then_some(outlook.core.as_str()),
        };
        store::set_state(step, change, event)?;
        if may_pass {
            return Ok(Vec::new());
        }

        let verdict = DecisionNews {
            core: outlook.core,
            approvals: Vec::new(),
            decided: outlook.decided,
        };
        Ok(vec![self.publish_decided(step, intent, verdict)?])
    }
}
