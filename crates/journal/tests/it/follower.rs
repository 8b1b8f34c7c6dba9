//! The replica: what stops it, what counts as witnessed, what is fresh.

mod batches;
mod cosignatures;
mod freshness;
mod heads;

use strongroom_journal::follower::Follower;
use strongroom_tlog::{NoteSigner, sign_note};
use strongroom_types::{Code, Refusal};
use strongroom_world::small::{genesis, log_seed};

fn follower() -> Follower {
    Follower::new(genesis()).unwrap()
}

fn code<T: std::fmt::Debug>(result: Result<T, Refusal>) -> Code {
    result.unwrap_err().code
}

/// Signs whatever the body says: what a hostile writer can do.
fn note(body: &str) -> String {
    sign_note(
        body,
        &NoteSigner::new(&genesis().origin, &log_seed()).unwrap(),
    )
    .unwrap()
}
