//! The gate before everything but the status: nothing is answered from a replica that may be old.

use crate::problem::Problem;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use strongroom_types::Code;

/// The one path that answers before the service is ready: it says how far the replica is.
pub(crate) const STATUS: &str = "/v1/status";

/// Whether the API answers; clones share it. Set once, when its replica has a fresh witnessed head
/// and its tables are there.
#[derive(Clone, Debug, Default)]
pub struct Ready(Arc<AtomicBool>);

impl Ready {
    /// A gate that is open from the start, for a replica that is known to be complete.
    #[must_use]
    pub fn at_once() -> Self {
        let ready = Self::default();
        ready.set();
        ready
    }

    /// Lets requests through from now on.
    pub fn set(&self) {
        // This store pairs with the `Acquire` of the gate: a request that sees it also sees the
        // tables that were made before.
        self.0.store(true, Ordering::Release);
    }

    fn is_set(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

/// Answers `not_ready` (503) for every path but the status until [`Ready`] is set. A replica that
/// is still replaying would deny what exists: vaults, transactions, acts.
pub(crate) async fn gate(State(ready): State<Ready>, request: Request, next: Next) -> Response {
    if ready.is_set() || request.uri().path() == STATUS {
        return next.run(request).await;
    }
    let detail = "no fresh witnessed head yet; /v1/status shows how far the replica is";
    Problem::new(Code::NotReady, detail).into_response()
}
