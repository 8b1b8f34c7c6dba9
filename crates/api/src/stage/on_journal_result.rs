//! `journal.results`: the writer's answer to an act.

use super::Step;
use crate::store;
use strongroom_stage::StageError;
use strongroom_types::{Code, printable};
use strongroom_wire::JournalResult;

pub(super) fn on_journal_result(
    step: &mut Step<'_>,
    result: &JournalResult,
) -> Result<(), StageError> {
    let (code, detail) = match &result.result {
        // The journal has a used act already, by an offer whose result was lost: its state there is
        // what is shown.
        Ok(_) | Err((Code::UsedAuthority, _)) => ("", String::new()),
        // The writer was away when it was offered, and judged nothing. It is back, so the act is
        // offered without its pause, which has grown with the outage: a veto waits for nothing.
        Err((Code::DeadlineExpired, _)) => {
            store::set_act_due(step.tx, &result.submission, step.now)?;
            return Ok(());
        }
        Err((code, detail)) => (code.as_str(), printable(detail.clone())),
    };

    // The row is found by submission, not by act: an answer to an earlier offer must not end the
    // one that is under way.
    store::set_act_result(step.tx, &result.submission, code, &detail)?;
    Ok(())
}
