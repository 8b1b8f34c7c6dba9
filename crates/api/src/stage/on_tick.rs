//! The clock: sends again what has no answer, and ends what expired before it was offered.

use super::Step;
use crate::life_cycle::RowEvent;
use crate::store::{self, ActRow, TxRow};
use crate::submit::{act_record, approval_record, intent_record};
use crate::tally::is_to_decision;
use strongroom_journal::keyspace as ks;
use strongroom_journal::prospect::{FreshHead, Prospect};
use strongroom_journal::state::View as _;
use strongroom_ports::bus::Record;
use strongroom_replica::SharedFollower;
use strongroom_stage::StageError;
use strongroom_stage::post::Post;
use strongroom_types::{Act, Code, Document as _, UnixMs};
use strongroom_wire::TransactionState;

/// Time after which a record without an answer is sent again, milliseconds: well above the time
/// that an answer takes, well below a client's patience.
const AGAIN_MS: u64 = 2_000;

/// Longest pause between two offers of one act, milliseconds: it lives for up to 32 days, and its
/// people wait.
const PAUSE_MAX_MS: u64 = 3_600_000;

/// Pause before an answered act that the journal still knows is looked at again, milliseconds.
const LOOK_AGAIN_MS: u64 = 3_600_000;

pub(super) fn on_tick(
    post: &mut Post,
    step: &mut Step<'_>,
    journal: &SharedFollower,
) -> Result<Vec<Record>, StageError> {
    let before = UnixMs(step.now.0.saturating_sub(AGAIN_MS));
    let mut records = send_intents(post, step, before)?;
    records.extend(send_answers(post, step, before)?);
    records.extend(send_acts(post, step, journal, before)?);
    end_what_is_over(step, journal)?;
    forget_acts(step, journal)?;
    Ok(records)
}

/// Intents are sent until they are decided or their time is over.
fn send_intents(
    post: &mut Post,
    step: &mut Step<'_>,
    before: UnixMs,
) -> Result<Vec<Record>, StageError> {
    let mut records = Vec::new();
    for row in store::in_state(step.tx, TransactionState::Received, before)? {
        // The mark is set in the commit that sends it, or each tick would send it again. It keeps
        // the next page from beginning with one whose time is over, too.
        store::set_sent(step.tx, &row.intent, step.now)?;
        if step.now.0 < row.expires_ms {
            let marks = row.marks.clone();
            records.push(intent_record(post, step.now, &row, marks)?);
        }
    }
    Ok(records)
}

/// How much later than the intent's end the row of an offered transaction ends here, milliseconds.
/// The transactions service reports that end with its reason, unless its tables were put back.
const OFFERED_END_MS: u64 = 60_000;

/// Ends the rows of unsigned transactions whose time is over: a service that has the intent tells its
/// end, but may never have had it, and its record may be lost.
fn end_what_is_over(step: &mut Step<'_>, journal: &SharedFollower) -> Result<(), StageError> {
    // This clock ends nothing: another service may have had the intent, and its entry may come with
    // an older stamp. A client that was told "expired" would sign again.
    let past = journal.read(|follower| follower.past(step.now));

    for (state, later_ms) in [
        (TransactionState::Received, 0),
        (TransactionState::PendingApproval, 0),
        (TransactionState::Approved, 0),
        (TransactionState::TimeLocked, 0),
        (TransactionState::WaitingForFunds, 0),
        (TransactionState::Signing, OFFERED_END_MS),
    ] {
        let past = UnixMs(past.0.saturating_sub(later_ms));
        for mut row in store::txs_past_their_end(step.tx, state, past)? {
            let (event, code) = match prospect_of(journal, &row, step.now) {
                // No entry can authorize the intent any more, so a client that waits for it must
                // see an end.
                Some(Prospect::Ended(_)) => (RowEvent::TimedOut, Code::IntentExpired),
                // Another submitter may have had it authorized, so that a share of it may be out. A
                // client that is told "expired" would sign again.
                Some(Prospect::TooLate) => {
                    (RowEvent::Changed(TransactionState::Signing), Code::TooLate)
                }
                Some(Prospect::Open) | None => continue,
            };

            let was = row.clone();
            if row.apply(event).is_err() {
                continue;
            }
            row.set_reason(code, code.meaning().to_owned());
            store::update(step.tx, &was, &row, step.now)?;
        }
    }
    Ok(())
}

