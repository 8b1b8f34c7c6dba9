//! Role `writer`: orders what services submit and publishes the journal's entries.

use super::{RoleName, Starting, stage_of};
use crate::exit::RunError;
use crate::start_check::{CheckedStart, log_key};
use crate::supervise::StageRun;
use std::sync::Arc;
use strongroom_host::SystemEntropy;
use strongroom_stage::StopFlag;
use strongroom_writer::{BoundedWriter, ReadyStart, Writer};

pub(super) fn start(starting: &mut Starting<'_>) -> Result<(), RunError> {
    let parts = starting.parts;
    let service = Arc::clone(parts.service(RoleName::Writer)?);
    let checked = CheckedStart {
        service: Arc::clone(&service),
        genesis: Arc::clone(&parts.genesis),
        bus: Arc::clone(&parts.bus),
    };

    // The writer waits for no fresh head, because it makes the heads.
    let run = StageRun {
        after_fresh_head: None,
        ..stage_of(parts, RoleName::Writer)?
    };
    let check = move |stop: &StopFlag| checked.wait(stop);
    starting
        .supervisor
        .run_checked_stage(run, check, move |ready: ReadyStart| {
            // Entries are salted, so that a published leaf does not tell its body to a guess.
            let (log, entropy) = (log_key(&service)?, Arc::new(SystemEntropy));
            let writer = Writer::new(ready, log, service.post(), entropy)?;
            Ok(BoundedWriter::new(writer))
        });
    Ok(())
}
