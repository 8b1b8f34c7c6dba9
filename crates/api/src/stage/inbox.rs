//! Records that the API consumes, parsed once.

use crate::store::CoreText;
use strongroom_stage::inbox::{Route, Routes};
use strongroom_wire::{IntentDecided, JournalResult, Role, TransactionChanged, topics};

/// One record, opened.
pub(super) enum Inbox {
    /// The approvals service decided, with this core.
    Decided(Box<IntentDecided>, Option<CoreText>),
    /// The transactions service reports a state.
    Changed(Box<TransactionChanged>),
    /// The writer's answer to a submission of this API, or of another submitter.
    JournalResult(JournalResult),
}

/// Topics that the API consumes. Each has one sender: a record of another role is poison, even with
/// a valid signature.
pub(super) fn routes() -> Routes<Inbox> {
    Routes::new([
        Route::new(
            topics::INTENT_DECIDED,
            &[Role::Approvals],
            |decided: IntentDecided| {
                // Every reader of the row parses its core again: a text that is none must not come
                // into the table.
                let core = CoreText::parse(&decided.core)?;
                Ok(Inbox::Decided(Box::new(decided), core))
            },
        ),
        Route::new(
            topics::TRANSACTION_CHANGED,
            &[Role::Transactions],
            |changed| Ok(Inbox::Changed(Box::new(changed))),
        ),
        Route::new(topics::JOURNAL_RESULTS, &[Role::Writer], |result| {
            Ok(Inbox::JournalResult(result))
        }),
    ])
}
