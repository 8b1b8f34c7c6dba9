//! The context of a handler: time, database transaction, and the record that it continues.

use crate::payment::Payment;
use strongroom_ports::db::Tx;
use strongroom_stage::post::{Cause, session_of};
use strongroom_types::UnixMs;

/// Validity of records made by this service's own clock, milliseconds.
const ANNOUNCEMENT_LIFE_MS: u64 = 60_000;

/// One piece of work in one database transaction.
pub(crate) struct Step<'a> {
    /// This service's clock.
    pub(crate) now: UnixMs,
    /// The transaction that everything is written in.
    pub(crate) tx: &'a mut dyn Tx,
    /// The record or payment that the work continues; names the records it leads to.
    pub(crate) cause: Cause,
}

impl Step<'_> {
    /// The same work on behalf of one payment, by the service's own clock.
    pub(crate) fn of_payment(&mut self, payment: &Payment) -> Step<'_> {
        // Version and time make other message ids each time: a reminder that readers take for a
        // duplicate reminds no one.
        let seed: [&[u8]; 4] = [
            b"payment",
            &payment.digest.0,
            &payment.version.to_be_bytes(),
            &self.now.0.to_be_bytes(),
        ];

        // Signers act upon the offer until the intent expires, so its records live as long.
        let deadline = payment
            .intent
            .expires
            .max(self.now.plus(ANNOUNCEMENT_LIFE_MS));

        Step {
            now: self.now,
            tx: &mut *self.tx,
            cause: Cause {
                session: session_of(payment.digest),
                ..Cause::own(&seed, deadline)
            },
        }
    }

    /// The cause of an announcement, with enough time to be read: the end of a payment is worth
    /// knowing even when the record that led to it had expired by then.
    pub(crate) fn announcement_cause(&self) -> Cause {
        let deadline = self.cause.deadline.max(self.now.plus(ANNOUNCEMENT_LIFE_MS));
        self.cause.clone().until(deadline)
    }
}
