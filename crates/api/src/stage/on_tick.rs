//! The clock: sends again what has no answer, and ends what expired before it was decided.

use super::Step;
use crate::life_cycle::RowEvent;
use crate::store;
use crate::submit::{act_record, approval_record, intent_record};
use strongroom_ports::bus::Record;
use strongroom_stage::StageError;
use strongroom_stage::post::Post;
use strongroom_types::{Code, UnixMs};
use strongroom_wire::TransactionState;

/// Time after which a record without an answer is sent again, milliseconds: well above the time
/// that an answer takes, well below a client's patience.
const AGAIN_MS: u64 = 2_000;

/// `past` is the time that has passed for good.
pub(super) fn on_tick(
    post: &mut Post,
    step: &mut Step<'_>,
    past: UnixMs,
) -> Result<Vec<Record>, StageError> {
    let before = UnixMs(step.now.0.saturating_sub(AGAIN_MS));
    let mut records = send_intents(post, step, (before, past))?;
    records.extend(send_answers(post, step, before)?);
    records.extend(send_acts(post, step, before)?);
    Ok(records)
}

/// Intents are sent until they are decided or their time is over.
fn send_intents(
    post: &mut Post,
    step: &mut Step<'_>,
    (before, past): (UnixMs, UnixMs),
) -> Result<Vec<Record>, StageError> {
    let mut records = Vec::new();
    for mut row in store::in_state(step.tx, TransactionState::Received, before)? {
        if step.now.0 < row.expires_ms {
            // The mark is set in the commit that sends it, or each tick would send it again.
            store::set_sent(step.tx, &row.intent, step.now)?;

            let marks = row.marks.clone();
            records.push(intent_record(post, step.now, &row, marks)?);
        } else if past.0 < row.expires_ms {
            // Another service may have had it, and its entry may come with an older stamp: a client
            // that was told "expired" would sign again. The next page must not begin with it.
            store::set_sent(step.tx, &row.intent, step.now)?;
        } else {
            // Nothing authorizes it any more: a client that waits for it must see an end.
            let was = row.clone();
            if row.apply(RowEvent::TimedOut).is_err() {
                continue;
            }
            row.set_reason(
                Code::IntentExpired,
                Code::IntentExpired.meaning().to_owned(),
            );
            store::update(step.tx, &was, &row, step.now)?;
        }
    }
    Ok(records)
}

/// Answers are sent once more: what the handler published may be lost, what goes out from here is
/// part of this commit.
fn send_answers(
    post: &mut Post,
    step: &mut Step<'_>,
    before: UnixMs,
) -> Result<Vec<Record>, StageError> {
    let mut records = Vec::new();
    for (intent, signed) in store::answers_unsent(step.tx, before)? {
        if let Some(row) = store::by_digest(step.tx, &intent)? {
            records.push(approval_record(post, step.now, &row, &signed)?);
        }
    }
    Ok(records)
}

/// Acts are sent until the writer answers.
fn send_acts(
    post: &mut Post,
    step: &mut Step<'_>,
    before: UnixMs,
) -> Result<Vec<Record>, StageError> {
    let mut records = Vec::new();
    for act in store::acts_due(step.tx, before, step.now)? {
        records.push(act_record(post, step.now, &act.signed, act.submission)?);
    }
    Ok(records)
}
