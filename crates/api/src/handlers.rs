//! Request handlers, one file per endpoint or resource. Work on the store runs off the async
//! threads.

pub(crate) mod acts;
pub(crate) mod addresses;
pub(crate) mod approvals;
pub(crate) mod journal;
mod scope;
pub(crate) mod status;
pub(crate) mod tenants;
pub(crate) mod transactions;
pub(crate) mod vaults;
mod wait;

use crate::access::Access;
use crate::api::Api;
use crate::problem::Problem;
use axum::Json;
use axum::http::{HeaderMap, StatusCode};
use std::sync::Arc;
use strongroom_types::Code;

/// An answer with status 200.
pub(crate) type Answer<T> = Result<Json<T>, Problem>;
/// An answer with status 202: the request is on its way.
pub(crate) type Accepted<T> = Result<(StatusCode, Json<T>), Problem>;

/// The API and the headers of one request: every handler that needs a key begins with it.
#[derive(Clone)]
pub(crate) struct Caller {
    api: Arc<Api>,
    headers: HeaderMap,
}

impl Caller {
    pub(crate) fn new(api: Arc<Api>, headers: HeaderMap) -> Self {
        Self { api, headers }
    }

    /// Runs blocking work with the caller's access.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Api, Access) -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        let Self { api, headers } = self.clone();
        let run = move || {
            // Work gets its access from here and in no other way: no handler can forget to ask for
            // it.
            let access = api.access(&headers)?;
            work(&api, access)
        };

        // The store blocks, so the work runs on a thread of its own. A panic ends one request; the
        // other connections of the process go on.
        tokio::task::spawn_blocking(run).await.unwrap_or_else(|e| {
            tracing::error!(error = %e, "a handler panicked");
            Err(Code::Internal.into())
        })
    }
}
