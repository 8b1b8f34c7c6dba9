//! Router and server.

use crate::access::{Access, Keyring};
use crate::follow::Changes;
use crate::handlers;
use crate::journal::Mirror;
use crate::problem::Problem;
use crate::ready::{Ready, STATUS, gate};
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::HeaderMap;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use strongroom_ports::bus::Bus;
use strongroom_ports::chain::ChainCodec;
use strongroom_ports::db::Db;
use strongroom_ports::host::Clock;
use strongroom_replica::SharedFollower;
use strongroom_stage::post::Post;
use strongroom_types::{Code, UnixMs};

/// Largest request body: an authorization bundle with room for JSON escapes.
const BODY_BYTES_MAX: usize = 192 * 1024;

/// What the API is made of.
pub struct ApiParts {
    /// Its database, shared with its stage.
    pub db: Arc<dyn Db>,
    /// The bus.
    pub bus: Arc<dyn Bus>,
    /// Its replica.
    pub journal: Arc<SharedFollower>,
    /// Codecs of the chains it derives addresses for.
    pub codecs: Vec<Arc<dyn ChainCodec>>,
    /// Its identity.
    pub post: Post,
    /// Bearer keys.
    pub keyring: Keyring,
    /// Host clock.
    pub clock: Arc<dyn Clock>,
    /// Wakes waiting requests.
    pub changes: Changes,
    /// Whether requests are answered.
    pub ready: Ready,
}

/// The API's state behind its handlers.
pub struct Api {
    pub(crate) db: Arc<dyn Db>,
    pub(crate) bus: Arc<dyn Bus>,
    pub(crate) journal: Arc<SharedFollower>,
    pub(crate) codecs: Vec<Arc<dyn ChainCodec>>,
    post: Mutex<Post>,
    keyring: Keyring,
    clock: Arc<dyn Clock>,
    pub(crate) changes: Changes,
    pub(crate) ready: Ready,
    pub(crate) mirror: Mirror,
}

impl Api {
    /// The API.
    #[must_use]
    pub fn new(parts: ApiParts) -> Arc<Self> {
        let ApiParts {
            db,
            bus,
            journal,
            codecs,
            post,
            keyring,
            clock,
            changes,
            ready,
        } = parts;
        let (post, mirror) = (Mutex::new(post), Mirror::default());
        Arc::new(Self {
            db,
            bus,
            journal,
            codecs,
            post,
            keyring,
            clock,
            changes,
            ready,
            mirror,
        })
    }

    pub(crate) fn now(&self) -> UnixMs {
        UnixMs(self.clock.now_ms())
    }

    pub(crate) fn post(&self) -> MutexGuard<'_, Post> {
        self.post.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Bad credentials are 401, never an empty list.
    pub(crate) fn access(&self, headers: &HeaderMap) -> Result<Access, Problem> {
        let presented = headers
            .get("authorization")
            .and_then(|value| value.to_str().ok());
        self.keyring
            .who(presented)
            .ok_or_else(|| Problem::from(Code::Unauthenticated))
    }
}

/// All routes.
pub fn router(api: Arc<Api>) -> Router {
    Router::new()
        .route(STATUS, get(handlers::status::show))
        .route("/v1/acts", post(handlers::acts::create))
        .route("/v1/acts/{digest}", get(handlers::acts::show))
        .route("/v1/tenants/{id}", get(handlers::registry::tenant))
        .route("/v1/vaults", get(handlers::registry::vaults))
        .route(
            "/v1/vaults/{id}/addresses/{place}",
            get(handlers::registry::address),
        )
        .route(
            "/v1/transactions",
            post(handlers::transactions::create).get(handlers::transactions::list),
        )
        .route("/v1/transactions/{id}", get(handlers::transactions::show))
        .route(
            "/v1/transactions/{id}/timeline",
            get(handlers::transactions::timeline),
        )
        .route(
            "/v1/transactions/{id}/cancel",
            post(handlers::transactions::cancel),
        )
        .route("/v1/approvals", get(handlers::approvals::list))
        .route(
            "/v1/approvals/{id}/decisions",
            post(handlers::approvals::decide),
        )
        .route("/v1/journal/checkpoint", get(handlers::journal::checkpoint))
        .route("/v1/journal/entries", get(handlers::journal::entries))
        .route(
            "/v1/journal/entries/{seq}/proof",
            get(handlers::journal::proof),
        )
        .fallback(handlers::status::unknown)
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .layer(from_fn_with_state(Arc::clone(&api), gate))
        .with_state(api)
}

/// Serves on a bound listener until `stop` is done.
///
/// # Errors
/// The listener's.
pub async fn serve(
    api: Arc<Api>,
    listener: tokio::net::TcpListener,
    stop: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    axum::serve(listener, router(api))
        .with_graceful_shutdown(stop)
        .await
}
