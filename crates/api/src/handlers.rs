//! Request handlers, one file a resource. Work on the store runs off the async threads.

pub(crate) mod acts;
pub(crate) mod approvals;
pub(crate) mod journal;
pub(crate) mod registry;
pub(crate) mod status;
pub(crate) mod transactions;

use crate::access::Access;
use crate::body::SignedBody;
use crate::problem::Problem;
use crate::server::Api;
use axum::Json;
use axum::body::Bytes;
use axum::http::HeaderMap;
use serde_json::Value;
use std::sync::Arc;
use strongroom_ports::bus::{BusError, Record};
use strongroom_stage::StageError;
use strongroom_types::{Code, Signed, TenantId};

pub(crate) type Answer = Result<Json<Value>, Problem>;

/// Runs blocking work with the caller's access.
pub(crate) async fn blocking<T: Send + 'static>(
    api: Arc<Api>,
    headers: HeaderMap,
    work: impl FnOnce(&Api, Access) -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    let run = move || {
        let access = api.access(&headers)?;
        work(&api, access)
    };
    tokio::task::spawn_blocking(run)
        .await
        .unwrap_or_else(|_| Err(Code::Internal.into()))
}

/// A signed container in a request body.
pub(crate) fn signed_body(bytes: &Bytes) -> Result<Signed, Problem> {
    let body: SignedBody =
        serde_json::from_slice(bytes).map_err(|e| Problem::new(Code::Malformed, e))?;
    Ok(body.signed()?)
}

/// Other tenants' things do not exist for a tenant's key.
pub(crate) fn within_reach(access: Access, tenant: TenantId) -> Result<(), Problem> {
    if access.reaches(tenant) {
        Ok(())
    } else {
        Err(Code::NotFound.into())
    }
}

/// Publishes after the commit; what this loses the stage's tick sends again.
pub(crate) fn publish(api: &Api, record: Result<Record, StageError>) -> Result<(), Problem> {
    let record = record.map_err(|e| {
        tracing::error!(error = %e, "record");
        Problem::from(Code::Internal)
    })?;
    match api.bus.publish(&[record]) {
        Ok(()) => Ok(()),
        Err(error @ BusError::TooLarge { .. }) => Err(Problem::new(Code::RecordTooLarge, error)),
        Err(error) => {
            tracing::warn!(%error, "publish; will be sent again");
            Ok(())
        }
    }
}
