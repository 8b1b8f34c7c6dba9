//! Role `writer`: orders what services submit and publishes the journal's entries.

use super::{RoleName, Starting, stage_of};
use crate::exit::RunError;
use crate::start_check::{CheckedStart, log_key};
use crate::supervise::StageRun;
use std::sync::Arc;
use strongroom_host::SystemEntropy;
use strongroom_writer::{BoundedWriter, Writer};

pub(super) fn start(starting: &mut Starting<'_>) -> Result<(), RunError> {
    let parts = starting.parts;
    let service = Arc::clone(parts.service(RoleName::Writer)?);
    let genesis = Arc::clone(&parts.genesis);
    let checked = CheckedStart {
        service: Arc::clone(&service),
        genesis: Arc::clone(&genesis),
        bus: Arc::clone(&parts.bus),
    };

    // The writer waits for no fresh head, because it makes the heads.
    let run = StageRun {
        after_fresh_head: None,
        before_start: Some(Box::new(move |stop| checked.wait(stop))),
        ..stage_of(parts, RoleName::Writer)?
    };
    starting.supervisor.run_stage(run, move || {
        let (genesis, log) = (Arc::clone(&genesis), log_key(&service)?);

        // Entries are salted, so that a published leaf does not tell its body to a guess.
        let entropy = Arc::new(SystemEntropy);
        let writer = Writer::new(genesis, log, service.post(), entropy)?;
        Ok(BoundedWriter::new(writer))
    });
    Ok(())
}
