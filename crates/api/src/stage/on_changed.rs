//! `transaction.changed`: the transactions service reports a state.

use super::Step;
use crate::life_cycle::RowEvent;
use crate::store;
use strongroom_stage::StageError;
use strongroom_wire::{Layer, Marks, TransactionChanged, TransactionState};

pub(super) fn on_changed(
    step: &mut Step<'_>,
    changed: TransactionChanged,
    marks: Marks,
) -> Result<(), StageError> {
    let Some(mut row) = store::by_digest(step.tx, &changed.intent)? else {
        // The intent came through another installation of the API: no client could ask for it here.
        return Ok(());
    };
    let was = row.clone();
    if row.apply(RowEvent::Changed(changed.state)).is_err() {
        // The record was overtaken or doubled: the row is further on already.
        return Ok(());
    }

    // People are asked again. What they answered counts unless it lapsed, so it is not theirs to
    // answer twice.
    if row.state() == TransactionState::PendingApproval && was.state() != row.state() {
        store::set_all_due(step.tx, &changed.intent, step.now)?;
    }

    // A reason of the state before would be false: what was refused has passed since.
    match changed.reason {
        Some((code, detail)) => row.set_reason(code, detail),
        None => row.clear_reason(),
    }
    if let Some(network_id) = changed.network_id {
        row.network_id = network_id;
    }
    if let Some(raw) = changed.signed {
        row.raw = raw;
    }
    row.refusals = changed.refusals;

    // The measured path ends with the first report of a signature: what follows is the network's
    // time.
    if row.state() == TransactionState::Signed && was.state() != TransactionState::Signed {
        row.marks = marks.with(Layer::Signed, step.now.micros());
    }
    Ok(store::update(step.tx, &was, &row, step.now)?)
}
