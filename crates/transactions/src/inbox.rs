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

/// Topics that the service reads, each with the role that it believes there. The bus itself is not
/// trusted: genesis names every service's key and role.
pub(crate) fn routes() -> Routes<Inbox> {
    Routes::new([
        // Only approvals is believed: another service could start payments that no one approved.
        // Signers would refuse them, and the coins would be held until then.
        Route::new(topics::INTENT_DECIDED, &[Role::Approvals], |decided| {
            Ok(Inbox::Decided(Box::new(decided)))
        }),
        // Only the writer knows what the journal refused.
        Route::new(topics::JOURNAL_RESULTS, &[Role::Writer], |result| {
            Ok(Inbox::JournalResult(result))
        }),
        // Signatures prove themselves. A refusal does not, so its sender must be the coordinator.
        Route::new(topics::SIGNING_FINISHED, &[Role::Coordinator], |finished| {
            Ok(Inbox::SigningFinished(finished))
        }),
    ])
}
