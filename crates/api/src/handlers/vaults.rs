//! Vaults, read from the journal replica.

use super::scope::of_tenant;
use super::{Answer, Caller};
use crate::api::Api;
use crate::extract::Query;
use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use std::sync::Arc;
use strongroom_api_types::{Page, TenantQuery, VaultInfo};
use strongroom_journal::model::VaultRecord;
use strongroom_types::TenantId;

/// Vaults of the caller's tenant, or of the one named.
#[utoipa::path(
    get,
    operation_id = "list_vaults",
    path = "/v1/vaults",
    tag = "registry",
    params(TenantQuery),
    responses((status = 200, description = "All of them", body = Page<VaultInfo>)),
)]
pub(crate) async fn list(
    State(api): State<Arc<Api>>,
    headers: HeaderMap,
    Query(query): Query<TenantQuery>,
) -> Answer<Page<VaultInfo>> {
    let work = move |api: &Api, access| {
        let tenant = of_tenant(access, query.tenant.as_deref())?;
        let records = api.journal().read(|f| f.state().vaults(tenant));
        let data = records.iter().map(|record| vault(tenant, record)).collect();
        Ok(Json(Page::whole(data)))
    };
    Caller::new(api, headers).run(work).await
}

fn vault(tenant: TenantId, record: &VaultRecord) -> VaultInfo {
    let vault = &record.vault;
    VaultInfo {
        account: vault.account,
        id: vault.id.into(),
        key: vault.key.into(),
        name: vault.name.to_string(),
        paused_until_ms: record.paused_until.0,
        tags: vault.tags.iter().map(ToString::to_string).collect(),
        tenant: tenant.into(),
    }
}
