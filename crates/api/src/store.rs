//! Rows of the API, one file per table.

mod acts;
mod answers;
mod transactions;

pub(crate) use acts::{
    ActRow, OfferedAct, act, acts_due, acts_past_their_end, delete_act, insert_act, set_act_due,
    set_act_look, set_act_result,
};
pub(crate) use answers::{
    Answer, answers, answers_due, delete_answer, insert_answer, set_all_due, set_due,
};
pub(crate) use transactions::{
    CoreText, PageCursor, ReceivedIntent, TxRow, by_digest, by_id, in_state, insert_tx, page,
    set_sent, txs_past_their_end, update, waiting,
};

use strongroom_ports::db::{Arg, DbError, DbErrorKind};
use strongroom_types::UnixMs;

/// How far rounding and the pause before the first repetition may lead, milliseconds.
const SLACK_MS: u64 = 8_000;

/// Least sum of `at_ms` and `due_ms` of a row that was sent by a clock that was ahead; it is due at
/// once, since its time would come only when that clock's does. Pauses double, so that a row
/// is due as long after the last time as that is after `at_ms`, at the longest.
fn from_the_future(at: UnixMs) -> Result<Arg<'static>, DbError> {
    Arg::u64(at.0.saturating_mul(2).saturating_add(SLACK_MS))
}

fn broken(what: impl std::fmt::Display) -> DbError {
    DbError::new(DbErrorKind::Type, format!("api table: {what}"))
}
