//! Status, and the answer to paths that do not exist.

use super::Answer;
use crate::api::Api;
use crate::problem::Problem;
use axum::Json;
use axum::extract::State;
use std::sync::Arc;
use strongroom_api_types::{JournalStatus, ModeName, StatusInfo};
use strongroom_journal::Mode;
use strongroom_types::Code;
use strongroom_types::words::words;

/// How far this server's replica is. Needs no key: it says nothing of any tenant. Answers before
/// the API is ready.
#[utoipa::path(
    get,
    operation_id = "get_status",
    path = "/v1/status",
    tag = "status",
    responses((status = 200, description = "Status", body = StatusInfo)),
)]
pub(crate) async fn show(State(api): State<Arc<Api>>) -> Answer<StatusInfo> {
    let now = api.now();
    let status = api.journal().read(|f| {
        let genesis = f.genesis();
        let hash = genesis.hash();

        // All figures are read at one moment: those of two could contradict each other.
        StatusInfo {
            genesis: hash.into(),
            genesis_words: words(&hash).map(str::to_owned).to_vec(),
            halted: f.halted().map(|refusal| refusal.code.as_str().to_owned()),
            journal: JournalStatus {
                faults: genesis.faults,
                fresh: f.fresh(now).ok().map(|head| head.size),
                quorum: genesis.quorum,
                size: f.size(),
                witnessed: f.witnessed(),
                witnesses: genesis.witness_count() as u64,
            },
            mode: match genesis.mode {
                Mode::Dev => ModeName::Dev,
                Mode::Production => ModeName::Production,
            },
            now_ms: now.0,
            platform: genesis.platform.into(),
        }
    });
    Ok(Json(status))
}

pub(crate) async fn unknown() -> Problem {
    Problem::new(Code::NotFound, "no such path; see the README for the list")
}
