//! The journal: witnessed checkpoint, entries, proofs.

use super::{Answer, blocking};
use crate::access::Access;
use crate::journal::{Look, MirrorEntry, VaultProofs};
use crate::problem::Problem;
use crate::server::Api;
use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, HeaderName, header};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use strongroom_journal::entry::Leaf;
use strongroom_types::Code;
use strongroom_wire::decode;

/// Most entries of one answer.
const PAGE_MAX: u32 = 256;
/// An answer ends with the entry that reaches this many bytes.
const PAGE_BYTES: usize = 2 * 1024 * 1024;
/// Longest wait for witnesses.
const WAIT_MAX_MS: u64 = 30_000;
/// Time between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(50);

type Text = Result<([(HeaderName, &'static str); 1], String), Problem>;

/// `?wait_ms=`: wait for witnesses at most so long.
#[derive(Deserialize, Default, Clone, Copy)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wait {
    wait_ms: Option<u64>,
}

fn plain(text: String) -> Text {
    Ok(([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], text))
}

fn look(api: &Api) -> Result<Look<'_>, Problem> {
    let genesis = api.journal.read(|f| Arc::clone(f.genesis()));
    api.mirror.look(&genesis, api.db.as_ref(), api.bus.as_ref())
}

/// Asks until there is an answer or the time is over.
pub(crate) async fn until<T, F: Future<Output = Result<Option<T>, Problem>>>(
    api: &Arc<Api>,
    wait: Wait,
    mut ask: impl FnMut() -> F,
) -> Result<Option<T>, Problem> {
    let limit = Duration::from_millis(wait.wait_ms.unwrap_or(0).min(WAIT_MAX_MS));
    if limit.is_zero() {
        return ask().await;
    }
    let mut changes = api.changes.watch();
    let asked = async {
        loop {
            changes.mark_unchanged();
            if let Some(answer) = ask().await? {
                return Ok::<_, Problem>(Some(answer));
            }
            let _ = tokio::time::timeout(LOOK_EVERY, changes.changed()).await;
        }
    };
    if let Ok(answer) = tokio::time::timeout(limit, asked).await {
        return answer;
    }
    // The last look is never cut off, however short the wait.
    ask().await
}

/// The newest witnessed checkpoint as a signed note (C2SP) with cosignature lines.
pub(crate) async fn checkpoint(State(api): State<Arc<Api>>, headers: HeaderMap) -> Text {
    let found = blocking(api, headers, |api, _| look(api)?.checkpoint()).await?;
    plain(found.ok_or_else(|| Problem::new(Code::NotReady, "no checkpoint is witnessed yet"))?)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Page {
    from: Option<u64>,
    limit: Option<u32>,
}

/// Entries from a position on: own and platform entries in full, of others the public leaf.
pub(crate) async fn entries(
    State(api): State<Arc<Api>>,
    headers: HeaderMap,
    Query(page): Query<Page>,
) -> Answer {
    blocking(api, headers, move |api, access| {
        let (from, limit) = (
            page.from.unwrap_or(0),
            page.limit.unwrap_or(50).clamp(1, PAGE_MAX),
        );
        let mut look = look(api)?;
        let (mut data, mut bytes, mut next) = (Vec::new(), 0, from);
        for entry in look.entries(from, limit)? {
            if bytes >= PAGE_BYTES {
                break;
            }
            bytes += entry.sealed.len();
            next = entry.seq + 1;
            data.push(shown(access, &entry)?);
        }
        let has_more = next < look.size()?;
        let next = has_more.then(|| next.to_string());
        Ok(Json(
            json!({"data": data, "next_cursor": next, "has_more": has_more}),
        ))
    })
    .await
}

fn shown(access: Access, entry: &MirrorEntry) -> Result<Value, Problem> {
    let leaf: Leaf = decode(&entry.leaf)?;
    let mine = entry.tenant.is_none_or(|tenant| access.reaches(tenant));
    Ok(json!({
        "seq": entry.seq, "at_ms": leaf.at.0, "class": leaf.class, "leaf": hex::encode(&entry.leaf),
        "sealed": mine.then(|| hex::encode(&entry.sealed)),
    }))
}

/// The proof text (C2SP tlog-proof) of an entry under the newest witnessed checkpoint.
pub(crate) async fn proof(
    State(api): State<Arc<Api>>,
    headers: HeaderMap,
    Path(seq): Path<u64>,
    Query(wait): Query<Wait>,
) -> Text {
    let found = until(&api, wait, || {
        let (api, headers) = (Arc::clone(&api), headers.clone());
        async move { blocking(api, headers, move |api, _| look(api)?.proof(seq)).await }
    });
    let found = found.await?;
    plain(
        found.ok_or_else(|| {
            Problem::new(Code::NotReady, format!("entry {seq} is not witnessed yet"))
        })?,
    )
}

/// The proof member of an address: says *registered at*, never "in force now".
pub(crate) fn vault_proof(
    api: &Api,
    of: crate::handlers::registry::Owner,
) -> Result<Option<Value>, Problem> {
    let found = look(api)?.vault(of.tenant, of.key, of.vault)?;
    let part = |(entry, proof): &(MirrorEntry, String)| json!({"seq": entry.seq, "sealed": hex::encode(&entry.sealed), "proof": proof});
    let all = |proofs: &VaultProofs| {
        let registered = decode::<Leaf>(&proofs.vault.0.leaf)?.at;
        Ok::<_, Problem>(json!({
            "registered_at_ms": registered.0, "tenant": part(&proofs.tenant), "key": part(&proofs.key),
            "vault": part(&proofs.vault),
        }))
    };
    found.as_ref().map(all).transpose()
}
