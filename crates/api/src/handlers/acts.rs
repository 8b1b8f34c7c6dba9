//! Acts: what admins, committees and clients sign for the journal.

use super::journal::{Wait, until};
use super::{Answer, blocking, publish, signed_body, within_reach};
use crate::access::Access;
use crate::problem::Problem;
use crate::server::Api;
use crate::{store, submit};
use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use serde_json::{Value, json};
use std::sync::Arc;
use strongroom_journal::keyspace as ks;
use strongroom_journal::state::View as _;
use strongroom_stage::post::first_half;
use strongroom_types::{Act, Code, Digest, Document as _, Scope, Signed, digest};
use strongroom_wire::encode;

/// Offers an act to the journal. 202: ask for its state under the digest.
pub(crate) async fn create(
    State(api): State<Arc<Api>>,
    headers: HeaderMap,
    bytes: Bytes,
) -> Result<(StatusCode, Json<Value>), Problem> {
    blocking(api, headers, move |api, access| {
        let signed = signed_body(&bytes)?;
        let (act, _) = signed
            .open::<Act>()
            .map_err(strongroom_types::Refusal::from)?;
        match act.scope {
            Scope::Tenant(tenant) => within_reach(access, tenant)?,
            Scope::Platform if access.tenant.is_none() => {}
            Scope::Platform => return Err(Code::NotFound.into()),
        }
        offer(api, &signed).map(|answer| (StatusCode::ACCEPTED, Json(answer)))
    })
    .await
}

/// Stores and publishes an act; the submission is named by text and signatures, so more signatures
/// can follow.
pub(crate) fn offer(api: &Api, signed: &Signed) -> Result<Value, Problem> {
    let now = api.now();
    let name = Act::digest_of(&signed.text);
    let submission = first_half(digest(
        "strongroom/act-submission/v1",
        &[&encode(signed), &now.0.to_be_bytes()],
    ));
    let mut tx = api.db.begin()?;
    store::put_act(tx.as_mut(), &name, &submission, signed, now)?;
    tx.commit()?;
    let record = submit::act_record(&mut api.post(), now, signed, submission);
    publish(api, record)?;
    Ok(json!({"digest": name.to_string(), "state": "submitted"}))
}

/// `in_force` once this API's replica has applied it, `refused` with the journal's reason, else
/// `submitted`. `?wait_ms=` waits for an end.
pub(crate) async fn show(
    State(api): State<Arc<Api>>,
    headers: HeaderMap,
    Path(id): Path<String>,
    Query(wait): Query<Wait>,
) -> Answer {
    let name: Digest = id.parse().map_err(|e| Problem::new(Code::Malformed, e))?;
    let look = |settled: bool| {
        let (api, headers) = (Arc::clone(&api), headers.clone());
        async move {
            let found =
                blocking(api, headers, move |api, access| stands(api, access, name)).await?;
            Ok(Some(found)
                .filter(|found| !settled || found.get("state") != Some(&json!("submitted"))))
        }
    };
    let settled = until(&api, wait, || look(true)).await?;
    let shown = if settled.is_some() {
        settled
    } else {
        look(false).await?
    };
    shown.map(Json).ok_or_else(|| Code::NotFound.into())
}

fn stands(api: &Api, access: Access, name: Digest) -> Result<Value, Problem> {
    let mut tx = api.db.begin()?;
    let row = store::act(tx.as_mut(), &name)?.ok_or(Code::NotFound)?;
    drop(tx);
    let act = Act::parse(&row.signed.text).map_err(|e| Problem::new(Code::Internal, e))?;
    let tenant = match act.scope {
        Scope::Tenant(tenant) => Some(tenant),
        Scope::Platform => None,
    };
    if access.tenant.is_some() && access.tenant != tenant {
        return Err(Code::NotFound.into());
    }
    let used = api
        .journal
        .read(|f| f.state().get(&ks::used_act(tenant, act.id)).is_some());
    let state = match (used, row.done && !row.code.is_empty()) {
        (true, _) => "in_force",
        (false, true) => "refused",
        (false, false) => "submitted",
    };
    let reason = (state == "refused").then(|| json!({"code": row.code, "detail": row.detail}));
    Ok(json!({"digest": name.to_string(), "state": state, "reason": reason}))
}
