//! Role `writer`: orders what services submit and publishes the journal's entries.

use super::{RoleName, Starting, stage_of};
use crate::exit::RunError;
use crate::secrets::HeldKeys;
use crate::supervise::{StageRun, now};
use std::sync::Arc;
use strongroom_host::SystemEntropy;
use strongroom_writer::{Writer, republish};

pub(super) fn start(starting: &mut Starting<'_>) -> Result<(), RunError> {
    let parts = starting.parts;
    let service = Arc::clone(parts.service(RoleName::Writer)?);

    // Entries of a commit that was never published, or all of them on a new bus.
    let (db, bus, genesis) = (
        service.db.as_ref(),
        parts.bus.as_ref(),
        Arc::clone(&parts.genesis),
    );
    let batches = republish(db, bus, &genesis, &mut service.post(), now())
        .map_err(|error| RunError::part("role writer: republishing the journal", error))?;
    if batches > 0 {
        tracing::info!(batches, "journal batches published again");
    }

    // Heads come from here, so there is none to wait for.
    let run = StageRun {
        after_fresh_head: None,
        ..stage_of(parts, RoleName::Writer)?
    };
    starting.supervisor.run_stage(run, move || {
        let HeldKeys::LogKey(log) = &service.secrets.held else {
            anyhow::bail!("the writer's secrets hold no log key");
        };

        // Entries are salted, so that a published leaf does not tell its body to a guess.
        let entropy = Arc::new(SystemEntropy);
        Ok(Writer::new(
            Arc::clone(&genesis),
            log,
            service.post(),
            entropy,
        )?)
    });
    Ok(())
}
