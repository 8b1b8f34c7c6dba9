//! RFC 9457 problems.

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use strongroom_ports::db::{DbError, DbErrorKind};
use strongroom_types::{Code, Refusal};

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
        tracing::error!(%error, "store");
        let code = match error.kind() {
            DbErrorKind::Full => Code::DiskFull,
            DbErrorKind::Corrupt => Code::StoreCorrupt,
            DbErrorKind::Busy | DbErrorKind::Io => Code::NotReady,
            DbErrorKind::Constraint
            | DbErrorKind::Poisoned
            | DbErrorKind::BadText
            | DbErrorKind::Type
            | DbErrorKind::Schema
            | DbErrorKind::Other => Code::Internal,
        };
        code.into()
    }
}

const fn status(code: Code) -> StatusCode {
    match code {
        Code::Unauthenticated => StatusCode::UNAUTHORIZED,
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
        _ => StatusCode::UNPROCESSABLE_ENTITY,
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let Refusal { code, detail } = self.0;
        let status = if code == Code::Malformed {
            StatusCode::BAD_REQUEST
        } else {
            status(code)
        };
        let retryable = matches!(code, Code::NotReady | Code::DiskFull | Code::QuotaExceeded);
        let body = serde_json::json!({
            "type": format!("https://strongroom.dev/errors/{code}"),
            "title": code.meaning(),
            "status": status.as_u16(),
            "detail": detail,
            "code": code.as_str(),
            "retryable": retryable,
        });
        let mut response = (status, body.to_string()).into_response();
        response.headers_mut().insert(
            header::CONTENT_TYPE,
            header::HeaderValue::from_static("application/problem+json"),
        );
        response
    }
}
