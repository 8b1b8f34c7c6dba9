//! A client's intent arrives.

use crate::inbox::ParsedText;
use crate::outlook::Outlook;
use crate::pending::{OutlookKind, PendingEvent, PendingState};
use crate::publish::DecisionNews;
use crate::stage::{ApprovalsStage, Outgoing, illegal};
use crate::step::Step;
use crate::store;
use strongroom_types::{Document as _, Intent};
use strongroom_wire::Decided;

impl ApprovalsStage {
    /// Evaluates the intent and says what follows.
    pub(crate) fn on_submitted(
        &mut self,
        step: &mut Step<'_>,
        intent: &ParsedText<Intent>,
    ) -> Outgoing {
        match store::find(step.tx, &intent.digest)? {
            None => self.decide(step, intent, PendingEvent::Submit),

            // The API did not see the answer: it gets it again, and no one has to approve twice.
            Some(pending) if pending.state == PendingState::Waiting => {
                let verdict = DecisionNews {
                    core: pending.core.to_text(),
                    approvals: Vec::new(),
                    decided: Decided::Pending,
                };
                Ok(vec![self.publish_decided(step, intent, verdict)?])
            }

            // The approvals are on their way; the transactions service tells the rest.
            Some(_) => Ok(Vec::new()),
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
        let outlook = Outlook::of(&self.journal, intent, step.now);
        let before = store::find(step.tx, &intent.digest)?
            .map_or(PendingState::Absent, |pending| pending.state);
        match before.apply(event(outlook.kind())).map_err(illegal)? {
            PendingState::Waiting => store::set_waiting(step.tx, intent, &outlook.core)?,
            // Approved by the rule alone, or refused: no one has to be asked, so nothing is kept.
            PendingState::Absent => store::delete(step.tx, &intent.digest)?,
            PendingState::Approved => {}
        }

        let verdict = DecisionNews {
            core: outlook.core,
            approvals: Vec::new(),
            decided: outlook.decided,
        };
        Ok(vec![self.publish_decided(step, intent, verdict)?])
    }
}
