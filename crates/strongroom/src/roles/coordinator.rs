//! Role `coordinator`: runs signing sessions and ceremonies; trusted with nothing.

use super::{RoleName, Starting, stage_of};
use crate::exit::RunError;
use std::sync::Arc;
use strongroom_coordinator::{CoordinatorStage, Pace};

pub(super) fn start(starting: &mut Starting<'_>) -> Result<(), RunError> {
    let parts = starting.parts;
    let service = Arc::clone(parts.service(RoleName::Coordinator)?);
    let journal = Arc::clone(&parts.journal);

    let make = move || {
        Ok(CoordinatorStage::new(
            service.post(),
            Arc::clone(&journal),
            Pace::default(),
        ))
    };
    starting
        .supervisor
        .run_stage(stage_of(parts, RoleName::Coordinator)?, make);
    Ok(())
}
