//! What waits for approvers.

use crate::text::{AnswerText, CredentialIdText};
use crate::transaction::TransactionInfo;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A transaction that waits for approvers: the exact texts of intent and decision, from which they
/// recompute both digests.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct PendingInfo {
    /// Who has answered.
    pub answered: Vec<AnswerInfo>,
    /// The initiator's words.
    #[schema(required)]
    pub purpose: Option<String>,
    /// The transaction.
    pub transaction: TransactionInfo,
}

/// One approver's answer.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct AnswerInfo {
    /// `yes` or `no`.
    pub answer: AnswerText,
    /// Credential that answered.
    pub approver: CredentialIdText,
}
