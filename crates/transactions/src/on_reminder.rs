//! What time makes due: builds that wait, offers without an answer, intents whose time is over.

use crate::build::FactsAge;
use crate::payment::{PaymentEvent, PaymentState, PaymentStateName};
use crate::publish::Announcement;
use crate::reservations;
use crate::stage::TransactionsStage;
use crate::step::Step;
use crate::store::{self, Payment};
use crate::watcher::Synced;
use strongroom_journal::state::Lookup as _;
use strongroom_ports::bus::Record;
use strongroom_ports::chain::Registry as _;
use strongroom_replica::TenantVaults;
use strongroom_stage::StageError;
use strongroom_types::{Code, Refusal, UnixMs};
use strongroom_wire::Who;

impl TransactionsStage {
    /// Tries again to build what could not be built before.
    pub(crate) fn build_waiting(&mut self, step: &mut Step<'_>) -> Result<Vec<Record>, StageError> {
        let mut records = Vec::new();
        for payment in store::due(step, PaymentStateName::Building, step.now)? {
            let mut step = step.of_payment(&payment);

            // Nothing was offered, so there is nothing to release.
            if let Some(why) = self.end_reason(&payment, step.now) {
                records.extend(self.end(
                    &mut step,
                    payment,
                    Announcement::of(why),
                    Who::Journal,
                )?);
                continue;
            }

            // Its time may be over: nothing new is offered, and its coins are not promised again
            // until that is certain.
            if step.now >= payment.intent.expires {
                store::set_state(&mut step, payment, PaymentEvent::Postpone)?;
                continue;
            }

            // A deposit may have arrived since the last round: only a vault that was just looked at
            // can be called empty.
            let age = self.sync_vault_of(&mut step, &payment)?;
            records.extend(self.offer(&mut step, payment, age)?);
        }
        Ok(records)
    }

    /// Asks the node about the vault that pays.
    fn sync_vault_of(
        &mut self,
        step: &mut Step<'_>,
        payment: &Payment,
    ) -> Result<FactsAge, StageError> {
        let (tenant, vault) = (payment.intent.tenant, payment.intent.vault);
        let key = self
            .journal
            .read(|f| TenantVaults::new(f.state(), tenant).vault_key(vault));
        let Some(key) = key else {
            return Ok(FactsAge::Kept);
        };

        // A silent node proves nothing about funds, so its silence must not end the payment.
        match self.watcher.sync_vault(step.tx, vault, &key)? {
            Synced::Done => Ok(FactsAge::Fresh),
            Synced::Unavailable => Ok(FactsAge::Kept),
        }
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

            if let Some(why) = self.end_reason(&payment, step.now) {
                records.extend(self.end_offered(&mut step, payment, why)?);
                continue;
            }

            // Written first: the version it gets makes the message ids of this reminder.
            let payment = store::set_state(&mut step, payment, PaymentEvent::Remind)?;
            records.extend(self.publish_offer(&step, &payment)?);
        }
        Ok(records)
    }

    fn end_offered(
        &mut self,
        step: &mut Step<'_>,
        payment: Payment,
        why: Refusal,
    ) -> Result<Vec<Record>, StageError> {
        if let PaymentState::Signing(offered) = &payment.state {
            // The journal may hold the attempt: its anchor belongs to this intent forever.
            reservations::release_without(step.tx, &payment.digest, &offered.attempt.anchor)?;
        }
        self.end(step, payment, Announcement::of(why), Who::Journal)
    }

    /// Why a payment that is not signed yet need not be signed any more.
    fn end_reason(&self, payment: &Payment, now: UnixMs) -> Option<Refusal> {
        // By the witnessed time, not by this clock: an entry with an older stamp could still
        // authorize it, and a client that was told to sign another would pay twice.
        if self.journal.read(|f| f.past(now)) >= payment.intent.expires {
            return Some(Code::IntentExpired.into());
        }

        // A cancel or a no is in the journal: signers refuse, and say so one by one; this says it
        // once.
        let tenant = payment.intent.tenant;
        let record = self
            .journal
            .read(|f| f.state().intent(tenant, &payment.digest))
            .ok()??;
        record.standing.ended().map(Refusal::from)
    }
}
