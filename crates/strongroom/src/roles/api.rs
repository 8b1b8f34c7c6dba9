//! Role `api`: REST on loopback. It listens at once and answers `not_ready` until its replica is
//! fresh.

use super::{RoleName, Starting, stage_of};
use crate::exit::RunError;
use crate::http::listen_and_serve;
use crate::supervise::StageRun;
use std::sync::Arc;
use strongroom_api::{Api, ApiParts, ApiStage, Changes, Keyring, Ready};
use strongroom_host::SystemClock;

pub(super) fn start(starting: &mut Starting<'_>) -> Result<(), RunError> {
    let parts = starting.parts;
    let listen = parts.config.listen()?;
    let service = Arc::clone(parts.service(RoleName::Api)?);
    let keys = service.secrets.held.bearer_keys();
    let none = || parts.config.error("the api's secrets hold no bearer keys");
    let keys = keys.ok_or_else(none)?;

    // The stage opens the gate: from then on the replica is fresh and the tables are there.
    let (ready, changes) = (Ready::default(), Changes::default());
    let api = Api::new(ApiParts {
        db: Arc::clone(&service.db),
        bus: Arc::clone(&parts.bus),
        journal: Arc::clone(&parts.journal),
        codecs: parts.codecs.clone(),
        post: service.post(),
        keyring: Keyring(keys.to_vec()),
        clock: Arc::new(SystemClock),
        changes: changes.clone(),
        ready: ready.clone(),
    });
    starting.address = Some(listen_and_serve(starting.supervisor, api, listen)?);

    let run = StageRun {
        on_open: Box::new(move || ready.set()),
        on_progress: Box::new(move || changes.bump()),
        ..stage_of(parts, RoleName::Api)?
    };
    let journal = Arc::clone(&parts.journal);
    let make = move || Ok(ApiStage::new(service.post(), Arc::clone(&journal)));
    starting.supervisor.run_stage(run, make);
    Ok(())
}
