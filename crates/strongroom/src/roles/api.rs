//! Role `api`: REST on loopback. It listens at once and answers `not_ready` until its replica is
//! fresh.

use super::{RoleName, Starting, stage_of};
use crate::exit::RunError;
use crate::secrets::HeldKeys;
use crate::supervise::StageRun;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use strongroom_api::{Api, ApiParts, ApiStage, Changes, Keyring, Ready, serve};
use strongroom_host::SystemClock;
use tokio::runtime::Runtime;
use tokio::sync::oneshot;

pub(super) fn start(starting: &mut Starting<'_>) -> Result<(), RunError> {
    let parts = starting.parts;
    let config = &parts.config;
    let listen = config
        .listen
        .ok_or_else(|| config.error("role api needs `[api]`"))?;

    let service = Arc::clone(parts.service(RoleName::Api)?);
    let HeldKeys::BearerKeys(keys) = &service.secrets.held else {
        return Err(config.error("the api's secrets hold no bearer keys"));
    };

    // The stage opens the gate: from then on the replica is fresh and the tables are there.
    let (ready, changes) = (Ready::default(), Changes::default());
    let api = Api::new(ApiParts {
        db: Arc::clone(&service.db),
        bus: Arc::clone(&parts.bus),
        journal: Arc::clone(&parts.journal),
        codecs: parts.codecs.clone(),
        post: service.post(),
        keyring: Keyring(keys.clone()),
        clock: Arc::new(SystemClock),
        changes: changes.clone(),
        ready: ready.clone(),
    });
    starting.address = Some(listen_and_serve(starting, api, listen)?);

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

/// The one asynchronous part of the process: an HTTP server on its own runtime and thread.
fn listen_and_serve(
    starting: &mut Starting<'_>,
    api: Arc<Api>,
    listen: SocketAddr,
) -> Result<SocketAddr, RunError> {
    let cannot = |error: io::Error| RunError::part(format!("cannot listen on {listen}"), error);

    // The port is bound here and not on the thread: a port in use must fail the start, with its
    // address.
    let listener = TcpListener::bind(listen).map_err(cannot)?;
    listener.set_nonblocking(true).map_err(cannot)?;
    let address = listener.local_addr().map_err(cannot)?;
    let runtime = runtime().map_err(cannot)?;

    let (stop, stopped) = oneshot::channel::<()>();

    // The server waits for connections, not for the stop flag.
    starting.supervisor.on_stop(move || {
        let _ = stop.send(());
    });
    starting.supervisor.spawn("http", move || {
        let served = runtime.block_on(async {
            let listener = tokio::net::TcpListener::from_std(listener)?;
            serve(api, listener, async {
                let _ = stopped.await;
            })
            .await
        });
        if let Err(error) = served {
            tracing::error!(%error, "http server");
        }
    });

    Ok(address)
}

fn runtime() -> io::Result<Runtime> {
    // Handlers run on blocking threads (ADR 0005); one worker is enough to carry bytes.
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
}
