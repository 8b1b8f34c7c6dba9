//! `intent.decided`: the approvals service's word on an intent.

use super::Step;
use crate::life_cycle::{EarlyDecision, RowEvent};
use crate::store::{self, CoreText, TxRow};
use crate::submit;
use strongroom_stage::StageError;
use strongroom_types::Code;
use strongroom_wire::{Decided, IntentDecided, TransactionState, Who, ended_as};

pub(super) fn on_decided(
    step: &mut Step<'_>,
    decided: IntentDecided,
    core: Option<CoreText>,
) -> Result<(), StageError> {
    let digest = submit::intent_digest(&decided.intent);
    let Some(mut row) = store::by_digest(step.tx, &digest)? else {
        // An intent that came in by another installation of the API, or before its tables were
        // lost: there is no row that a client could ask for.
        return Ok(());
    };

    let (verdict, reason) = match decided.decided {
        Decided::Pending => (EarlyDecision::Pending, None),
        Decided::Approved => (EarlyDecision::Approved, None),
        Decided::Refused(code, detail) => {
            let end = ended_as(code, Who::Policy);
            (EarlyDecision::Ended(end), Some((code, detail)))
        }
    };

    // What was returned was offered before, so the transactions service tells its end.
    if row.is_returned() && matches!(verdict, EarlyDecision::Ended(_)) {
        return Ok(());
    }

    let was = row.clone();
    if row.apply(event(&row, core.as_ref(), verdict)).is_err() {
        // A later change overtook the decision on its own topic: only the core is still news.
        if row.core.is_none() {
            row.core = core;
            store::update(step.tx, &was, &row, step.now)?;
        }
        return Ok(());
    }

    // Answers to another core count for nothing, but those to this one are good again if it comes
    // back: the approvals service counts the same.
    if row.core != core {
        store::set_all_due(step.tx, &digest, step.now)?;
    }
    row.core = core;
    match reason {
        Some((code, detail)) => row.set_reason(code, detail),
        // It overtook the report of the return, which brings the reason.
        None if is_asked_again(was.state(), row.state()) => {
            row.set_reason(
                Code::DecisionChanged,
                Code::DecisionChanged.meaning().to_owned(),
            );
        }
        // Why people were asked again says nothing of what they approved since.
        None if row.state() == TransactionState::Approved => row.clear_reason(),
        None => {}
    }
    Ok(store::update(step.tx, &was, &row, step.now)?)
}

fn event(row: &TxRow, core: Option<&CoreText>, verdict: EarlyDecision) -> RowEvent {
    match (&row.core, core) {
        (Some(shown), Some(core)) if shown != core => RowEvent::DecidedAgain(verdict),
        // A refusal without a core is about the intent, not about another decision.
        (Some(_), Some(_)) | (Some(_), None) | (None, _) => RowEvent::Decided(verdict),
    }
}

/// Whether people are asked about what was approved before.
fn is_asked_again(from: TransactionState, to: TransactionState) -> bool {
    let is_first = matches!(
        from,
        TransactionState::Received | TransactionState::PendingApproval
    );
    to == TransactionState::PendingApproval && !is_first
}
