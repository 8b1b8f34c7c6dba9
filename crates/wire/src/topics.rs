//! Topic names, `strongroom.<domain>.<what>.v1`. Each doc names senders → receivers and the
//! record's key.

use strongroom_types::NodeId;

/// api → approvals, key vault.
pub const INTENT_SUBMITTED: &str = "strongroom.intent.submitted.v1";
/// api → approvals, key vault.
pub const APPROVAL_SUBMITTED: &str = "strongroom.approval.submitted.v1";
/// approvals → transactions, api; key vault.
pub const INTENT_DECIDED: &str = "strongroom.intent.decided.v1";
/// transactions → approvals, key vault.
pub const INTENT_RETURNED: &str = "strongroom.intent.returned.v1";
/// transactions → coordinator, key `key`.
pub const SIGNING_REQUESTED: &str = "strongroom.signing.requested.v1";
/// coordinator → transactions, key vault.
pub const SIGNING_FINISHED: &str = "strongroom.signing.finished.v1";
/// transactions → api, approvals; key vault.
pub const TRANSACTION_CHANGED: &str = "strongroom.transaction.changed.v1";
/// api, approvals, transactions, coordinator → journal; key scope. Signers and witnesses send it
/// the tightenings that were handed to them; key: their own id.
pub const JOURNAL_SUBMITTED: &str = "strongroom.journal.submitted.v1";
/// journal → submitters; key submitter.
pub const JOURNAL_RESULTS: &str = "strongroom.journal.results.v1";
/// journal → all; one partition; each record a batch of entries with its checkpoint.
pub const JOURNAL_ENTRIES: &str = "strongroom.journal.entries.v1";

/// coordinator → this signer only.
#[must_use]
pub fn signer_inbox(signer: NodeId) -> String {
    format!("strongroom.signer.{signer}.inbox.v1")
}

/// This signer only → coordinator.
#[must_use]
pub fn signer_outbox(signer: NodeId) -> String {
    format!("strongroom.signer.{signer}.outbox.v1")
}

/// This witness only → journal, all signers, services.
#[must_use]
pub fn cosignatures(witness: NodeId) -> String {
    format!("strongroom.witness.{witness}.cosignatures.v1")
}
