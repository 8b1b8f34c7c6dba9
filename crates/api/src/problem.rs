//! RFC 9457 problems.

use crate::submit::SubmitError;
use axum::Json;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use strongroom_api_types::ProblemDetails;
use strongroom_ports::bus::BusError;
use strongroom_ports::db::{DbError, DbErrorKind};
use strongroom_types::{Code, Cure, Refusal};

/// An error answer: status by code, public text, stable `code`.
pub(crate) struct Problem(pub(crate) Refusal);

impl Problem {
    pub(crate) fn new(code: Code, detail: impl std::fmt::Display) -> Self {
        Self(Refusal::new(code, detail))
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        Self(refusal)
    }
}

impl From<Code> for Problem {
    fn from(code: Code) -> Self {
        Self(code.into())
    }
}

/// The cause of a store failure goes to the log, never to the client.
impl From<DbError> for Problem {
    fn from(error: DbError) -> Self {
        let cause: &dyn std::error::Error = &error;
        tracing::error!(error = cause, "store");

        let code = match error.kind() {
            DbErrorKind::Full => Code::DiskFull,
            DbErrorKind::Corrupt => Code::StoreCorrupt,
            DbErrorKind::Busy | DbErrorKind::Io => Code::NotReady,
            DbErrorKind::Constraint
            | DbErrorKind::Poisoned
            | DbErrorKind::BadValue
            | DbErrorKind::Type
            | DbErrorKind::Schema
            | DbErrorKind::Other => Code::Internal,
        };
        code.into()
    }
}

/// The mirror reads the bus on behalf of a request.
impl From<BusError> for Problem {
    fn from(error: BusError) -> Self {
        tracing::error!(%error, "journal mirror");

        let code = if error.is_transient() {
            Code::NotReady
        } else {
            Code::Internal
        };
        code.into()
    }
}

impl From<SubmitError> for Problem {
    fn from(error: SubmitError) -> Self {
        match error {
            SubmitError::Refused(refusal) => refusal.into(),
            SubmitError::Store(error) => error.into(),
            SubmitError::Record(error) => {
                tracing::error!(error = error.chain(), "record");
                Code::Internal.into()
            }
        }
    }
}

const fn status(code: Code) -> StatusCode {
    match code {
        Code::Malformed => StatusCode::BAD_REQUEST,
        Code::Unauthenticated => StatusCode::UNAUTHORIZED,
        // The same answer hides what a tenant's key must not know to exist.
        Code::NotFound
        | Code::UnknownTenant
        | Code::UnknownVault
        | Code::UnknownKey
        | Code::UnknownIntent => StatusCode::NOT_FOUND,
        Code::DuplicateExternalId | Code::Conflict | Code::AlreadyExists | Code::UsedAuthority => {
            StatusCode::CONFLICT
        }
        Code::QuotaExceeded => StatusCode::TOO_MANY_REQUESTS,
        Code::RecordTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        Code::NotReady | Code::DiskFull => StatusCode::SERVICE_UNAVAILABLE,
        Code::Internal | Code::StoreCorrupt => StatusCode::INTERNAL_SERVER_ERROR,
        // Policy or journal refuse what is well formed (RFC 9110 §15.5.21).
        _ => StatusCode::UNPROCESSABLE_ENTITY,
    }
}

/// Whether the same request may succeed later.
const fn is_retryable(code: Code) -> bool {
    match code.cure() {
        Cure::Wait => true,
        // Where a signer refuses, another one is asked. The API has no other machine: its operator
        // makes room, and then the same request passes.
        Cure::OtherSigner => matches!(code, Code::DiskFull),
        Cure::Approve | Cure::Rebuild | Cure::Never => false,
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let Refusal { code, detail } = self.0;
        let status = status(code);

        let body = ProblemDetails {
            code: code.as_str().to_owned(),
            detail,
            retryable: is_retryable(code),
            status: status.as_u16(),
            title: code.meaning().to_owned(),
            page: format!("https://strongroom.dev/errors/{code}"),
        };

        let mut response = (status, Json(body)).into_response();
        // `Json` has set application/json; RFC 9457 §3 gives problems a type of their own.
        response.headers_mut().insert(
            header::CONTENT_TYPE,
            header::HeaderValue::from_static("application/problem+json"),
        );
        response
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn body(code: Code) -> serde_json::Value {
        let response = Problem::from(code).into_response();
        let runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = { runtime }.build().unwrap();
        let bytes = runtime.block_on(axum::body::to_bytes(response.into_body(), usize::MAX));
        serde_json::from_slice(&bytes.unwrap()).unwrap()
    }

    /// Each code, its cure, and what a client sees of it.
    #[test]
    fn every_cure_has_its_answer() {
        let mut table = format!("{:<29}{:<13}{:<7}retryable\n", "code", "cure", "status");
        for code in Code::ALL {
            let body = body(*code);
            let (name, cure) = (code.as_str(), code.cure().name());
            let (status, retryable) = (&body["status"], &body["retryable"]);
            table += &format!("{name:<29}{cure:<13}{status:<7}{retryable}\n");
        }
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/snapshots/cures.txt");
        strongroom_golden::snapshot(path, &table);
    }

    /// A client goes by `retryable`, a proxy by the status: where both speak they agree.
    #[test]
    fn what_a_proxy_may_repeat_a_client_may() {
        for code in Code::ALL {
            let body = body(*code);
            if matches!(body["status"].as_u64().unwrap(), 429 | 503) {
                assert_eq!(body["retryable"], true, "{code}");
            }
        }
    }

    #[test]
    fn a_store_that_is_full_busy_or_corrupt_is_told_apart() {
        for (kind, code) in [
            (DbErrorKind::Full, Code::DiskFull),
            (DbErrorKind::Busy, Code::NotReady),
            (DbErrorKind::Io, Code::NotReady),
            (DbErrorKind::Corrupt, Code::StoreCorrupt),
            (DbErrorKind::Constraint, Code::Internal),
        ] {
            let problem = Problem::from(DbError::new(kind, "the secret path"));
            assert_eq!(problem.0.code, code);
            assert!(!problem.0.detail.contains("secret"), "the cause is ours");
        }
    }
}
