//! Extractors whose refusals are problems like all others: a client never meets plain text where
//! it expects `application/problem+json`.

use crate::problem::Problem;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use serde::de::DeserializeOwned;
use strongroom_api_types::SignedRequest;
use strongroom_types::{Code, Signed};

/// Members of a path.
pub(crate) struct Path<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Path<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        axum::extract::Path::from_request_parts(parts, state)
            .await
            .map(|axum::extract::Path(value)| Self(value))
            .map_err(|e| Problem::new(Code::Malformed, e.body_text()))
    }
}

/// Members of a query; unknown ones are refused.
pub(crate) struct Query<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        axum::extract::Query::from_request_parts(parts, state)
            .await
            .map(|axum::extract::Query(value)| Self(value))
            .map_err(|e| Problem::new(Code::Malformed, e.body_text()))
    }
}

/// A body that is not read yet: the caller's key is judged before the request itself.
pub(crate) struct UnreadBody(Bytes);

impl<S: Send + Sync> FromRequest<S> for UnreadBody {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let bytes = Bytes::from_request(request, state).await;
        bytes.map(Self).map_err(|e: BytesRejection| {
            let too_large = e.status() == StatusCode::PAYLOAD_TOO_LARGE;
            // The size has a code of its own, so that a client can tell a text that is too long
            // from one that is wrong.
            let code = if too_large {
                Code::RecordTooLarge
            } else {
                Code::Malformed
            };
            Problem::new(code, e.body_text())
        })
    }
}

impl UnreadBody {
    /// The signed text in the body.
    pub(crate) fn signed(&self) -> Result<Signed, Problem> {
        let request: SignedRequest =
            serde_json::from_slice(&self.0).map_err(|e| Problem::new(Code::Malformed, e))?;
        Ok(request.try_into()?)
    }
}
