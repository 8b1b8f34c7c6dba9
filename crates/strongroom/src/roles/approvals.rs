//! Role `approvals`: evaluates policy early and collects people's answers.

use super::{RoleName, Starting, stage_of};
use crate::exit::RunError;
use std::sync::Arc;
use strongroom_approvals::ApprovalsStage;

pub(super) fn start(starting: &mut Starting<'_>) -> Result<(), RunError> {
    let parts = starting.parts;
    let service = Arc::clone(parts.service(RoleName::Approvals)?);
    let journal = Arc::clone(&parts.journal);

    let make = move || Ok(ApprovalsStage::new(service.post(), Arc::clone(&journal)));
    starting
        .supervisor
        .run_stage(stage_of(parts, RoleName::Approvals)?, make);
    Ok(())
}
