//! A person's yes arrives.

use crate::ballot::BallotBox;
use crate::inbox::ParsedText;
use crate::pending::PendingEvent;
use crate::publish::DecisionNews;
use crate::stage::{ApprovalsStage, Outgoing};
use crate::step::Step;
use crate::store::{self, Pending, Yes};
use strongroom_stage::StageError;
use strongroom_types::{Approval, Document as _, Signed};
use strongroom_wire::Decided;

impl ApprovalsStage {
    /// Counts a yes to an intent that waits. What does not count becomes a dead letter: the API
    /// has checked it before, so it came too late or from a part that lies.
    pub(crate) fn on_approval(
        &mut self,
        step: &mut Step<'_>,
        answer: ParsedText<Approval>,
    ) -> Outgoing {
        let id = answer.document.intent;
        let Some(pending) = store::find(step.tx, &id)? else {
            return Err(StageError::poison(format!("no intent {id} waits here")));
        };
        let yeses = store::yeses(step.tx, &id)?;
        // The API repeats what it believes to be lost, and an answer counts once.
        if yeses.iter().any(|yes| yes.answer.digest == answer.digest) {
            return Ok(Vec::new());
        }

        store::set_state(step, pending.change(), PendingEvent::Yes)?;

        // The answer is checked against the present state and not that of the submission: a
        // credential that was revoked since is refused.
        let checked = self.journal.read(|follower| {
            let ballot = BallotBox {
                state: follower.state(),
                pending: &pending,
                yeses: &yeses,
                at: step.now,
            };
            ballot.check(&answer)
        });
        let person = checked
            .map_err(|refusal| StageError::poison("the approval is refused").because(refusal))?;

        // One yes is kept of a credential to a decision, the one that counts longest in whatever
        // order they come: a person who gives one that lapses at once, again and again, would make each
        // count of the answers longer for everyone.
        let rank = |yes: &ParsedText<Approval>| (yes.document.expires, yes.digest);
        let own = |yes: &&Yes| {
            let (theirs, new) = (&yes.answer.document, &answer.document);
            (theirs.approver, theirs.core) == (new.approver, new.core)
        };
        for earlier in yeses.iter().filter(own) {
            if rank(&earlier.answer) > rank(&answer) {
                return Ok(Vec::new());
            }
            store::delete_yes(step.tx, &earlier.answer.digest)?;
        }
        store::insert_yes(step.tx, &Yes { person, answer })?;
        self.approve_if_complete(step, &pending)
    }

    /// Approves an intent that waits, and tells so, once the journal would take its approvals.
    pub(crate) fn approve_if_complete(
        &mut self,
        step: &mut Step<'_>,
        pending: &Pending,
    ) -> Outgoing {
        let records = self.tell_approved(step, pending)?;
        if !records.is_empty() {
            // The row is kept, because the journal may find another decision and return the intent.
            store::set_state(step, pending.change(), PendingEvent::LastYes)?;
        }
        Ok(records)
    }

    /// Tells that an intent is approved; nothing while the journal would not take its approvals.
    pub(crate) fn tell_approved(&mut self, step: &mut Step<'_>, pending: &Pending) -> Outgoing {
        let Some(approvals) = self.complete(step, pending)? else {
            return Ok(Vec::new());
        };
        let verdict = DecisionNews {
            core: pending.core.to_text(),
            approvals,
            decided: Decided::Approved,
        };
        Ok(vec![self.publish_decided(
            step,
            &pending.intent,
            verdict,
        )?])
    }

    /// The approvals that complete an intent, as the journal would take them now; `None` while
    /// people are missing.
    fn complete(
        &self,
        step: &mut Step<'_>,
        pending: &Pending,
    ) -> Result<Option<Vec<Signed>>, StageError> {
        let yeses = store::yeses(step.tx, &pending.intent.digest)?;
        Ok(self.journal.read(|follower| {
            let ballot = BallotBox {
                state: follower.state(),
                pending,
                yeses: &yeses,
                at: step.now,
            };
            ballot.complete()
        }))
    }
}
