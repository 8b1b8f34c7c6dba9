//! Router and server.

use crate::api::Api;
use crate::handlers::{acts, addresses, approvals, journal, status, tenants, transactions, vaults};
use crate::ready::{STATUS, gate};
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;
use axum::routing::{MethodRouter, get, post};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use strongroom_types::signed::SIGNED_JSON_BYTES_MAX;
use tokio::sync::oneshot;
use tokio::time::timeout;

/// Largest request body, bytes: every body is one signed container. What can be handed to a signer
/// can be sent here, too.
const BODY_BYTES_MAX: usize = SIGNED_JSON_BYTES_MAX;

/// Longest time for requests that have begun when the server stops.
const STOP_WAIT: Duration = Duration::from_secs(3);

type Route = MethodRouter<Arc<Api>>;

/// Every path. `docs/openapi.json` describes the same ones; a test compares the two.
fn routes() -> Vec<(&'static str, Route)> {
    let transactions = post(transactions::create).get(transactions::list);
    vec![
        (STATUS, get(status::show)),
        ("/v1/acts", post(acts::create)),
        ("/v1/acts/{digest}", get(acts::show)),
        ("/v1/tenants/{id}", get(tenants::show)),
        ("/v1/vaults", get(vaults::list)),
        ("/v1/vaults/{id}/addresses/{place}", get(addresses::show)),
        ("/v1/transactions", transactions),
        ("/v1/transactions/{id}", get(transactions::show)),
        (
            "/v1/transactions/{id}/timeline",
            get(transactions::timeline),
        ),
        ("/v1/transactions/{id}/cancel", post(transactions::cancel)),
        ("/v1/approvals", get(approvals::list)),
        ("/v1/approvals/{id}/decisions", post(approvals::decide)),
        ("/v1/journal/checkpoint", get(journal::checkpoint)),
        ("/v1/journal/entries", get(journal::entries)),
        ("/v1/journal/entries/{seq}/proof", get(journal::proof)),
    ]
}

/// Router of all paths, behind the body limit and the gate.
pub fn router(api: Arc<Api>) -> Router {
    routes()
        .into_iter()
        .fold(Router::new(), |router, (path, route)| {
            router.route(path, route)
        })
        .fallback(status::unknown)
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        // This layer is added last, so it is the outermost: a request that comes too early is
        // answered before its body is read.
        .layer(from_fn_with_state(api.ready.clone(), gate))
        .with_state(api)
}

/// Serves on a bound listener until `stop` is done, and then for at most [`STOP_WAIT`] the requests
/// that have begun.
///
/// # Errors
/// The listener's.
pub async fn serve(
    api: Arc<Api>,
    listener: tokio::net::TcpListener,
    stop: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    let (stopping, stopped) = oneshot::channel::<()>();
    let served = axum::serve(listener, router(api)).with_graceful_shutdown(async move {
        stop.await;
        // Nothing waits for it any more when the server has ended.
        let _ = stopping.send(());
    });
    let mut served = pin!(served.into_future());
    tokio::select! {
        served = &mut served => return served,
        _ = stopped => {}
    }

    // A client that sends half a request would otherwise keep the process, and with it the locks
    // that its successor needs.
    timeout(STOP_WAIT, served).await.unwrap_or(Ok(()))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    #[test]
    fn every_route_is_described_and_every_description_is_a_route() {
        let routes: BTreeSet<_> = super::routes().into_iter().map(|(path, _)| path).collect();
        let text = crate::openapi::text().expect("a description");
        let described: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        let paths = described.get("paths").and_then(|paths| paths.as_object());
        let described: BTreeSet<_> = paths
            .into_iter()
            .flatten()
            .map(|(path, _)| path.as_str())
            .collect();
        assert_eq!(routes, described);
    }
}
