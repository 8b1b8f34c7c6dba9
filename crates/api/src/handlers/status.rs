//! Status.

use super::Answer;
use crate::problem::Problem;
use crate::server::Api;
use axum::Json;
use axum::extract::State;
use serde_json::json;
use std::sync::Arc;
use strongroom_types::Code;
use strongroom_types::words::words;

/// Where this API's replica stands. Needs no key: it says nothing of any tenant.
pub(crate) async fn show(State(api): State<Arc<Api>>) -> Answer {
    let now = api.now();
    Ok(Json(api.journal.read(|f| {
        let genesis = f.genesis();
        let hash = genesis.hash();
        json!({
            "platform": genesis.platform.to_string(),
            "genesis": hash.to_string(),
            "genesis_words": words(&hash),
            "mode": if genesis.mode == strongroom_journal::Mode::Dev { "dev" } else { "production" },
            "journal": {
                "size": f.size(),
                "witnessed": f.witnessed(),
                "fresh": f.fresh(now).ok().map(|head| head.size),
                "quorum": genesis.quorum,
                "witnesses": genesis.witness_count(),
                "faults": genesis.faults,
            },
            "halted": f.halted().map(|refusal| refusal.code.as_str()),
            "now_ms": now.0,
        })
    })))
}

pub(crate) async fn unknown() -> Problem {
    Problem::new(Code::NotFound, "no such path; see the README for the list")
}
