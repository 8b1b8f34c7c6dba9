//! Refusals (RFC 9457, `application/problem+json`).

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Refusal of a request (RFC 9457), served as `application/problem+json`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct ProblemDetails {
    /// Stable code; `docs/errors/` has a row for each.
    pub code: String,
    /// Subject of the refusal or the code's general meaning, for people.
    pub detail: String,
    /// Whether the same request may succeed later: the code's cure is *wait*, or the disk is full.
    pub retryable: bool,
    /// HTTP status, as in the status line.
    pub status: u16,
    /// Meaning of the code.
    pub title: String,
    /// URL of the page that describes the code.
    #[serde(rename = "type")]
    pub page: String,
}
