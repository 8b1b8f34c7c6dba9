//! `journal.results`: the writer's answer to a submission. It is a hint only: the entries are the
//! truth. The same submission is sent until it is signed, so a refusal may concern a repetition of
//! what is in the journal; and a writer can append tomorrow what it refuses today. So a refusal is
//! shown and asked again, and what it claims is acted upon only where the fresh head confirms it.

use crate::after_refusal::AfterWriter;
use crate::facts::FactsAge;
use crate::on_reminder::Reviewed;
use crate::payment::{Offered, Payment, PaymentEvent, PaymentState};
use crate::publish::{Announcement, submission_id};
use crate::reservations;
use crate::stage::TransactionsStage;
use crate::step::Step;
use crate::store;
use strongroom_journal::prospect::FreshHead;
use strongroom_ports::bus::Record;
use strongroom_stage::StageError;
use strongroom_types::{Refusal, UnixMs};
use strongroom_wire::JournalResult;

/// How the journal has excluded an offered transaction.
enum Exclusion {
    /// Its anchor is another intent's until this time.
    Anchor(UnixMs),
    /// A coin of it is kept for another intent.
    Coin,
}

impl TransactionsStage {
    /// Shows what the writer says of a submission; rebuilds, returns or ends its payment where the
    /// fresh head says so, too.
    pub(crate) fn on_journal_result(
        &mut self,
        step: &mut Step<'_>,
        result: &JournalResult,
    ) -> Result<Vec<Record>, StageError> {
        // An answer that is for no payment here is for another submitter's session.
        let Some(payment) = store::find_by_session(step.tx, &step.cause.session)? else {
            return Ok(Vec::new());
        };
        // The payment was signed, returned or ended before the answer came.
        let PaymentState::Signing(offered) = &payment.state else {
            return Ok(Vec::new());
        };
        // The answer to an earlier build says nothing of the transaction that replaced it.
        if submission_id(&payment.digest, &offered.attempt) != result.submission {
            return Ok(Vec::new());
        }

        let offered = offered.clone();
        match &result.result {
            Ok(_) => self.on_accepted(step, payment, &offered),
            Err((code, detail)) => {
                let refusal = Refusal::new(*code, detail);
                self.on_refused(step, payment, &offered, refusal)
            }
        }
    }

    /// The signers see the entry themselves and answer through the coordinator.
    fn on_accepted(
        &mut self,
        step: &mut Step<'_>,
        payment: Payment,
        offered: &Offered,
    ) -> Result<Vec<Record>, StageError> {
        if offered.failures == 0 {
            return Ok(Vec::new());
        }

        // The reason of an earlier refusal has passed: to show it any longer would be false.
        let payment = store::set_state(step, payment, PaymentEvent::Accept)?;
        Ok(vec![self.publish_changed(
            step,
            &payment,
            Announcement::default(),
        )?])
    }

    fn on_refused(
        &mut self,
        step: &mut Step<'_>,
        payment: Payment,
        offered: &Offered,
        refusal: Refusal,
    ) -> Result<Vec<Record>, StageError> {
        let payment = match self.review(step, payment)? {
            Reviewed::Open(payment) => *payment,
            Reviewed::Done(records) => return Ok(records),
        };
        // The refused submission repeats what is in the journal. Its refusal says nothing of the
        // payment, which goes on.
        if self.is_in_journal(&payment) {
            return Ok(Vec::new());
        }

        match AfterWriter::of(refusal.code) {
            AfterWriter::Ignore => Ok(Vec::new()),
            AfterWriter::Rebuild => match self.exclusion(step, &payment, offered) {
                Some(loss) => self.rebuild(step, payment, offered, loss),
                None => self.show_refusal(step, payment, Announcement::of(refusal)),
            },
            // Whatever the writer's reason: an approval may have expired or its signer be revoked
            // since, and the payment would be refused to its end although a person could cure it.
            AfterWriter::Show => match self.approval_fault(&payment, step.now) {
                Some(fault) => self.return_to_approvers(step, payment, fault),
                None => self.show_refusal(step, payment, Announcement::of(refusal)),
            },
        }
    }

    /// The reason for which no authorization of an offered transaction can come: another intent has
    /// its anchor, or keeps a coin of it, for as long as this one lasts.
    fn exclusion(
        &self,
        step: &Step<'_>,
        payment: &Payment,
        offered: &Offered,
    ) -> Option<Exclusion> {
        let Payment { intent, digest, .. } = payment;
        let attempt = &offered.attempt;
        let lost = self.journal.read(|follower| {
            let head = FreshHead::of(follower, step.now)?;
            if let Some(until) = head.anchor_lost_until(intent, digest, &attempt.anchor)? {
                return Ok(Some(Exclusion::Anchor(until)));
            }
            let is_lost = head.is_coin_lost(intent, digest, &attempt.conflict_keys)?;
            Ok::<_, Refusal>(is_lost.then_some(Exclusion::Coin))
        });
        // Without a fresh head nothing is certain. The next refusal asks again.
        lost.unwrap_or(None)
    }

    /// Why the fresh head needs other approvals of a payment.
    pub(crate) fn approval_fault(&self, payment: &Payment, now: UnixMs) -> Option<Refusal> {
        let Payment {
            signed,
            core,
            approvals,
            ..
        } = payment;
        let fault = self
            .journal
            .read(|follower| FreshHead::of(follower, now)?.approval_fault(signed, core, approvals));
        fault.unwrap_or(None)
    }

    /// Another transaction on other coins, or another anchor. The approvals stay valid: they name the intent and
    /// the decision, not the transaction.
    fn rebuild(
        &mut self,
        step: &mut Step<'_>,
        payment: Payment,
        offered: &Offered,
        loss: Exclusion,
    ) -> Result<Vec<Record>, StageError> {
        reservations::release(step.tx, &payment.digest)?;
        match loss {
            // The anchor is noted as held: else the next build would choose it again.
            Exclusion::Anchor(until) => {
                let vault = payment.intent.paying_vault();
                reservations::set_anchor_held(step, vault, &offered.attempt.anchor, until)?;
            }
            // A build asks the journal itself which coins it keeps.
            Exclusion::Coin => {}
        }

        let payment = store::set_state(step, payment, PaymentEvent::AnchorTaken)?;
        self.offer(step, payment, FactsAge::Kept)
    }

    /// People have to approve it again, as what they signed is not the journal's decision or counts
    /// no more. Coins and transaction stay: until they answer the writer could still authorize what
    /// they signed, should the policy come back to it.
    fn return_to_approvers(
        &mut self,
        step: &mut Step<'_>,
        payment: Payment,
        reason: Refusal,
    ) -> Result<Vec<Record>, StageError> {
        let payment = store::set_state(step, payment, PaymentEvent::Return)?;

        Ok(self.publish_return(step, &payment, reason)?.into())
    }
}
