//! `apply` and the state root alone, in memory.

use super::load::Load;
use crate::measure::{median, us};
use std::hint::black_box;
use std::time::Instant;
use strongroom_journal::{State, apply};
use strongroom_types::Refusal;

/// Entries measured at most.
const ENTRIES_MAX: usize = 2_048;
/// Entries between two state roots.
const BATCH: usize = 64;

/// Medians: one entry's `apply`, and the root after a batch; microseconds.
pub fn measure(load: &Load) -> Result<(f64, f64), Refusal> {
    let ledger = &load.ledger;
    let mut state: State = ledger.state.clone();
    black_box(state.root());
    let (mut applying, mut rooting) = (Vec::new(), Vec::new());
    for (at, body) in load.payments.iter().take(ENTRIES_MAX).enumerate() {
        let mut entry = ledger.entry(ledger.scope_of(body), body.clone(), ledger.now);
        entry.seq += at as u64;
        let start = Instant::now();
        let delta = apply(&state, &entry)?;
        applying.push(us(start.elapsed()));
        state.commit(&delta);
        if (at + 1).is_multiple_of(BATCH) {
            let start = Instant::now();
            black_box(state.root());
            rooting.push(us(start.elapsed()));
        }
    }
    Ok((median(applying), median(rooting)))
}
