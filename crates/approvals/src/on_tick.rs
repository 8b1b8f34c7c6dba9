//! Ends of intents by time and by the journal, and approvals told again, without a record of the bus.

use crate::inbox::ParsedText;
use crate::pending::{PendingEvent, PendingState};
use crate::publish::DecisionNews;
use crate::stage::{ApprovalsStage, Outgoing};
use crate::step::Step;
use crate::store::{self, Pending};
use strongroom_journal::prospect::{FreshHead, Prospect};
use strongroom_ports::bus::Record;
use strongroom_ports::db::Tx;
use strongroom_stage::StageError;
use strongroom_stage::post::Cause;
use strongroom_types::{Code, Digest, Document as _, Intent, Refusal, UnixMs};
use strongroom_wire::Decided;

/// How long readers may act upon the news that an intent ended, milliseconds.
const NEWS_LIFE_MS: u64 = 60_000;

/// Reason for which an intent ends without a record of the bus.
enum Ending {
    /// Its deadline has passed.
    Expired,
    /// Its deadline has passed, and its attempt may be signed.
    Authorized,
    /// The journal holds its end.
    InJournal(Refusal),
}

impl ApprovalsStage {
    /// Walks through what waits, a page per tick: an intent that can never be authorized must not
    /// keep people busy.
    pub(crate) fn end_what_the_journal_ended(&mut self, now: UnixMs, tx: &mut dyn Tx) -> Outgoing {
        let page = store::waiting_after(tx, &self.walked)?;
        // An empty page is the end of the walk, which begins again at the next tick.
        self.walked = page
            .last()
            .map_or(Digest::default(), |last| last.intent.digest);

        let mut records = Vec::new();
        for pending in page {
            // The fresh head decides, as of every end: a client that is told of one signs again.
            // What may pass before the deadline (a pause, a stop) ends nothing, so that people can
            // go on.
            let Some(Prospect::Ended(refusal)) = self.prospect_of(&pending, now) else {
                continue;
            };
            // An intent at its deadline is ended by the other walk, in its own pages.
            if refusal.code == Code::IntentExpired {
                continue;
            }
            let mut step = step_for(now, tx, &pending.intent);
            let ending = Ending::InJournal(refusal);
            records.extend(self.end_intent(&mut step, &pending, ending)?);
        }
        Ok(records)
    }

    /// Ends the intents that are at their deadline.
    pub(crate) fn end_what_expired(&mut self, now: UnixMs, tx: &mut dyn Tx) -> Outgoing {
        // This clock ends nothing: a client that is told "expired" signs again, and an entry with
        // an older stamp could then authorize the first intent as well.
        let past = self.journal.read(|follower| follower.past(now));

        let mut records = Vec::new();
        for pending in store::expired(tx, past)? {
            // An intent that was returned here may be authorized all the same, and its shares be
            // out: its end is the transactions service's to tell.
            let ending = match self.prospect_of(&pending, now) {
                Some(Prospect::Ended(_)) => Ending::Expired,
                Some(Prospect::Open | Prospect::TooLate) | None => Ending::Authorized,
            };
            let mut step = step_for(now, tx, &pending.intent);
            records.extend(self.end_intent(&mut step, &pending, ending)?);
        }
        Ok(records)
    }

    /// Tells approvals again, with pauses that double, until their payment is signed or has ended:
    /// the record may be lost, and no one else would tell of it.
    pub(crate) fn tell_again(&mut self, now: UnixMs, tx: &mut dyn Tx) -> Outgoing {
        let mut records = Vec::new();
        for (pending, since) in store::approved_due(tx, now)? {
            let intent = &pending.intent;
            store::set_due(tx, &intent.digest, now.plus(now.since(since)))?;

            // Each copy has an id of its own: the transactions service may have read another and
            // not have been able to act on it yet.
            let seed: [&[u8]; 3] = [b"again", &intent.digest.0, &now.0.to_be_bytes()];
            let cause = Cause::own(&seed, intent.document.expires);
            let mut step = Step { now, tx, cause };
            records.extend(self.tell_approved(&mut step, &pending)?);
        }
        Ok(records)
    }

    /// Whether an intent can still be authorized, by the fresh head; `None` while there is none.
    fn prospect_of(&self, pending: &Pending, now: UnixMs) -> Option<Prospect> {
        let (intent, digest) = (&pending.intent.document, &pending.intent.digest);
        let prospect = self
            .journal
            .read(|follower| FreshHead::of(follower, now)?.prospect(intent, digest));
        prospect.ok()
    }

    /// Forgets an intent. Says so only if it still waited: of an approved one the transactions
    /// service tells the end.
    fn end_intent(
        &mut self,
        step: &mut Step<'_>,
        pending: &Pending,
        ending: Ending,
    ) -> Result<Option<Record>, StageError> {
        let (event, why) = match ending {
            Ending::Expired => (PendingEvent::Expire, Some(Code::IntentExpired.into())),
            Ending::Authorized => (PendingEvent::Expire, None),
            Ending::InJournal(why) => (PendingEvent::EndInJournal, Some(why)),
        };
        store::set_state(step, pending.change(), event)?;

        match (pending.state, why) {
            (PendingState::Waiting, Some(why)) => {
                let verdict = DecisionNews {
                    core: pending.core.to_text(),
                    approvals: Vec::new(),
                    decided: Decided::Refused(why.code, why.detail),
                };
                self.publish_decided(step, &pending.intent, verdict)
                    .map(Some)
            }
            (PendingState::Waiting | PendingState::Absent | PendingState::Approved, _) => Ok(None),
        }
    }
}

/// Work that no record caused: its message ids follow from the intent.
fn step_for<'a>(now: UnixMs, tx: &'a mut dyn Tx, intent: &ParsedText<Intent>) -> Step<'a> {
    let seed: [&[u8]; 2] = [b"over", &intent.digest.0];
    Step {
        now,
        tx,
        cause: Cause::own(&seed, now.plus(NEWS_LIFE_MS)),
    }
}
