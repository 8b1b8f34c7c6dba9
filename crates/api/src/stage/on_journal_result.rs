//! `journal.results`: the writer's answer to an act.

use super::Step;
use crate::store;
use strongroom_stage::StageError;
use strongroom_types::printable;
use strongroom_wire::JournalResult;

pub(super) fn on_journal_result(
    step: &mut Step<'_>,
    result: &JournalResult,
) -> Result<(), StageError> {
    let (code, detail) = match &result.result {
        Ok(_) => ("", String::new()),
        Err((code, detail)) => (code.as_str(), printable(detail.clone())),
    };

    // The row is found by submission, not by act: an answer to an earlier offer must not end the
    // one that is under way.
    store::set_act_result(step.tx, &result.submission, code, &detail)?;
    Ok(())
}
