//! Authority acts: what admins, committees and clients sign for the journal.

use crate::text::DigestText;
use crate::transaction::Reason;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The API has taken a signed text and passes it on.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Receipt {
    /// Digest of the text, under which its state is asked for.
    pub digest: DigestText,
    /// Always `submitted`: the journal's answer comes later, under the digest.
    pub state: ReceiptState,
}

/// State of a text that was just taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReceiptState {
    /// On its way to the journal.
    Submitted,
}

/// An act that was offered to the journal.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct ActInfo {
    /// Digest of the act.
    pub digest: DigestText,
    /// The journal's reason when it was refused.
    #[schema(required)]
    pub reason: Option<Reason>,
    /// Progress of the act.
    pub state: ActState,
}

/// Progress of an act, by this server's replica and the writer's answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ActState {
    /// On its way to the journal.
    Submitted,
    /// A loosening that waits for its delay and its release.
    Proposed,
    /// In the journal, and takes effect when a quorum of witnesses has vouched for it; a proposal
    /// whose release is that far.
    Released,
    /// In force, by this server's replica.
    InForce,
    /// Could no longer take effect when the witnesses vouched for it: something came in between, or
    /// its time had passed. It stays used.
    Void,
    /// A proposal that was vetoed, or that no one released in its time.
    Ended,
    /// The journal refused it.
    Refused,
}