/// Whether an intent can still be signed, by the fresh head; `None` while there is none.
fn prospect_of(journal: &SharedFollower, row: &TxRow, now: UnixMs) -> Option<Prospect> {
    let (intent, digest) = (&row.document, &row.intent);
    let prospect = journal.read(|follower| FreshHead::of(follower, now)?.prospect(intent, digest));
    prospect.ok()
}

/// Answers are sent until their transaction is decided, with pauses that double. The handler's
/// publication may be lost, and the approvals service refuses an answer that its replica of the
/// journal is too old for.
fn send_answers(
    post: &mut Post,
    step: &mut Step<'_>,
    before: UnixMs,
) -> Result<Vec<Record>, StageError> {
    let mut records = Vec::new();
    for due in store::answers_due(step.tx, before)? {
        let answer = &due.answer;
        let row = store::by_digest(step.tx, &due.intent)?;
        let is_asked = |row: &TxRow| {
            row.state() == TransactionState::PendingApproval && is_to_decision(row, answer)
        };
        let Some(row) = row.filter(is_asked) else {
            store::set_due(step.tx, &answer.digest, None)?;
            continue;
        };

        // It is set in the commit that sends the answer, or each tick would send it again.
        let age_ms = step.now.since(due.at);
        store::set_due(step.tx, &answer.digest, Some(before.plus(age_ms)))?;
        records.push(approval_record(post, step.now, &row, &answer.signed)?);
    }
    Ok(records)
}

/// Acts are offered until the writer answers, the journal has them or their time is over, with
/// pauses that double. An offer or its answer may be lost, and the writer may be away.
fn send_acts(
    post: &mut Post,
    step: &mut Step<'_>,
    journal: &SharedFollower,
    before: UnixMs,
) -> Result<Vec<Record>, StageError> {
    let past = journal.read(|follower| follower.past(step.now));

    let mut records = Vec::new();
    for row in store::acts_due(step.tx, before)? {
        // The first repetition always goes out: an act that the journal has may do more with the
        // signatures that were posted now.
        if row.due > row.at && is_held(journal, &row) {
            store::set_act_result(step.tx, &row.submission, "", "")?;
            continue;
        }

        let expires = Act::parse(&row.signed.text).map_or(UnixMs(0), |act| act.expires);
        if expires <= past {
            // No entry can bring it any more. The reason stays for a while for those who ask.
            let code = Code::AuthorityExpired;
            store::set_act_result(step.tx, &row.submission, code.as_str(), code.meaning())?;
            store::set_act_look(step.tx, &row.submission, step.now.plus(LOOK_AGAIN_MS))?;
            continue;
        }

        // It is set in the commit that sends the act, or each tick would send it again.
        let pause_ms = step.now.since(row.at).min(PAUSE_MAX_MS);
        store::set_act_due(step.tx, &row.submission, before.plus(pause_ms))?;
        if step.now < expires {
            records.push(act_record(post, step.now, &row.signed, row.submission)?);
        }
    }
    Ok(records)
}

/// Whether the journal knows the act.
fn is_held(journal: &SharedFollower, row: &ActRow) -> bool {
    Act::parse(&row.signed.text).is_ok_and(|act| {
        let used = ks::used_act(act.scope, &Act::digest_of(&row.signed.text));
        journal.read(|f| f.state().get(&used).is_some())
    })
}

/// Deletes answered acts whose time is over and that the journal has forgotten, or the table would
/// only grow.
fn forget_acts(step: &mut Step<'_>, journal: &SharedFollower) -> Result<(), StageError> {
    for row in store::acts_past_their_end(step.tx, step.now)? {
        // A proposal outlives its act, and clients still ask for it.
        if is_held(journal, &row) {
            store::set_act_look(step.tx, &row.submission, step.now.plus(LOOK_AGAIN_MS))?;
        } else {
            store::delete_act(step.tx, &row.submission)?;
        }
    }
    Ok(())
}
