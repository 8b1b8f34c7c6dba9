//! Approvals: what waits for approvers, and their answers.

use super::scope::{of_tenant, within_reach};
use super::{Accepted, Answer, Caller};
use crate::api::Api;
use crate::extract::{Path, Query, UnreadBody};
use crate::tally::shown_answers;
use crate::{show, store, submit};
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use std::sync::Arc;
use strongroom_api_types::{Page, PendingInfo, Receipt, ReceiptState, SignedRequest, TenantQuery};
use strongroom_types::{Approval, Code, Refusal};

/// Transactions that wait for approval, oldest first.
#[utoipa::path(
    get,
    operation_id = "list_approvals",
    path = "/v1/approvals",
    tag = "approvals",
    params(TenantQuery),
    responses((status = 200, description = "All of them, at most 64", body = Page<PendingInfo>)),
)]
pub(crate) async fn list(
    State(api): State<Arc<Api>>,
    headers: HeaderMap,
    Query(query): Query<TenantQuery>,
) -> Answer<Page<PendingInfo>> {
    let work = move |api: &Api, access| {
        let tenant = of_tenant(access, query.tenant.as_deref())?;
        let mut tx = api.db().begin()?;
        let mut data = Vec::new();

        for row in store::waiting(tx.as_mut(), tenant)? {
            let answers = store::answers(tx.as_mut(), &row.intent)?;
            let answers = shown_answers(api.journal(), &row, answers, api.now());
            data.push(show::pending(&row, &answers));
        }
        Ok(Json(Page::whole(data)))
    };
    Caller::new(api, headers).run(work).await
}

/// Takes an approver's signed yes; refused at once when the journal would refuse it. A no is an act
/// (`tighten`, `reject`): `POST /v1/acts`.
#[utoipa::path(
    post,
    operation_id = "answer_approval",
    path = "/v1/approvals/{id}/decisions",
    tag = "approvals",
    params(("id" = String, Path, description = "Transaction, `tx_…`, or digest of its intent")),
    request_body = SignedRequest,
    responses((status = 202, description = "Taken", body = Receipt)),
)]
pub(crate) async fn decide(
    State(api): State<Arc<Api>>,
    headers: HeaderMap,
    Path(id): Path<String>,
    body: UnreadBody,
) -> Accepted<Receipt> {
    let work = move |api: &Api, access| {
        let signed = body.signed()?;
        signed.open::<Approval>().map_err(Refusal::from)?;

        let id = show::transaction_id(&id)?;
        let mut tx = api.db().begin()?;
        let row = store::by_id(tx.as_mut(), id)?.ok_or(Code::NotFound)?;
        // `submit` opens transactions of its own, and they do not nest.
        drop(tx);

        // The row's tenant counts: that of the signed text is a claim until its signature is
        // verified.
        within_reach(access, row.tenant)?;

        let taken = submit::approval(&api.intake, id, &signed)?;
        api.publish(taken.record)?;
        let receipt = Receipt {
            digest: taken.digest.into(),
            state: ReceiptState::Submitted,
        };
        Ok((StatusCode::ACCEPTED, Json(receipt)))
    };
    Caller::new(api, headers).run(work).await
}
