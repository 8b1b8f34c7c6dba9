//! Work that time makes due: builds that wait, offers without an answer, intents whose time is
//! over.

use crate::payment::{Payment, PaymentEvent, PaymentState, PaymentStateName};
use crate::publish::Announcement;
use crate::reservations;
use crate::stage::TransactionsStage;
use crate::step::Step;
use crate::store;
use strongroom_journal::prospect::{FreshHead, Held, Prospect};
use strongroom_journal::state::Lookup as _;
use strongroom_ports::bus::Record;
use strongroom_stage::StageError;
use strongroom_types::{Code, Refusal, UnixMs};
use strongroom_wire::Who;

impl TransactionsStage {
    /// Tries again to build what could not be built before.
    pub(crate) fn build_waiting(&mut self, step: &mut Step<'_>) -> Result<Vec<Record>, StageError> {
        let mut records = Vec::new();
        for payment in store::due(step, PaymentStateName::Building, step.now)? {
            let mut step = step.of_payment(&payment);

            match self.prospect_of(&payment, step.now) {
                Prospect::Open => {}
                // Nothing is offered, so there is nothing to release.
                Prospect::Ended(why) => {
                    let announcement = Announcement::of(why);
                    records.extend(self.end_payment(
                        &mut step,
                        payment,
                        announcement,
                        Who::Journal,
                    )?);
                    continue;
                }
                // The journal holds an attempt all the same: another one would be offered in vain,
                // and "expired" would be false.
                Prospect::TooLate => {
                    records.extend(self.wait(&mut step, payment, Code::TooLate.into())?);
                    continue;
                }
            }

            // The intent's time may be over by this clock: nothing new is offered, and its coins
            // are not promised again until the end is certain.
            if step.now >= payment.intent.expires {
                store::set_state(&mut step, payment, PaymentEvent::Postpone)?;
                continue;
            }

            // Only a vault that this round has looked at is shown as empty. It is not looked at for
            // each payment: a silent node would hold the tick as often.
            let age = self.watcher.age(payment.intent.paying_vault());
            records.extend(self.offer(&mut step, payment, age)?);
        }
        Ok(records)
    }

    /// Sends offers without an answer again, or ends their payments. The coordinator forgets
    /// nothing and the journal refuses doubles, so the same bytes may arrive any number of times.
    pub(crate) fn remind_signing(
        &mut self,
        step: &mut Step<'_>,
    ) -> Result<Vec<Record>, StageError> {
        let mut records = Vec::new();
        // An answer takes its time; asking sooner would only double the traffic.
        let before = UnixMs(step.now.0.saturating_sub(self.resend_ms));
        for payment in store::due(step, PaymentStateName::Signing, before)? {
            let mut step = step.of_payment(&payment);

            let payment = match self.review(&mut step, payment)? {
                Reviewed::Open(payment) => *payment,
                Reviewed::Done(news) => {
                    records.extend(news);
                    continue;
                }
            };

            // The row is written first: the version that it gets makes the message ids of this
            // reminder.
            let payment = store::set_state(&mut step, payment, PaymentEvent::Remind)?;
            records.extend(self.publish_offer(&step, &payment)?);
        }
        Ok(records)
    }

    /// Asks the approvers again for what was returned to them: the service that has it may have
    /// found no decision to ask about, or none that its fresh head confirmed, and a record may be
    /// lost. Without that of the state, clients would not be shown that people are asked.
    pub(crate) fn remind_returned(
        &mut self,
        step: &mut Step<'_>,
    ) -> Result<Vec<Record>, StageError> {
        let mut records = Vec::new();
        let before = UnixMs(step.now.0.saturating_sub(self.resend_ms));
        for payment in store::due(step, PaymentStateName::Returned, before)? {
            let mut step = step.of_payment(&payment);

            let payment = match self.review(&mut step, payment)? {
                Reviewed::Open(payment) => *payment,
                Reviewed::Done(news) => {
                    records.extend(news);
                    continue;
                }
            };

            // The payment was authorized after all, as its approvers had signed: no one has to
            // answer again.
            if self.is_in_journal(&payment) {
                let payment = store::set_state(&mut step, payment, PaymentEvent::Resume)?;
                records.push(self.publish_changed(&step, &payment, Announcement::default())?);
                continue;
            }

            let payment = store::set_state(&mut step, payment, PaymentEvent::Remind)?;
            let fault = self.approval_fault(&payment, step.now);
            let why = fault.unwrap_or_else(|| Code::DecisionChanged.into());
            records.extend(self.publish_return(&step, &payment, why)?);
        }
        Ok(records)
    }

