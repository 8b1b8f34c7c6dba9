//! Addresses of vaults, derived from the journal replica and proved by the mirror.

use super::wait::{Wait, until};
use super::{Answer, Caller};
use crate::access::Access;
use crate::api::Api;
use crate::extract::{Path, Query};
use crate::mirror::VaultName;
use crate::problem::Problem;
use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use std::sync::Arc;
use strongroom_api_types::{AddressInfo, AddressQuery, Hex};
use strongroom_journal::State as Journal;
use strongroom_journal::model::VaultRecord;
use strongroom_journal::state::Lookup as _;
use strongroom_ports::chain::{OwnPath, Registry as _};
use strongroom_replica::TenantVaults;
use strongroom_types::registry::ADDRESS_INDEX_MAX;
use strongroom_types::{Code, TenantId, VaultId};

/// One address of a vault, `place` = `branch-index` (`0-7`), with what a client needs to derive it
/// itself and the proof of it (`null` while it is not witnessed; `?wait_ms=` waits for that).
#[utoipa::path(
    get,
    operation_id = "get_address",
    path = "/v1/vaults/{id}/addresses/{place}",
    tag = "registry",
    params(("id" = String, Path, description = "Vault, `vlt_…`"), ("place" = String, Path, description = "`branch-index`, such as `0-7`; branch 0 receives, branch 1 is change; indices 0 to 49"), AddressQuery),
    responses((status = 200, description = "The address", body = AddressInfo)),
)]
pub(crate) async fn show(
    State(api): State<Arc<Api>>,
    headers: HeaderMap,
    Path((id, place)): Path<(String, String)>,
    Query(query): Query<AddressQuery>,
) -> Answer<AddressInfo> {
    let caller = Caller::new(Arc::clone(&api), headers);
    // The address is derived before any wait, so that an unknown vault, or one of another tenant,
    // is refused at once.
    let AddressQuery { tenant, wait_ms } = query;
    let derived = caller.run(move |api, access| {
        let vault: VaultId = id.parse().map_err(|e| Problem::new(Code::Malformed, e))?;
        let tenant = tenant.as_deref().map(str::parse::<TenantId>);
        let tenant = tenant
            .transpose()
            .map_err(|e| Problem::new(Code::Malformed, e))?;
        derive(api, access, (tenant, vault), own_path(&place)?)
    });
    let (name, address) = derived.await?;

    let proof = until(&api.changes, Wait::for_journal(wait_ms), || {
        // `derive` has judged the access: the name is of a vault that this caller reaches.
        caller.run(move |api, _| api.look()?.address_proof(name))
    });
    Ok(Json(AddressInfo {
        proof: proof.await?,
        ..address
    }))
}

/// The address as this replica derives it, not proved yet.
fn derive(
    api: &Api,
    access: Access,
    (named, vault): (Option<TenantId>, VaultId),
    path: OwnPath,
) -> Result<(VaultName, AddressInfo), Problem> {
    api.journal().read(|f| {
        // Another tenant's vault and one that does not exist are answered alike.
        let (tenant, record) = find(f.state(), access, (named, vault)).ok_or(Code::UnknownVault)?;
        let key = f.state().threshold_key(tenant, record.vault.key)?;
        let public = key.public.as_ref().ok_or(Code::UnknownKey)?;

        // People pay to an address that is shown: others may hold this key, and nothing signs with
        // it any more.
        if key.revoked {
            return Err(Code::KeyRevoked.into());
        }

        let vault_key = TenantVaults::new(f.state(), tenant)
            .vault_key(vault)
            .ok_or(Code::UnknownKey)?;
        // The path names no chain. The transactions role works one, the first of genesis that this
        // build decodes (docs/adr/0012), so addresses are of that one.
        let codec = api.intake.codecs.first().ok_or(Code::UnknownChain)?;
        let name = VaultName {
            tenant,
            key: record.vault.key,
            vault,
        };
        let address = AddressInfo {
            account: record.vault.account,
            address: codec.derive_address(&vault_key, path)?,
            branch: path.change,
            chain: codec.manifest().chain.clone().into(),
            chain_code: Hex(public.chain_code.to_vec()),
            group_key: Hex(public.group_key.to_vec()),
            index: path.index,
            proof: None,
            transcript: public.transcript.into(),
            vault: vault.into(),
        };
        Ok((name, address))
    })
}

/// `branch-index`, both decimal without leading zeros.
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

    // An address that is not watched must not be given out: its deposits would never be seen.
    if change > 1 || index >= ADDRESS_INDEX_MAX {
        let last = ADDRESS_INDEX_MAX - 1;
        let detail = format!("branches are 0 and 1, indices 0 to {last}: no other is watched");
        return Err(Problem::new(Code::Malformed, detail));
    }
    Ok(OwnPath { change, index })
}

/// The vault with this id among those that the caller reaches, and its tenant: the one that is
/// named, or the first that has it.
fn find(
    state: &Journal,
    access: Access,
    (named, vault): (Option<TenantId>, VaultId),
) -> Option<(TenantId, VaultRecord)> {
    let tenants = state.tenants().into_iter();

    // Ids are unique per tenant only: one that gives its vault another tenant's id must not hide
    // the other's.
    let is_meant = |tenant: &TenantId| named.is_none_or(|named| named == *tenant);
    let mut reached = tenants.filter(|tenant| access.reaches(*tenant) && is_meant(tenant));
    reached.find_map(|tenant| {
        let record = state.vault(tenant, vault).ok()?;
        Some((tenant, record))
    })
}
