//! Refusals (RFC 9457, `application/problem+json`).

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Why a request was refused.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct ProblemDetails {
    /// Stable code; `docs/errors/` has a row for each.
    pub code: String,
    /// What exactly, for people.
    pub detail: String,
    /// Whether the same request may succeed later.
    pub retryable: bool,
    /// HTTP status.
    pub status: u16,
    /// Meaning of the code.
    pub title: String,
    /// Page of the code.
    #[serde(rename = "type")]
    pub page: String,
}
