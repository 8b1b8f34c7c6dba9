//! A client's intent arrives.

use crate::inbox::ParsedText;
use crate::outlook::Outlook;
use crate::pending::{OutlookKind, PendingEvent, PendingState};
use crate::publish::DecisionNews;
use crate::stage::{ApprovalsStage, Outgoing};
use crate::step::Step;
use crate::store::{self, Change};
use strongroom_types::{Document as _, Intent, UnixMs};
use strongroom_wire::Decided;

impl ApprovalsStage {
    /// Evaluates a new intent; answers one that waits already with its present decision. The API took it by a
    /// journal of `size` entries.
    pub(crate) fn on_submitted(
        &mut self,
        step: &mut Step<'_>,
        intent: &ParsedText<Intent>,
        size: u64,
    ) -> Outgoing {
        let Some(pending) = store::find(step.tx, &intent.digest)? else {
            return self.on_new(step, intent, size);
        };

        // The same intent under another message id says that its sender has no answer, and the
        // transactions service may have none either. They get the present one again, and no one has
        // to approve twice.
        match store::set_state(step, pending.change(), PendingEvent::SubmitAgain)? {
            PendingState::Waiting => {
                let verdict = DecisionNews {
                    core: pending.core.to_text(),
                    approvals: Vec::new(),
                    decided: Decided::Pending,
                };
                Ok(vec![self.publish_decided(step, intent, verdict)?])
            }
            PendingState::Approved => self.tell_approved(step, &pending),
            PendingState::Absent => Ok(Vec::new()),
        }
    }

    fn on_new(&mut self, step: &mut Step<'_>, intent: &ParsedText<Intent>, size: u64) -> Outgoing {
        // The size is read before the evaluation, which is by a state of this size or a larger one.
        let is_behind = self.journal.read(|follower| follower.size()) < size;

        // The API has entries that this replica lacks, and one of them may be what makes the intent
        // good: it is not refused for good. The API asks again.
        let outlook = Outlook::of(&self.journal, intent, step.now)
            .filter(|outlook| !is_behind || outlook.kind() != OutlookKind::Refused);
        let Some(outlook) = outlook else {
            return Ok(Vec::new());
        };
        let event = PendingEvent::Submit(outlook.kind());
        self.decide(step, intent, outlook, event)
    }

    /// Moves the intent to where the policy's answer leads, in its row and in public.
    pub(crate) fn decide(
        &mut self,
        step: &mut Step<'_>,
        intent: &ParsedText<Intent>,
        outlook: Outlook,
        event: PendingEvent,
    ) -> Outgoing {
        // An attempt of a returned intent was offered before, and a refusal of now may pass, so it
        // ends nothing. The transactions service returns the intent again.
        let may_pass = event == PendingEvent::Return(OutlookKind::Refused);

        // A client that was told an end signs another intent in its place, so nothing but a refusal
        // may follow: both would be paid.
        if event == PendingEvent::Submit(OutlookKind::Refused) {
            let until = self.refused_until(intent, step.now);
            store::insert_refused(step.tx, &intent.digest, until)?;
        } else if store::was_refused(step.tx, &intent.digest)? {
            return Ok(Vec::new());
        }

        let known = store::find(step.tx, &intent.digest)?;
        let change = Change {
            intent,
            from: known.map_or(PendingState::Absent, |pending| pending.state),
            core: (!may_pass).then_some(outlook.core.as_str()),
        };
        let state = store::set_state(step, change, event)?;
        if may_pass {
            return Ok(Vec::new());
        }

        // What people answered to this decision before still counts, unless it lapsed: no one has
        // to answer twice, and no one is needed if the others are enough.
        if state == PendingState::Waiting
            && let Some(pending) = store::find(step.tx, &intent.digest)?
        {
            let approved = self.approve_if_complete(step, &pending)?;
            if !approved.is_empty() {
                return Ok(approved);
            }
        }

        let verdict = DecisionNews {
            core: outlook.core,
            approvals: Vec::new(),
            decided: outlook.decided,
        };
        Ok(vec![self.publish_decided(step, intent, verdict)?])
    }

    /// Time until which a refusal is remembered, and the time that is past for good.
    fn refused_until(&self, intent: &ParsedText<Intent>, now: UnixMs) -> (UnixMs, UnixMs) {
        self.journal.read(|follower| {
            // An intent with a later end is refused at any time, and must not stay here for good.
            let bounds = &follower.genesis().bounds;
            let latest = now.plus(bounds.skew_ms).plus(bounds.intent_life_ms);
            (intent.document.expires.min(latest), follower.past(now))
        })
    }
}
