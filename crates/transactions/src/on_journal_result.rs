//! `journal.results`: the writer's answer to a submission. A hint: the entries are the truth, so a
//! false answer costs this payment its time, never money.

use crate::build::FactsAge;
use crate::payment::{BUILDS_MAX, Offered, PaymentEvent, PaymentState};
use crate::publish::{Announcement, submission_id};
use crate::reservations;
use crate::stage::TransactionsStage;
use crate::step::Step;
use crate::store::{self, Payment};
use strongroom_ports::bus::Record;
use strongroom_stage::StageError;
use strongroom_types::{Code, Refusal};
use strongroom_wire::{JournalResult, Who};

impl TransactionsStage {
    /// Rebuilds, returns or ends the payment whose submission was refused.
    pub(crate) fn on_journal_result(
        &mut self,
        step: &mut Step<'_>,
        result: &JournalResult,
    ) -> Result<Vec<Record>, StageError> {
        // Accepted: the signers see the entry themselves and answer through the coordinator.
        let Err((code, detail)) = &result.result else {
            return Ok(Vec::new());
        };

        // An answer to another submitter's session, or to a payment that was returned.
        let Some(payment) = store::find_by_session(step.tx, &step.cause.session)? else {
            return Ok(Vec::new());
        };
        // Signed or ended before the answer came.
        let PaymentState::Signing(offered) = &payment.state else {
            return Ok(Vec::new());
        };
        // The answer to an earlier build must not end the transaction that replaced it.
        if submission_id(&payment.digest, &offered.attempt) != result.submission {
            return Ok(Vec::new());
        }

        let offered = offered.clone();
        let refusal = Refusal::new(*code, detail);
        match AfterRefusal::of(refusal.code, &offered) {
            AfterRefusal::GoOn => Ok(Vec::new()),
            AfterRefusal::Object => self.object(step, payment, Announcement::of(refusal)),
            AfterRefusal::Rebuild => self.rebuild(step, payment, &offered),
            AfterRefusal::Return => self.return_to_approvers(step, payment, refusal),
            AfterRefusal::End => {
                // Refused means not in the journal, so the anchor is as free as the other coins.
                reservations::release(step.tx, &payment.digest)?;
                self.end(step, payment, Announcement::of(refusal), Who::Journal)
            }
        }
    }

    /// Another transaction on another anchor. The approvals stay valid: they name the intent and
    /// the decision, not the transaction.
    fn rebuild(
        &mut self,
        step: &mut Step<'_>,
        payment: Payment,
        offered: &Offered,
    ) -> Result<Vec<Record>, StageError> {
        reservations::release(step.tx, &payment.digest)?;
        // Else the next build would choose the same coin again.
        reservations::retire(step.tx, payment.intent.vault, &offered.attempt.anchor)?;

        let payment = store::set_state(step, payment, PaymentEvent::AnchorTaken)?;
        self.offer(step, payment, FactsAge::Kept)
    }

    /// The approvers signed another decision than the journal's: they must see the new one.
    fn return_to_approvers(
        &mut self,
        step: &mut Step<'_>,
        payment: Payment,
        reason: Refusal,
    ) -> Result<Vec<Record>, StageError> {
        // The new decision may take days of approvers' time; others may use the coins until then.
        reservations::release(step.tx, &payment.digest)?;
        let payment = store::set_state(step, payment, PaymentEvent::DecisionChanged)?;

        let announcement = Announcement::of(reason.clone());
        Ok(vec![
            self.publish_returned(step, &payment, reason)?,
            self.publish_changed(step, &payment, announcement)?,
        ])
    }
}

/// Next step that a refusal of the journal asks for.
enum AfterRefusal {
    /// Nothing: the submission arrived twice and the first one is in, or its time is over, which
    /// the next reminder finds out by itself.
    GoOn,
    /// The objection is only announced: by an entry with an older stamp it could still be
    /// authorized.
    Object,
    /// Another transaction.
    Rebuild,
    /// Other approvals.
    Return,
    /// Nothing more.
    End,
}

impl AfterRefusal {
    fn of(code: Code, offered: &Offered) -> Self {
        // Ending it here would tell the client that a payment failed which the signers complete.
        // That it has expired is the writer's word alone: it could still append it with an older
        // stamp.
        if matches!(code, Code::IntentAlreadyAuthorized | Code::IntentExpired) {
            Self::GoOn
        } else if code == Code::AuthorityExpired {
            // An approval's end by the stamp that the writer chose.
            Self::Object
        } else if code == Code::DecisionChanged {
            Self::Return
        } else if code == Code::AnchorTaken && offered.builds < BUILDS_MAX {
            // Bounded: a writer that claims every anchor taken would retire the whole vault.
            Self::Rebuild
        } else {
            Self::End
        }
    }
}
