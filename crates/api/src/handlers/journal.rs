//! The journal: witnessed checkpoint, entries, proofs.

use super::wait::{Wait, until};
use super::{Answer, Caller};
use crate::access::Access;
use crate::api::Api;
use crate::extract::{Path, Query};
use crate::mirror::MirrorEntry;
use crate::problem::Problem;
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, header};
use std::sync::Arc;
use strongroom_api_types::{EntriesQuery, EntryInfo, Hex, Page, WaitQuery};
use strongroom_journal::entry::Leaf;
use strongroom_types::Code;
use strongroom_wire::decode;

/// Most entries of one answer.
const PAGE_MAX: u32 = 256;
/// An answer ends with the entry that reaches this many bytes.
const PAGE_BYTES: usize = 2 * 1024 * 1024;

type PlainText = Result<([(HeaderName, &'static str); 1], String), Problem>;

fn plain(text: String) -> PlainText {
    Ok(([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], text))
}

/// The newest witnessed checkpoint as a signed note (C2SP) with cosignature lines.
#[utoipa::path(
    get,
    operation_id = "get_checkpoint",
    path = "/v1/journal/checkpoint",
    tag = "journal",
    responses((status = 200, description = "The signed note with its cosignatures", body = String, content_type = "text/plain")),
)]
pub(crate) async fn checkpoint(State(api): State<Arc<Api>>, headers: HeaderMap) -> PlainText {
    let caller = Caller::new(api, headers);
    let found = caller.run(|api, _| api.look()?.checkpoint()).await?;
    plain(found.ok_or_else(|| Problem::new(Code::NotReady, "no checkpoint is witnessed yet"))?)
}

/// Entries from a position on: the caller's own and the platform's in full, of any other its leaf.
#[utoipa::path(
    get,
    operation_id = "list_entries",
    path = "/v1/journal/entries",
    tag = "journal",
    params(EntriesQuery),
    responses((status = 200, description = "A part of the journal", body = Page<EntryInfo>)),
)]
pub(crate) async fn entries(
    State(api): State<Arc<Api>>,
    headers: HeaderMap,
    Query(page): Query<EntriesQuery>,
) -> Answer<Page<EntryInfo>> {
    let work = move |api: &Api, access| {
        let from = page.from.unwrap_or(0);
        let limit = page.limit.unwrap_or(50).clamp(1, PAGE_MAX);

        let mut look = api.look()?;
        let (mut data, mut bytes, mut next) = (Vec::new(), 0, from);
        for entry in look.entries(from, limit)? {
            // The answer is bounded by size as well as by number: 256 of the largest entries would
            // be 32 MiB in hex, more than a client reads.
            if bytes >= PAGE_BYTES {
                break;
            }
            bytes += entry.sealed.len();
            next = entry.seq + 1;
            data.push(entry_info(access, entry)?);
        }

        let next = (next < look.size()?).then(|| next.to_string());
        Ok(Json(Page::part(data, next)))
    };
    Caller::new(api, headers).run(work).await
}

fn entry_info(access: Access, entry: MirrorEntry) -> Result<EntryInfo, Problem> {
    let leaf: Leaf = decode(&entry.leaf)?;
    let in_full = entry.tenant.is_none_or(|tenant| access.reaches(tenant));

    // The leaf is public: it commits to the entry under a random salt, so that its content cannot
    // be guessed (docs/formats.md §7).
    Ok(EntryInfo {
        at_ms: leaf.at.0,
        class: leaf.class,
        leaf: Hex(entry.leaf),
        sealed: in_full.then_some(Hex(entry.sealed)),
        seq: entry.seq,
    })
}

/// The proof text (C2SP tlog-proof) of an entry under the newest witnessed checkpoint.
#[utoipa::path(
    get,
    operation_id = "get_entry_proof",
    path = "/v1/journal/entries/{seq}/proof",
    tag = "journal",
    params(("seq" = u64, Path, description = "Position of the entry"), WaitQuery),
    responses((status = 200, description = "The proof text", body = String, content_type = "text/plain")),
)]
pub(crate) async fn proof(
    State(api): State<Arc<Api>>,
    headers: HeaderMap,
    Path(seq): Path<u64>,
    Query(wait): Query<WaitQuery>,
) -> PlainText {
    let caller = Caller::new(Arc::clone(&api), headers);
    let found = until(&api.changes, Wait::for_journal(wait.wait_ms), || {
        // Any tenant's entry may be proved: a proof consists of hashes and signatures, not of
        // content.
        caller.run(move |api, _| api.look()?.proof(seq))
    });
    let found = found.await?;
    plain(
        found.ok_or_else(|| {
            Problem::new(Code::NotReady, format!("entry {seq} is not witnessed yet"))
        })?,
    )
}
