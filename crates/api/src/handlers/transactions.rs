//! Transactions: create, list, show, timeline, cancel.

mod cancel;
mod create;
mod list;
mod show;

pub(crate) use cancel::*;
pub(crate) use create::*;
pub(crate) use list::*;
pub(crate) use show::*;

use super::scope::within_reach;
use crate::access::Access;
use crate::api::Api;
use crate::problem::Problem;
use crate::show::transaction_id;
use crate::store::{self, Answer, TxRow};
use crate::tally::shown_answers;
use strongroom_types::Code;

/// A transaction's row with the answers to it.
fn load(api: &Api, access: Access, id: &str) -> Result<(TxRow, Vec<Answer>), Problem> {
    let mut tx = api.db().begin()?;
    let row = store::by_id(tx.as_mut(), transaction_id(id)?)?.ok_or(Code::NotFound)?;
    within_reach(access, row.tenant)?;
    let answers = store::answers(tx.as_mut(), &row.intent)?;
    let answers = shown_answers(api.journal(), &row, answers, api.now());
    Ok((row, answers))
}
