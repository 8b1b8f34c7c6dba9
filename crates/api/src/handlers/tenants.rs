//! Tenants, read from the journal replica.

use super::scope::within_reach;
use super::{Answer, Caller};
use crate::api::Api;
use crate::extract::Path;
use crate::problem::Problem;
use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use std::sync::Arc;
use strongroom_api_types::{KeyInfo, KeyState, PolicyInfo, TenantInfo};
use strongroom_journal::View;
use strongroom_journal::apply::ceremony::check_open;
use strongroom_journal::keyspace as ks;
use strongroom_journal::model::KeyRecord;
use strongroom_journal::state::Lookup as _;
use strongroom_types::{Code, TenantId, UnixMs};

/// A tenant: name, scope version (what the next act must name), keys, policy.
#[utoipa::path(
    get,
    operation_id = "get_tenant",
    path = "/v1/tenants/{id}",
    tag = "registry",
    params(("id" = String, Path, description = "Tenant, `tnt_…`")),
    responses((status = 200, description = "The tenant", body = TenantInfo)),
)]
pub(crate) async fn show(
    State(api): State<Arc<Api>>,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Answer<TenantInfo> {
    let work = move |api: &Api, access| {
        let tenant: TenantId = id.parse().map_err(|e| Problem::new(Code::Malformed, e))?;
        within_reach(access, tenant)?;

        api.journal().read(|f| {
            let record = f.state().tenant(tenant)?;
            let policy = f.state().get(&ks::policy(tenant, &record.policy));
            let past = f.past(api.now());
            let key = |record: &KeyRecord| key(f.state(), record, past);
            Ok(Json(TenantInfo {
                id: tenant.into(),
                keys: f.state().keys(tenant).iter().map(key).collect(),
                name: record.name.to_string(),
                paused_until_ms: record.paused_until.0,
                policy: PolicyInfo {
                    digest: record.policy.into(),
                    text: policy.map(|text| String::from_utf8_lossy(text).into_owned()),
                },
                stopped: record.stopped,
                version: record.version,
            }))
        })
    };
    Caller::new(api, headers).run(work).await
}

/// A key as it stands; `past` is the time that has passed for good.
fn key(view: &dyn View, record: &KeyRecord, past: UnixMs) -> KeyInfo {
    // "Revoked" is looked at first: a key can be revoked before its ceremony has finished.
    let state = match (&record.public, record.revoked) {
        (_, true) => KeyState::Revoked,
        (Some(_), false) => KeyState::Active,
        (None, false) if check_open(view, record, past).is_err() => KeyState::Ended,
        (None, false) => KeyState::Generating,
    };
    KeyInfo {
        epoch: record.epoch,
        id: record.plan.key.into(),
        min_signers: record.plan.min_signers,
        roster: record.plan.roster.clone(),
        state,
        suite: record.plan.suite.into(),
    }
}
