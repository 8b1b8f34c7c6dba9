//! `intent.decided`: an approved intent becomes a payment.

use crate::facts::FactsAge;
use crate::payment::{Payment, PaymentState};
use crate::publish::Announcement;
use crate::stage::TransactionsStage;
use crate::step::Step;
use crate::store;
use strongroom_ports::bus::Record;
use strongroom_stage::StageError;
use strongroom_stage::post::{Cause, session_of};
use strongroom_wire::{Decided, IntentDecided};

impl TransactionsStage {
    /// Takes an approved intent on and offers its transaction, all in one commit.
    pub(crate) fn on_decided(
        &mut self,
        step: &mut Step<'_>,
        decided: IntentDecided,
    ) -> Result<Vec<Record>, StageError> {
        match decided.decided {
            // Only an approved intent moves money; the other decisions are news for the API.
            Decided::Pending | Decided::Refused(..) => return Ok(Vec::new()),
            Decided::Approved => {}
        }
        let payment = Payment::new(decided)
            .map_err(|e| StageError::poison("the intent does not parse").because(e))?;

        // One instance serves one chain: another chain's instance reads the same topic.
        if payment.intent.chain != self.codec.manifest().chain {
            return Ok(Vec::new());
        }
        let is_new = store::insert(step, &payment)?;

        // Answers of journal and coordinator find the payment by this session.
        let mut step = Step {
            now: step.now,
            tx: &mut *step.tx,
            cause: Cause {
                session: session_of(payment.digest),
                ..step.cause.clone()
            },
        };
        if is_new {
            self.offer(&mut step, payment, FactsAge::Kept)
        } else {
            self.resume(&mut step, payment)
        }
    }

    /// Offers the transaction of a returned payment again, under its new decision.
    fn resume(&mut self, step: &mut Step<'_>, decided: Payment) -> Result<Vec<Record>, StageError> {
        let Some(payment) = store::find(step.tx, &decided.digest)? else {
            return Ok(Vec::new());
        };
        // A second decision about the same intent, under another message id, would build a second
        // transaction with coins of its own.
        let PaymentState::Returned(_) = payment.state else {
            return Ok(Vec::new());
        };

        // The approvals service may have answered by an older journal, or before the return. The
        // writer would refuse it and the payment come back at once; it is asked again instead.
        if self.approval_fault(&decided, step.now).is_some() {
            return Ok(Vec::new());
        }

        let payment = store::resume_with(step, payment, decided)?;
        let mut records = self.publish_offer(step, &payment)?;
        records.push(self.publish_changed(step, &payment, Announcement::default())?);
        Ok(records)
    }
}
