//! The context of a handler: time, database transaction, and the record that it continues.

use strongroom_ports::db::Tx;
use strongroom_stage::post::{Cause, session_of};
use strongroom_types::{Digest, UnixMs};

/// One piece of work in one database transaction.
pub(crate) struct Step<'a> {
    /// This service's clock.
    pub(crate) now: UnixMs,
    /// The transaction that everything is written in.
    pub(crate) tx: &'a mut dyn Tx,
    /// The record or intent that the work continues; names the records it leads to.
    pub(crate) cause: Cause,
}

impl Step<'_> {
    /// The cause on behalf of an intent: every service uses the intent's digest as session, so that
    /// one payment is one thread through all logs.
    pub(crate) fn cause_for(&self, intent: Digest) -> Cause {
        Cause {
            session: session_of(intent),
            ..self.cause.clone()
        }
    }
}
