//! Role `transactions`: builds, submits, assembles and broadcasts, for one chain.

use super::{RoleName, Starting, stage_of};
use crate::exit::RunError;
use crate::parts::WorkedChain;
use std::sync::Arc;
use strongroom_host::SystemClock;
use strongroom_transactions::{TransactionsParts, TransactionsStage};

/// A signing run without an answer is asked for again after this time, milliseconds: longer than a
/// round with a slow signer takes.
const RESEND_MS: u64 = 5_000;

pub(super) fn start(starting: &mut Starting<'_>) -> Result<(), RunError> {
    let parts = starting.parts;
    let service = Arc::clone(parts.service(RoleName::Transactions)?);
    let journal = Arc::clone(&parts.journal);

    let WorkedChain { codec, gateway } = parts
        .worked_chain
        .clone()
        .ok_or_else(|| parts.config.error("role transactions has no chain to work"))?;

    let stop = starting.supervisor.stop_flag();
    let make = move || {
        Ok(TransactionsStage::new(TransactionsParts {
            post: service.post(),
            journal: Arc::clone(&journal),
            codec: Arc::clone(&codec),
            gateway: Arc::clone(&gateway),
            clock: Arc::new(SystemClock),
            stop: stop.clone(),
            resend_ms: RESEND_MS,
        }))
    };
    starting
        .supervisor
        .run_stage(stage_of(parts, RoleName::Transactions)?, make);
    Ok(())
}
