//! `intent.decided`: an approved intent becomes a payment.

use crate::build::FactsAge;
use crate::stage::TransactionsStage;
use crate::step::Step;
use crate::store::{self, Payment};
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
            // Only what is approved moves money; the rest is news for the api.
            Decided::Pending | Decided::Refused(..) => return Ok(Vec::new()),
            Decided::Approved => {}
        }
        let payment = Payment::new(decided)
            .map_err(|e| StageError::poison("the intent does not parse").because(e))?;

        // One instance serves one chain: another chain's instance reads the same topic.
        if payment.intent.chain != self.codec.manifest().chain {
            return Ok(Vec::new());
        }
        // A second decision about the same intent, under another message id, would build a second
        // transaction with coins of its own.
        if !store::insert(step, &payment)? {
            return Ok(Vec::new());
        }

        // Answers of journal and coordinator find the payment by this session.
        let mut step = Step {
            now: step.now,
            tx: &mut *step.tx,
            cause: Cause {
                session: session_of(payment.digest),
                ..step.cause.clone()
            },
        };
        self.offer(&mut step, payment, FactsAge::Kept)
    }
}
