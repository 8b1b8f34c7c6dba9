//! `GET /v1/transactions/{id}` and its timeline.

use super::load;
use crate::api::Api;
use crate::extract::{Path, Query};
use crate::handlers::wait::{Wait, until};
use crate::handlers::{Answer, Caller};
use crate::life_cycle::has_reached;
use crate::problem::Problem;
use crate::show;
use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use std::sync::Arc;
use strongroom_api_types::{TimelineInfo, TransactionInfo, UntilQuery};
use strongroom_types::Code;
use strongroom_wire::TransactionState;

/// One transaction; with `?until=signed&wait_ms=…` the answer waits for that state or an end.
#[utoipa::path(
    get,
    operation_id = "get_transaction",
    path = "/v1/transactions/{id}",
    tag = "transactions",
    params(("id" = String, Path, description = "Transaction, `tx_…`, or digest of its intent"), UntilQuery),
    responses((status = 200, description = "The transaction", body = TransactionInfo)),
)]
pub(crate) async fn show(
    State(api): State<Arc<Api>>,
    headers: HeaderMap,
    Path(id): Path<String>,
    Query(query): Query<UntilQuery>,
) -> Answer<TransactionInfo> {
    let wanted = query.until.as_deref().map(read_state).transpose()?;
    let caller = Caller::new(Arc::clone(&api), headers);

    let look = || {
        let id = id.clone();
        caller.run(move |api, access| load(api, access, &id))
    };

    let reached = until(&api.changes, Wait::for_row(query.wait_ms), || {
        let look = look();
        async move {
            let (row, answers) = look.await?;
            let there = wanted.is_none_or(|wanted| has_reached(row.state(), wanted));
            Ok(there.then(|| show::transaction(&row, &answers)))
        }
    });
    match reached.await? {
        Some(shown) => Ok(Json(shown)),
        // The wanted state was not reached in time: the present one is an answer as well.
        None => look()
            .await
            .map(|(row, answers)| Json(show::transaction(&row, &answers))),
    }
}

fn read_state(text: &str) -> Result<TransactionState, Problem> {
    TransactionState::from_name(text).ok_or_else(|| {
        let names: Vec<_> = TransactionState::ALL.iter().map(|s| s.name()).collect();
        Problem::new(
            Code::Malformed,
            format!("until: one of {}", names.join(", ")),
        )
    })
}

/// Time that each layer of a transaction's path took.
#[utoipa::path(
    get,
    operation_id = "get_timeline",
    path = "/v1/transactions/{id}/timeline",
    tag = "transactions",
    params(("id" = String, Path, description = "Transaction, `tx_…`, or digest of its intent")),
    responses((status = 200, description = "The timeline", body = TimelineInfo)),
)]
pub(crate) async fn timeline(
    State(api): State<Arc<Api>>,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Answer<TimelineInfo> {
    let work = move |api: &Api, access| {
        let (row, _) = load(api, access, &id)?;
        Ok(Json(show::timeline(&row)))
    };
    Caller::new(api, headers).run(work).await
}
