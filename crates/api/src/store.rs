//! Rows of the API, one file per table.

mod acts;
mod answers;
mod transactions;

pub(crate) use acts::{
    ActRow, OfferedAct, act, acts_due, acts_over, delete_act, insert_act, set_act_due,
    set_act_look, set_act_result,
};
pub(crate) use answers::{answers, answers_due, insert_answer, set_all_due, set_due};
pub(crate) use transactions::{
    PageCursor, ReceivedIntent, TxRow, by_digest, by_id, in_state, insert_tx, over, page, set_sent,
    update, waiting,
};

use strongroom_ports::db::{DbError, DbErrorKind};

fn broken(what: impl std::fmt::Display) -> DbError {
    DbError::new(DbErrorKind::Type, format!("api table: {what}"))
}
