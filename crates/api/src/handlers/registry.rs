//! Tenants, vaults and addresses, all read from the journal replica.

use super::journal::{Wait, until, vault_proof};
use super::{Answer, blocking, within_reach};
use crate::access::Access;
use crate::problem::Problem;
use crate::server::Api;
use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;
use strongroom_journal::State as Journal;
use strongroom_journal::keyspace as ks;
use strongroom_journal::model::{KeyRecord, VaultRecord};
use strongroom_journal::state::{Lookup as _, View as _};
use strongroom_ports::chain::{OwnPath, Registry as _};
use strongroom_replica::TenantVaults;
use strongroom_types::{Code, KeyId, TenantId, VaultId};

/// A tenant: name, scope version (what the next act must name), boards, policy.
pub(crate) async fn tenant(
    State(api): State<Arc<Api>>,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Answer {
    blocking(api, headers, move |api, access| {
        let tenant: TenantId = id.parse().map_err(|e| Problem::new(Code::Malformed, e))?;
        within_reach(access, tenant)?;
        api.journal.read(|f| {
            let record = f.state().tenant(tenant)?;
            let policy = f.state().get(&ks::policy(tenant, &record.policy)).map(String::from_utf8_lossy);
            let keys: Vec<Value> = f.state().keys(tenant).iter().map(key).collect();
            Ok(Json(json!({
                "id": tenant.to_string(), "name": record.name.to_string(), "version": record.version,
                "stopped": record.stopped, "paused_until_ms": record.paused_until.0,
                "policy": {"digest": record.policy.to_string(), "text": policy}, "keys": keys,
            })))
        })
    })
    .await
}

fn key(record: &KeyRecord) -> Value {
    let state = match (&record.public, record.revoked) {
        (_, true) => "revoked",
        (Some(_), false) => "active",
        (None, false) => "generating",
    };
    json!({"id": record.plan.key.to_string(), "suite": record.plan.suite.to_string(), "state": state,
           "min_signers": record.plan.min_signers, "roster": record.plan.roster, "epoch": record.epoch})
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OfTenant {
    tenant: Option<String>,
}

/// Vaults of the caller's tenant (or of the one named).
pub(crate) async fn vaults(
    State(api): State<Arc<Api>>,
    headers: HeaderMap,
    Query(query): Query<OfTenant>,
) -> Answer {
    blocking(api, headers, move |api, access| {
        let named = query.tenant.map(|id| id.parse::<TenantId>()).transpose();
        let named = named.map_err(|e| Problem::new(Code::Malformed, e))?;
        let tenant = named
            .or(access.tenant)
            .ok_or_else(|| Problem::new(Code::Malformed, "?tenant= is needed"))?;
        within_reach(access, tenant)?;
        let vaults: Vec<Value> = api.journal.read(|f| {
            f.state()
                .vaults(tenant)
                .iter()
                .map(|record| vault(tenant, record))
                .collect()
        });
        Ok(Json(
            json!({"data": vaults, "next_cursor": null, "has_more": false}),
        ))
    })
    .await
}

fn vault(tenant: TenantId, record: &VaultRecord) -> Value {
    let vault = &record.vault;
    json!({"id": vault.id.to_string(), "tenant": tenant.to_string(), "name": vault.name.to_string(),
           "key": vault.key.to_string(), "account": vault.account,
           "tags": vault.tags.iter().map(ToString::to_string).collect::<Vec<_>>(),
           "paused_until_ms": record.paused_until.0})
}

/// Whose address it is.
#[derive(Clone, Copy)]
pub(crate) struct Owner {
    pub(crate) tenant: TenantId,
    pub(crate) key: KeyId,
    pub(crate) vault: VaultId,
}

/// One address of a vault, `place` = `branch-index` (`0-7`), with what a client needs to derive it
/// himself and the proof of it (`null` while it is not witnessed; `?wait_ms=` waits for that).
pub(crate) async fn address(
    State(api): State<Arc<Api>>,
    headers: HeaderMap,
    Path((id, place)): Path<(String, String)>,
    Query(wait): Query<Wait>,
) -> Answer {
    let derived = blocking(Arc::clone(&api), headers.clone(), move |api, access| {
        let vault: VaultId = id.parse().map_err(|e| Problem::new(Code::Malformed, e))?;
        derive(api, access, vault, own_path(&place)?)
    });
    let (owner, mut answer) = derived.await?;
    let proof = until(&api, wait, || {
        let (api, headers) = (Arc::clone(&api), headers.clone());
        async move { blocking(api, headers, move |api, _| vault_proof(api, owner)).await }
    });
    let proof = proof.await?;
    if let Some(members) = answer.as_object_mut() {
        members.insert("proof".to_owned(), proof.unwrap_or(Value::Null));
    }
    Ok(Json(answer))
}

fn derive(
    api: &Api,
    access: Access,
    vault: VaultId,
    path: OwnPath,
) -> Result<(Owner, Value), Problem> {
    api.journal.read(|f| {
        let found = find(f.state(), vault).filter(|(tenant, _)| access.reaches(*tenant));
        let (tenant, record) = found.ok_or(Code::UnknownVault)?;
        let key = f.state().threshold_key(tenant, record.vault.key)?;
        let public = key.public.as_ref().ok_or(Code::UnknownKey)?;
        let vault_key = TenantVaults::new(f.state(), tenant).vault_key(vault).ok_or(Code::UnknownKey)?;
        let codec = api.codecs.first().ok_or(Code::UnknownChain)?;
        let address = codec.derive_address(&vault_key, path)?;
        let answer = json!({
            "address": address, "chain": codec.manifest().chain.to_string(), "vault": vault.to_string(),
            "branch": path.change, "index": path.index, "account": record.vault.account,
            "group_key": hex(&public.group_key), "chain_code": hex(&public.chain_code),
            "transcript": public.transcript.to_string(),
        });
        Ok((Owner { tenant, key: record.vault.key, vault }, answer))
    })
}

fn own_path(place: &str) -> Result<OwnPath, Problem> {
    let parse = |text: &str| {
        strongroom_types::time::canonical_u64(text)
            .ok()
            .and_then(|n| u32::try_from(n).ok())
    };
    let parts = place
        .split_once('-')
        .and_then(|(b, i)| Some((parse(b)?, parse(i)?)));
    let (change, index) = parts
        .ok_or_else(|| Problem::new(Code::Malformed, "expected `branch-index`, e.g. `0-7`"))?;
    Ok(OwnPath { change, index })
}

fn find(state: &Journal, vault: VaultId) -> Option<(TenantId, VaultRecord)> {
    state.tenants().into_iter().find_map(|tenant| {
        state
            .vault(tenant, vault)
            .ok()
            .map(|record| (tenant, record))
    })
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