    /// Ends an offered payment where the fresh head proves an end.
    pub(crate) fn review(
        &mut self,
        step: &mut Step<'_>,
        payment: Payment,
    ) -> Result<Reviewed, StageError> {
        match self.prospect_of(&payment, step.now) {
            Prospect::Open => Ok(Reviewed::Open(Box::new(payment))),
            Prospect::Ended(why) => self.end_offered(step, payment, why).map(Reviewed::Done),
            Prospect::TooLate => {
                self.release_unless_held(step, &payment)?;
                let payment = store::set_state(step, payment, PaymentEvent::EndedTooLate)?;
                let news = Announcement::of(Code::TooLate.into());
                let record = self.publish_changed(step, &payment, news)?;
                Ok(Reviewed::Done(vec![record]))
            }
        }
    }

    fn end_offered(
        &mut self,
        step: &mut Step<'_>,
        payment: Payment,
        why: Refusal,
    ) -> Result<Vec<Record>, StageError> {
        // No share of it is out, and none can come, so its coins are free. An anchor that the
        // journal holds for it is refused to every other intent until the journal forgets this one.
        reservations::release(step.tx, &payment.digest)?;
        if let Some(held) = self.held(&payment, step.now) {
            let vault = payment.intent.paying_vault();
            reservations::set_anchor_held(step, vault, &held.anchor, held.until)?;
        }
        self.end_payment(step, payment, Announcement::of(why), Who::Journal)
    }

    /// Frees the coins of a payment that is asked for no more, unless its own transaction is in the
    /// journal: what could be signed spends them.
    fn release_unless_held(
        &self,
        step: &mut Step<'_>,
        payment: &Payment,
    ) -> Result<(), StageError> {
        let (PaymentState::Signing(offered) | PaymentState::Returned(offered)) = &payment.state
        else {
            return Ok(());
        };
        // The coins stay reserved when the journal holds nothing of the payment any more: what it
        // has forgotten may have been this transaction.
        let Some(held) = self.held(payment, step.now) else {
            return Ok(());
        };
        if held.attempts.contains(&offered.attempt.unsigned_digest) {
            return Ok(());
        }

        // Another submitter's attempt took this payment's place, and no further one of an intent
        // that has ended is taken. Each payment would cost the vault its coins otherwise.
        reservations::release(step.tx, &payment.digest)?;
        let vault = payment.intent.paying_vault();
        reservations::set_anchor_held(step, vault, &held.anchor, held.until)?;
        Ok(())
    }

    /// Record of a payment at the fresh head, if there is one.
    fn held(&self, payment: &Payment, now: UnixMs) -> Option<Held> {
        let held = self
            .journal
            .read(|follower| FreshHead::of(follower, now)?.held(&payment.intent, &payment.digest));
        held.unwrap_or(None)
    }

    /// Whether a payment that is not signed can still be, by the witnessed journal alone.
    fn prospect_of(&self, payment: &Payment, now: UnixMs) -> Prospect {
        self.journal
            .read(|follower| {
                FreshHead::of(follower, now)?.prospect(&payment.intent, &payment.digest)
            })
            // Without a fresh head nothing is certain. The next reminder asks again.
            .unwrap_or(Prospect::Open)
    }

    /// Whether this replica's journal holds an attempt of a payment, witnessed or not.
    pub(crate) fn is_in_journal(&self, payment: &Payment) -> bool {
        let (tenant, digest) = (payment.intent.tenant, &payment.digest);
        let held = self.journal.read(|f| f.state().intent(tenant, digest));
        held.is_ok_and(|record| record.is_some())
    }
}

/// An offered payment after a look at the fresh head.
pub(crate) enum Reviewed {
    /// It may still be signed.
    Open(Box<Payment>),
    /// It has ended, or is asked for no more; the news of that.
    Done(Vec<Record>),
}
