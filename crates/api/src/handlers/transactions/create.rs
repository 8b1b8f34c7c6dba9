//! `POST /v1/transactions`.

use crate::api::Api;
use crate::extract::UnreadBody;
use crate::handlers::Caller;
use crate::handlers::scope::within_reach;
use crate::problem::Problem;
use crate::{show, submit};
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use std::sync::Arc;
use strongroom_api_types::{SignedRequest, TransactionInfo};
use strongroom_types::{Intent, Refusal};

type Created = (StatusCode, [(HeaderName, String); 1], Json<TransactionInfo>);

/// Takes a signed intent. The answer repeats digest and words for the client to compare with its
/// own; policy is asked later.
#[utoipa::path(
    post,
    operation_id = "create_transaction",
    path = "/v1/transactions",
    tag = "transactions",
    request_body = SignedRequest,
    responses((status = 202, description = "Taken", body = TransactionInfo)),
)]
pub(crate) async fn create(
    State(api): State<Arc<Api>>,
    headers: HeaderMap,
    body: UnreadBody,
) -> Result<Created, Problem> {
    let work = move |api: &Api, access| {
        let signed = body.signed()?;
        let (intent, _) = signed.open::<Intent>().map_err(Refusal::from)?;
        // The tenant is checked before anything is stored: one tenant's key must not fill another's
        // list.
        within_reach(access, intent.tenant)?;

        let taken = submit::intent(&api.intake, &signed)?;
        api.publish(taken.record)?;

        let shown = show::transaction(&taken.row, &[]);
        let location = format!("/v1/transactions/{}", shown.id);
        let headers = [(header::LOCATION, location)];
        Ok((StatusCode::ACCEPTED, headers, Json(shown)))
    };
    Caller::new(api, headers).run(work).await
}
