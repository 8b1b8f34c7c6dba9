//! `intent.decided`: an approved intent becomes a payment.

use crate::facts::FactsAge;
use crate::payment::{Payment, PaymentState};
use crate::publish::Announcement;
use crate::stage::TransactionsStage;
use crate::step::Step;
use crate::store;
use strongroom_journal::apply::{check_life, initiator};
use strongroom_ports::bus::Record;
use strongroom_stage::StageError;
use strongroom_stage::post::{Cause, session_of};
use strongroom_types::{Code, Refusal, UnixMs};
use strongroom_wire::{Decided, IntentDecided};

impl TransactionsStage {
    /// Takes an approved intent on and offers its transaction, all in one commit.
    pub(crate) fn on_decided(
        &mut self,
        step: &mut Step<'_>,
        decided: IntentDecided,
    ) -> Result<Vec<Record>, StageError> {
        let is_refused = match decided.decided {
            Decided::Refused(..) => true,
            Decided::Approved => false,
            // Only an approved intent moves money; that people are asked is news for the API.
            Decided::Pending => return Ok(Vec::new()),
        };
        let payment = Payment::new(decided)
            .map_err(|e| StageError::poison("the intent does not parse").because(e))?;

        // One instance serves one chain: another chain's instance reads the same topic.
        if payment.intent.chain != self.codec.manifest().chain {
            return Ok(Vec::new());
        }

        // The client of a refused intent was told its end, and signs another. The approvals service
        // remembers that as well, but an older copy of its tables may not.
        if is_refused {
            self.remember_refusal(step, &payment)?;
            return Ok(Vec::new());
        }
        if store::was_refused(step.tx, &payment.digest)? {
            tracing::warn!(intent = %payment.digest, "approved after its end was told");
            return Ok(Vec::new());
        }
        self.check_own_text(&payment, step.now)
            .map_err(|e| StageError::poison("no intent of a client").because(e))?;
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

    /// Refuses what no initiator of this installation signed, or what has no end that comes.
    ///
    /// Coins are reserved for a payment before the journal has it, and only the journal frees them.
    /// It never says anything of an intent without its initiator's signature: an approvals service
    /// that made such intents up would keep a vault's coins from all others for good. A true decision
    /// that is only ahead of this replica comes again, because an approval is told until its payment
    /// is signed or has ended.
    fn check_own_text(&self, payment: &Payment, now: UnixMs) -> Result<(), Refusal> {
        let Payment {
            intent,
            signed,
            digest,
            ..
        } = payment;
        self.journal.read(|follower| {
            let genesis = follower.genesis();
            if intent.platform != genesis.platform {
                return Err(Code::WrongScope.into());
            }

            // Both bound the intent's end. The service that approved it may be ahead of this clock
            // by as much as the client may be ahead of that service.
            check_life(intent, &genesis.bounds)?;
            let skew_ms = genesis.bounds.skew_ms.saturating_mul(2);
            if intent.created > now.plus(skew_ms) {
                return Err(Code::IntentFromFuture.into());
            }

            match initiator(follower.state(), intent, signed, digest) {
                // The end of a revoked credential's intent is told like every other one.
                Err(refusal) if refusal.code == Code::CredentialRevoked => Ok(()),
                checked => checked.map(drop),
            }
        })
    }

    /// Keeps an intent whose end was told from being offered until it is over.
    fn remember_refusal(&self, step: &mut Step<'_>, payment: &Payment) -> Result<(), StageError> {
        // What was taken before is this service's to end, and the API does not tell the refusal.
        if store::find(step.tx, &payment.digest)?.is_some() {
            return Ok(());
        }
        let until = self.journal.read(|follower| {
            // An intent with a later end is refused at any time, and must not stay here for good.
            let bounds = &follower.genesis().bounds;
            let latest = step.now.plus(bounds.skew_ms).plus(bounds.intent_life_ms);
            (payment.intent.expires.min(latest), follower.past(step.now))
        });
        Ok(store::insert_refused(step.tx, &payment.digest, until)?)
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
