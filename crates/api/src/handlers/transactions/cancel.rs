//! `POST /v1/transactions/{id}/cancel`.

use super::load;
use crate::api::Api;
use crate::extract::{Path, UnreadBody};
use crate::handlers::{Accepted, Caller, acts};
use crate::problem::Problem;
use axum::extract::State;
use axum::http::HeaderMap;
use std::sync::Arc;
use strongroom_api_types::{Receipt, SignedRequest};
use strongroom_types::{Act, ActBody, Code, Refusal, Scope, Tighten};
use strongroom_wire::TransactionState;

/// Takes a signed `cancel` of exactly this transaction to the journal.
#[utoipa::path(
    post,
    operation_id = "cancel_transaction",
    path = "/v1/transactions/{id}/cancel",
    tag = "transactions",
    params(("id" = String, Path, description = "Transaction, `tx_…`, or digest of its intent")),
    request_body = SignedRequest,
    responses((status = 202, description = "Taken; ask for the act by its digest", body = Receipt)),
)]
pub(crate) async fn cancel(
    State(api): State<Arc<Api>>,
    headers: HeaderMap,
    Path(id): Path<String>,
    body: UnreadBody,
) -> Accepted<Receipt> {
    let work = move |api: &Api, access| {
        let (row, _) = load(api, access, &id)?;

        if !may_be_cancelled(row.state()) {
            return Err(Code::TooLate.into());
        }

        let signed = body.signed()?;
        let (act, _) = signed.open::<Act>().map_err(Refusal::from)?;

        // The act must cancel this transaction: another one's cancel would have passed the check
        // above by this one's state.
        let fits = act.scope == Scope::Tenant(row.tenant)
            && act.body == ActBody::Tighten(Tighten::Cancel(row.intent));
        if !fits {
            return Err(Problem::new(
                Code::Malformed,
                "expected the signed cancel of this transaction",
            ));
        }
        acts::offer(api, &signed)
    };
    Caller::new(api, headers).run(work).await
}

/// Whether a cancel in the journal can still change what becomes of a transaction.
const fn may_be_cancelled(state: TransactionState) -> bool {
    match state {
        // Only a service says that a payment failed, was blocked or has expired. Until its cancel
        // is in the journal a hostile writer can open it again.
        TransactionState::Blocked | TransactionState::Expired | TransactionState::Failed => true,
        TransactionState::Received
        | TransactionState::Screening
        | TransactionState::PendingApproval
        | TransactionState::Approved
        | TransactionState::TimeLocked
        | TransactionState::WaitingForFunds
        | TransactionState::Signing => true,
        // The journal holds such an end already.
        TransactionState::Rejected | TransactionState::Cancelled => false,
        // Once a signature exists, only another transaction on the chain undoes it.
        TransactionState::Signed
        | TransactionState::Broadcasting
        | TransactionState::Confirming
        | TransactionState::Completed
        | TransactionState::Replaced => false,
    }
}
