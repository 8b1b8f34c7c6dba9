//! `GET /v1/transactions`.

use crate::api::Api;
use crate::extract::Query;
use crate::handlers::scope::of_tenant;
use crate::handlers::{Answer, Caller};
use crate::problem::Problem;
use crate::show;
use crate::store::{self, PageCursor, TxRow};
use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use std::sync::Arc;
use strongroom_api_types::{Page, TransactionInfo, TransactionsQuery};
use strongroom_types::{Code, TransactionId};

/// Most rows of one answer.
const PAGE_MAX: u32 = 100;

/// A tenant's transactions, newest first.
#[utoipa::path(
    get,
    operation_id = "list_transactions",
    path = "/v1/transactions",
    tag = "transactions",
    params(TransactionsQuery),
    responses((status = 200, description = "A part of the list", body = Page<TransactionInfo>)),
)]
pub(crate) async fn list(
    State(api): State<Arc<Api>>,
    headers: HeaderMap,
    Query(query): Query<TransactionsQuery>,
) -> Answer<Page<TransactionInfo>> {
    let work = move |api: &Api, access| {
        let tenant = of_tenant(access, query.tenant.as_deref())?;
        let limit = query.limit.unwrap_or(20).clamp(1, PAGE_MAX);
        let before = query.cursor.as_deref().map(read_cursor).transpose()?;
        let before = before.unwrap_or(PageCursor::NEWEST);

        // One row more than asked for tells whether another page follows.
        let mut tx = api.db().begin()?;
        let mut rows = store::page(tx.as_mut(), tenant, before, limit + 1)?;
        let has_more = rows.len() > limit as usize;
        rows.truncate(limit as usize);
        let next = rows.last().filter(|_| has_more).map(write_cursor);
        // The answers to each transaction are left out: they would cost a query per row.
        let data = rows.iter().map(|row| show::transaction(row, &[])).collect();
        Ok(Json(Page::part(data, next)))
    };
    Caller::new(api, headers).run(work).await
}

/// Place of a row in the list.
fn write_cursor(row: &TxRow) -> String {
    format!("{}.{}", row.created_ms, TransactionId::from(row.intent))
}

fn read_cursor(text: &str) -> Result<PageCursor, Problem> {
    let cursor = text.split_once('.').and_then(|(ms, id)| {
        Some(PageCursor {
            created_ms: ms.parse().ok()?,
            id: show::transaction_id(id).ok()?,
        })
    });
    cursor.ok_or_else(|| Problem::new(Code::Malformed, "not a cursor of this list"))
}
