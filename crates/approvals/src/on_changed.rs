//! A payment has another state.

use crate::pending::PendingEvent;
use crate::stage::{ApprovalsStage, Outgoing};
use crate::step::Step;
use crate::store;
use strongroom_wire::TransactionChanged;

impl ApprovalsStage {
    /// Forgets an approved intent once its decision can change no more.
    pub(crate) fn on_changed(&self, step: &mut Step<'_>, changed: &TransactionChanged) -> Outgoing {
        // A signature is enough: from there on only the chain ends the payment, and no approval is
        // asked again.
        let settled = changed.state.is_signed() || changed.state.is_terminal();
        let Some(pending) = store::find(step.tx, &changed.intent)?.filter(|_| settled) else {
            return Ok(Vec::new());
        };

        store::set_state(step, pending.change(), PendingEvent::Settle)?;
        Ok(Vec::new())
    }
}
