//! What time and the journal end without a record of the bus.

use crate::inbox::ParsedText;
use crate::pending::{PendingEvent, PendingState};
use crate::publish::DecisionNews;
use crate::stage::{ApprovalsStage, Outgoing};
use crate::step::Step;
use crate::store::{self, Pending};
use strongroom_journal::apply::evaluate;
use strongroom_ports::bus::Record;
use strongroom_ports::db::Tx;
use strongroom_stage::StageError;
use strongroom_stage::post::Cause;
use strongroom_types::{Code, Digest, Document as _, Intent, Refusal, UnixMs};
use strongroom_wire::Decided;

/// How long readers may act upon the news that an intent ended, milliseconds.
const NEWS_LIFE_MS: u64 = 60_000;

/// Why an intent ends without a record of the bus.
enum Ending {
    /// Its deadline has passed.
    Expired,
    /// The journal holds its end.
    InJournal(Refusal),
}

impl ApprovalsStage {
    /// Walks through what waits, a page per tick: a cancelled or rejected intent must not keep
    /// people busy.
    pub(crate) fn end_what_the_journal_ended(&mut self, now: UnixMs, tx: &mut dyn Tx) -> Outgoing {
        let page = store::waiting_after(tx, &self.walked)?;
        // An empty page is the end: begin again at the next tick.
        self.walked = page
            .last()
            .map_or(Digest::default(), |last| last.intent.digest);

        let mut records = Vec::new();
        for pending in page {
            let signed = &pending.intent.signed;
            let evaluated = self.journal.read(|follower| {
                evaluate(follower.state(), follower.state(), signed, now).map(drop)
            });

            // Other refusals may pass before the deadline (a pause, a stop): people can go on.
            let Err(refusal) = evaluated else { continue };
            if matches!(refusal.code, Code::IntentCancelled | Code::IntentRejected) {
                let mut step = step_for(now, tx, &pending.intent);
                let ending = Ending::InJournal(refusal);
                records.extend(self.end_intent(&mut step, &pending, ending)?);
            }
        }
        Ok(records)
    }

    /// Ends what is at its deadline.
    pub(crate) fn end_what_expired(&mut self, now: UnixMs, tx: &mut dyn Tx) -> Outgoing {
        // Not by this clock: a client that is told "expired" signs again, and an entry with an older
        // stamp could then authorize the first intent as well.
        let past = self.journal.read(|follower| follower.past(now));

        let mut records = Vec::new();
        for pending in store::expired(tx, past)? {
            let mut step = step_for(now, tx, &pending.intent);
            records.extend(self.end_intent(&mut step, &pending, Ending::Expired)?);
        }
        Ok(records)
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
            Ending::Expired => (PendingEvent::Expire, Code::IntentExpired.into()),
            Ending::InJournal(why) => (PendingEvent::EndInJournal, why),
        };
        store::set_state(step, pending.change(), event)?;

        match pending.state {
            PendingState::Waiting => {
                let verdict = DecisionNews {
                    core: pending.core.to_text(),
                    approvals: Vec::new(),
                    decided: Decided::Refused(why.code, why.detail),
                };
                self.publish_decided(step, &pending.intent, verdict)
                    .map(Some)
            }
            PendingState::Absent | PendingState::Approved => Ok(None),
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
