//! Transactions: create, list, show, timeline, cancel.

use super::{Answer, acts, blocking, publish, signed_body, within_reach};
use crate::access::Access;
use crate::body::{timeline as timeline_json, transaction, transaction_id};
use crate::problem::Problem;
use crate::server::Api;
use crate::stage::progress;
use crate::store::{self, TxRow};
use crate::submit;
use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use strongroom_journal::apply::initiator;
use strongroom_journal::keyspace as ks;
use strongroom_journal::state::{Lookup as _, View as _};
use strongroom_replica::TenantVaults;
use strongroom_types::{
    Act, ActBody, Code, Digest, Intent, Refusal, Scope, Signed, TenantId, Tighten, UnixMs,
};
use strongroom_wire::{Layer, Marks, TransactionState};

const PAGE_MAX: u32 = 100;
/// Longest wait for a change.
const WAIT_MAX_MS: u64 = 30_000;

/// Takes a signed intent. The answer repeats digest and words for the client to compare with its
/// own.
pub(crate) async fn create(
    State(api): State<Arc<Api>>,
    headers: HeaderMap,
    bytes: Bytes,
) -> Result<(StatusCode, [(HeaderName, String); 1], Json<Value>), Problem> {
    blocking(api, headers, move |api, access| {
        let now = api.now();
        let signed = signed_body(&bytes)?;
        let (intent, digest) = signed.open::<Intent>().map_err(Refusal::from)?;
        within_reach(access, intent.tenant)?;
        let mut tx = api.db.begin()?;
        if let Some(known) = store::by_digest(tx.as_mut(), &digest)? {
            return Ok(accepted(&known));
        }
        check(api, &intent, &signed, &digest, now)?;
        let marks = Marks::default().with(Layer::Received, now.0 * 1000);
        if !store::insert_tx(tx.as_mut(), &digest, &intent, &signed, &marks, now)? {
            return Err(Problem::new(Code::DuplicateExternalId, &intent.external_id));
        }
        let row = store::by_digest(tx.as_mut(), &digest)?.ok_or(Code::Internal)?;
        tx.commit()?;
        let marks = marks.with(Layer::Api, api.now().0 * 1000);
        let record = submit::intent_record(
            &mut api.post(),
            now,
            &signed,
            intent.vault,
            intent.expires,
            marks,
        );
        publish(api, record)?;
        Ok(accepted(&row))
    })
    .await
}

fn accepted(row: &TxRow) -> (StatusCode, [(HeaderName, String); 1], Json<Value>) {
    let shown = transaction(row, &[]);
    let id = shown.get("id").and_then(Value::as_str).unwrap_or_default();
    let location = format!("/v1/transactions/{id}");
    (
        StatusCode::ACCEPTED,
        [(header::LOCATION, location)],
        Json(shown),
    )
}

