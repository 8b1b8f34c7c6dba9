//! Reports of services about an intent, each record filled with the least that it can say.

use crate::world::World;
use strongroom_types::{Document as _, Intent};
use strongroom_wire::{Decided, IntentDecided, TransactionChanged, TransactionState};

impl World {
    /// The approvals service's outcome for an intent, with the canonical text of its decision core
    /// and without approvals.
    #[must_use]
    pub fn intent_decided(
        &self,
        intent: &Intent,
        core: impl Into<String>,
        decided: Decided,
    ) -> IntentDecided {
        IntentDecided {
            intent: self.signed_intent(intent),
            core: core.into(),
            approvals: Vec::new(),
            decided,
        }
    }

    /// The transactions service's report that an intent reached a state, at the intent's creation
    /// time, without reason, refusals or signed transaction.
    #[must_use]
    pub fn transaction_changed(
        &self,
        intent: &Intent,
        state: TransactionState,
    ) -> TransactionChanged {
        TransactionChanged {
            intent: intent.digest(),
            state,
            reason: None,
            refusals: Vec::new(),
            network_id: None,
            signed: None,
            at: intent.created,
        }
    }
}
