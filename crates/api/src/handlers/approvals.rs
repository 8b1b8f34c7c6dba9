//! Approvals: what waits for people, and their answers.

use super::transactions::of_tenant;
use super::{Answer, blocking, publish, signed_body, within_reach};
use crate::body::{approval_item, transaction_id};
use crate::problem::Problem;
use crate::server::Api;
use crate::store::{self, TxRow};
use crate::submit;
use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;
use strongroom_journal::apply::{Ballot, check_for_any_group, initiator};
use strongroom_types::{
    Approval, Code, DecisionCore, Document as _, Intent, Refusal, Signed, UnixMs,
};
use strongroom_wire::TransactionState;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OfTenant {
    tenant: Option<String>,
}

/// Transactions that wait for approval, oldest first.
pub(crate) async fn list(
    State(api): State<Arc<Api>>,
    headers: HeaderMap,
    Query(query): Query<OfTenant>,
) -> Answer {
    blocking(api, headers, move |api, access| {
        let tenant = of_tenant(access, query.tenant.as_deref())?;
        let mut tx = api.db.begin()?;
        let mut data: Vec<Value> = Vec::new();
        for row in store::waiting(tx.as_mut(), tenant)? {
            let answers = store::answers(tx.as_mut(), &row.intent)?;
            data.push(approval_item(&row, &answers));
        }
        Ok(Json(
            json!({"data": data, "next_cursor": null, "has_more": false}),
        ))
    })
    .await
}

/// Takes an approver's signed answer; refused at once when the journal would refuse it.
pub(crate) async fn decide(
    State(api): State<Arc<Api>>,
    headers: HeaderMap,
    Path(id): Path<String>,
    bytes: Bytes,
) -> Result<(StatusCode, Json<Value>), Problem> {
    blocking(api, headers, move |api, access| {
        let now = api.now();
        let signed = signed_body(&bytes)?;
        let (approval, digest) = signed.open::<Approval>().map_err(Refusal::from)?;
        let mut tx = api.db.begin()?;
        let row = store::by_id(tx.as_mut(), &transaction_id(&id)?)?.ok_or(Code::NotFound)?;
        within_reach(access, row.tenant)?;
        if row.state != TransactionState::PendingApproval {
            return Err(Problem::new(
                Code::Conflict,
                "the transaction is not waiting for approval",
            ));
        }
        let answers = store::answers(tx.as_mut(), &row.intent)?;
        check(api, &row, &signed, &approval, &answers, now)?;
        store::insert_answer(tx.as_mut(), &digest, &row.intent, &signed, now)?;
        tx.commit()?;
        let record = submit::approval_record(
            &mut api.post(),
            now,
            &signed,
            row.vault,
            row.intent,
            UnixMs(row.expires_ms),
        );
        publish(api, record)?;
        Ok((
            StatusCode::ACCEPTED,
            Json(json!({"digest": digest.to_string(), "state": "submitted"})),
        ))
    })
    .await
}

fn check(
    api: &Api,
    row: &TxRow,
    signed: &Signed,
    approval: &Approval,
    answers: &[Signed],
    now: UnixMs,
) -> Result<(), Refusal> {
    let intent = Intent::parse(&row.signed.text).map_err(|e| Refusal::new(Code::Internal, e))?;
    let core = DecisionCore::parse(&row.core).map_err(|e| Refusal::new(Code::Internal, e))?;
    api.journal.read(|f| {
        let state = f.state();
        let who = initiator(state, &intent, &row.signed, &row.intent)?;
        let (platform, tenant) = (intent.platform, intent.tenant);
        let ballot = Ballot {
            platform,
            tenant,
            intent: row.intent,
            initiator: who.user,
            core: &core,
            at: now,
        };
        let verified = check_for_any_group(state, &ballot, signed, approval)?;
        twice(f, &intent, answers, verified.relied.user)
    })
}

/// One human answers once.
fn twice(
    follower: &strongroom_journal::follower::Follower,
    intent: &Intent,
    answers: &[Signed],
    user: strongroom_types::UserId,
) -> Result<(), Refusal> {
    use strongroom_journal::state::Lookup as _;
    for answer in answers {
        let Ok(earlier) = Approval::parse(&answer.text) else {
            continue;
        };
        let credential = follower.state().credential(intent.tenant, earlier.approver);
        if credential.is_ok_and(|record| record.credential.user == user) {
            return Err(Code::ApprovalDuplicateHuman.into());
        }
    }
    Ok(())
}
