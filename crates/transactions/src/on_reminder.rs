//! What time makes due: builds that wait, offers without an answer, intents whose time is over.

use crate::build::FactsAge;
use crate::payment::{PaymentEvent, PaymentState, PaymentStateName};
use crate::publish::Announcement;
use crate::reservations;
use crate::stage::TransactionsStage;
use crate::step::Step;
use crate::store::{self, Payment};
use crate::watcher::Synced;
use strongroom_journal::follower::Follower;
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

            match self.standing_of(&payment, step.now) {
                Standing::Open => {}
                // Nothing is offered, so there is nothing to release.
                Standing::Over(why) => {
                    let announcement = Announcement::of(why);
                    records.extend(self.end(&mut step, payment, announcement, Who::Journal)?);
                    continue;
                }
                // The journal holds an earlier build, whatever the writer said of its anchor: another
                // one would be offered in vain, and "expired" would be false.
                Standing::TooLate => {
                    store::set_state(&mut step, payment, PaymentEvent::Postpone)?;
                    continue;
                }
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

            match self.standing_of(&payment, step.now) {
                Standing::Open => {}
                Standing::Over(why) => {
                    records.extend(self.end_offered(&mut step, payment, why)?);
                    continue;
                }
                Standing::TooLate => {
                    // Its coins stay reserved: what could be signed spends them.
                    let payment = store::set_state(&mut step, payment, PaymentEvent::Outlive)?;
                    let news = Announcement::of(Code::TooLate.into());
                    records.push(self.publish_changed(&step, &payment, news)?);
                    continue;
                }
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
            // The journal may hold the attempt: it refuses its anchor to every other intent.
            reservations::release_without(step.tx, &payment.digest, &offered.attempt.anchor)?;
        }
        self.end(step, payment, Announcement::of(why), Who::Journal)
    }

    /// Whether a payment that is not signed can be over, by the witnessed journal alone: a client
    /// that is told so signs another, and coins that are free are spent by others.
    fn standing_of(&self, payment: &Payment, now: UnixMs) -> Standing {
        self.journal
            .read(|follower| standing_at_head(follower, payment, now))
            // Without a fresh head nothing is certain. The next reminder asks again.
            .unwrap_or(Standing::Open)
    }
}

/// A payment that is not signed, as the fresh head has it.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Standing {
    /// It may still be signed.
    Open,
    /// No share of it has left, and none can.
    Over(Refusal),
    /// No further share leaves, but those of an attempt in the journal may be out.
    TooLate,
}

fn standing_at_head(
    follower: &Follower,
    payment: &Payment,
    now: UnixMs,
) -> Result<Standing, Refusal> {
    let head = follower.fresh(now)?;
    let (intent, bounds) = (&payment.intent, &follower.genesis().bounds);
    let is_past = follower.past(now) >= intent.expires;

    let view = follower.head_view(head.size)?;
    let Some(record) = view.intent(intent.tenant, &payment.digest)? else {
        // An attempt that was there is forgotten in the end; what is left then proves nothing.
        let is_remembered = head.at < intent.expires.plus(bounds.retention_ms);
        return Ok(match (is_past, is_remembered) {
            (false, _) => Standing::Open,
            (true, true) => Standing::Over(Code::IntentExpired.into()),
            (true, false) => Standing::TooLate,
        });
    };
    let why = match record.standing.ended() {
        Some(ended) => ended,
        None if is_past => Code::IntentExpired,
        None => return Ok(Standing::Open),
    };

    // A share waits for the lock by its signer's own clock, and no signer acts under a head without
    // this end for longer than heads stay fresh. The skew is that of both clocks.
    let last_share = now
        .plus(bounds.freshness_ms)
        .plus(bounds.skew_ms.saturating_mul(2));
    // Nor does one leave before a locked payment counts in its windows, which an intent that has ended
    // can never come to.
    let is_counted = record.is_counted_in_time(bounds.skew_ms);
    Ok(if last_share < record.locked_until || !is_counted {
        Standing::Over(why.into())
    } else {
        Standing::TooLate
    })
}