/// What can be said at once: whose intent it is, when, and whether its addresses are addresses.
/// Policy comes later.
fn check(
    api: &Api,
    intent: &Intent,
    signed: &Signed,
    digest: &Digest,
    now: UnixMs,
) -> Result<(), Refusal> {
    let tenant = intent.tenant;
    api.journal.read(|f| {
        let (state, genesis) = (f.state(), f.genesis());
        if intent.platform != genesis.platform {
            return Err(Code::WrongScope.into());
        }
        state.tenant(tenant)?;
        initiator(state, intent, signed, digest)?;
        if now >= intent.expires {
            return Err(Code::IntentExpired.into());
        }
        if intent.expires.since(intent.created) > genesis.bounds.intent_life_ms {
            return Err(Refusal::new(
                Code::IntentTooLongLived,
                format!("at most {} ms", genesis.bounds.intent_life_ms),
            ));
        }
        if intent.created > now.plus(genesis.bounds.skew_ms) {
            return Err(Code::IntentFromFuture.into());
        }
        state.vault(tenant, intent.vault)?;
        if state
            .get(&ks::external_id(tenant, &intent.external_id))
            .is_some()
        {
            return Err(Refusal::new(Code::DuplicateExternalId, &intent.external_id));
        }
        let codec = api
            .codecs
            .iter()
            .find(|codec| codec.manifest().chain == intent.chain);
        let codec = codec.ok_or_else(|| Refusal::new(Code::UnknownChain, &intent.chain))?;
        codec
            .expected(intent, &TenantVaults::new(state, tenant))
            .map(drop)
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Page {
    tenant: Option<String>,
    limit: Option<u32>,
    cursor: Option<String>,
}

/// Newest first.
pub(crate) async fn list(
    State(api): State<Arc<Api>>,
    headers: HeaderMap,
    Query(page): Query<Page>,
) -> Answer {
    blocking(api, headers, move |api, access| {
        let tenant = of_tenant(access, page.tenant.as_deref())?;
        let limit = page.limit.unwrap_or(20).clamp(1, PAGE_MAX);
        let before = page.cursor.as_deref().map(read_cursor).transpose()?;
        let before = before.unwrap_or((i64::MAX.unsigned_abs(), [255; 16]));
        let mut tx = api.db.begin()?;
        let mut rows = store::page(tx.as_mut(), tenant, before, limit + 1)?;
        let has_more = rows.len() > limit as usize;
        rows.truncate(limit as usize);
        let next = rows.last().filter(|_| has_more).map(write_cursor);
        let data: Vec<Value> = rows.iter().map(|row| transaction(row, &[])).collect();
        Ok(Json(
            json!({"data": data, "next_cursor": next, "has_more": has_more}),
        ))
    })
    .await
}

pub(crate) fn of_tenant(access: Access, named: Option<&str>) -> Result<TenantId, Problem> {
    let named = named
        .map(str::parse::<TenantId>)
        .transpose()
        .map_err(|e| Problem::new(Code::Malformed, e))?;
    let tenant = named
        .or(access.tenant)
        .ok_or_else(|| Problem::new(Code::Malformed, "?tenant= is needed"))?;
    within_reach(access, tenant)?;
    Ok(tenant)
}

fn write_cursor(row: &TxRow) -> String {
    format!(
        "{}.{}",
        row.created_ms,
        strongroom_types::TransactionId::from(row.intent)
    )
}

fn read_cursor(text: &str) -> Result<(u64, [u8; 16]), Problem> {
    let parts = text
        .split_once('.')
        .and_then(|(ms, id)| Some((ms.parse().ok()?, transaction_id(id).ok()?)));
    parts.ok_or_else(|| Problem::new(Code::Malformed, "not a cursor of this list"))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wait {
    /// Wait until this state (or a final one) is reached.
    until: Option<String>,
    /// At most so long.
    wait_ms: Option<u64>,
}

/// One transaction; with `?until=signed&wait_ms=…` the answer waits for that state or an end.
pub(crate) async fn show(
    State(api): State<Arc<Api>>,
    headers: HeaderMap,
    Path(id): Path<String>,
    Query(wait): Query<Wait>,
) -> Answer {
    let limit = Duration::from_millis(wait.wait_ms.unwrap_or(0).min(WAIT_MAX_MS));
    let mut changes = api.changes.watch();
    let wanted = wait.until.as_deref().map(read_state).transpose()?;
    let looked = async {
        loop {
            changes.mark_unchanged();
            let (row, answers) = load(&api, &headers, &id).await?;
            let there = wanted.is_none_or(|wanted| progress(row.state) >= progress(wanted));
            if there || limit.is_zero() {
                return Ok::<_, Problem>(transaction(&row, &answers));
            }
            let _ = tokio::time::timeout(Duration::from_millis(250), changes.changed()).await;
        }
    };
    match tokio::time::timeout(limit.max(Duration::from_secs(5)), looked).await {
        Ok(shown) => shown.map(Json),
        Err(_) => load(&api, &headers, &id)
            .await
            .map(|(row, answers)| Json(transaction(&row, &answers))),
    }
}

fn read_state(text: &str) -> Result<TransactionState, Problem> {
    match text {
        "pending_approval" => Ok(TransactionState::PendingApproval),
        "signed" => Ok(TransactionState::Signed),
        "completed" => Ok(TransactionState::Completed),
        _ => Err(Problem::new(
            Code::Malformed,
            "until: pending_approval, signed or completed",
        )),
    }
}

async fn load(
    api: &Arc<Api>,
    headers: &HeaderMap,
    id: &str,
) -> Result<(TxRow, Vec<Signed>), Problem> {
    let id = id.to_owned();
    blocking(Arc::clone(api), headers.clone(), move |api, access| {
        let mut tx = api.db.begin()?;
        let row = store::by_id(tx.as_mut(), &transaction_id(&id)?)?.ok_or(Code::NotFound)?;
        within_reach(access, row.tenant)?;
        let answers = store::answers(tx.as_mut(), &row.intent)?;
        Ok((row, answers))
    })
    .await
}

/// Where the time went.
pub(crate) async fn timeline(
    State(api): State<Arc<Api>>,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Answer {
    load(&api, &headers, &id)
        .await
        .map(|(row, _)| Json(timeline_json(&row)))
}

/// Takes a signed `cancel` of exactly this transaction to the journal.
pub(crate) async fn cancel(
    State(api): State<Arc<Api>>,
    headers: HeaderMap,
    Path(id): Path<String>,
    bytes: Bytes,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let (row, _) = load(&api, &headers, &id).await?;
    if row.state.is_signed() || row.state.is_terminal() {
        return Err(Code::TooLate.into());
    }
    blocking(api, headers, move |api, _| {
        let signed = signed_body(&bytes)?;
        let (act, _) = signed.open::<Act>().map_err(Refusal::from)?;
        let fits = act.scope == Scope::Tenant(row.tenant)
            && act.body == ActBody::Tighten(Tighten::Cancel(row.intent));
        if !fits {
            return Err(Problem::new(
                Code::Malformed,
                "expected the signed cancel of this transaction",
            ));
        }
        acts::offer(api, &signed).map(|answer| (StatusCode::ACCEPTED, Json(answer)))
    })
    .await
}
