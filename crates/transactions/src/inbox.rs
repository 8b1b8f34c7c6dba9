//! Records that the service consumes, opened.

use strongroom_stage::inbox::{Route, Routes};
use strongroom_wire::{IntentDecided, JournalResult, Role, SigningFinished, topics};

/// A record of any of the service's topics.
pub(crate) enum Inbox {
    /// The approvals service decided about an intent.
    Decided(Box<IntentDecided>),
    /// The writer's answer to a submission of this service, or of another submitter.
    JournalResult(JournalResult),
    /// Signatures, or the signers' refusals.
    SigningFinished(SigningFinished),
}

/// Which topics the service reads, and whom it believes there. The bus itself is not trusted:
/// genesis names every service's key and role.
pub(crate) fn routes() -> Routes<Inbox> {
    Routes::new([
        // Another service's word would start payments that no one approved; signers would refuse
        // them, and the coins would be held until then.
        Route::new(topics::INTENT_DECIDED, &[Role::Approvals], |decided| {
            Ok(Inbox::Decided(Box::new(decided)))
        }),
        // Only the writer knows what the journal refused.
        Route::new(topics::JOURNAL_RESULTS, &[Role::Writer], |result| {
            Ok(Inbox::JournalResult(result))
        }),
        // Signatures prove themselves; a refusal does not, so its sender must.
        Route::new(topics::SIGNING_FINISHED, &[Role::Coordinator], |finished| {
            Ok(Inbox::SigningFinished(finished))
        }),
    ])
}
