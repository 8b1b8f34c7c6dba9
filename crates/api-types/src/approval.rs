//! Transactions that wait for approvers.

use crate::text::CredentialIdText;
use crate::transaction::TransactionInfo;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A transaction that waits for approvers: the exact texts of intent and decision, from which they
/// recompute both digests.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct PendingInfo {
    /// Answers so far, in the order they came.
    pub answered: Vec<AnswerInfo>,
    /// Purpose in the initiator's words, from the intent; `null` when there is none.
    #[schema(required)]
    pub purpose: Option<String>,
    /// Transaction to be approved, with all answers to it.
    pub transaction: TransactionInfo,
}

/// One approver's yes.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct AnswerInfo {
    /// Credential that approved.
    pub approver: CredentialIdText,
}
