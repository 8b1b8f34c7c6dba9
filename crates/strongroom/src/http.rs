//! The one asynchronous part of the process: the HTTP server of role `api`.

use crate::exit::RunError;
use crate::supervise::{Ended, Supervisor};
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use strongroom_api::{Api, serve};
use tokio::runtime::Runtime;
use tokio::sync::oneshot;

/// Listens, and serves on a thread with a runtime of its own until the process stops. Gives the
/// address: the configured port may be 0.
pub(crate) fn listen_and_serve(
    supervisor: &mut Supervisor,
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
    supervisor.on_stop(move || {
        let _ = stop.send(());
    });
    supervisor.spawn("http", move || {
        let served: io::Result<()> = runtime.block_on(async {
            let listener = tokio::net::TcpListener::from_std(listener)?;
            serve(api, listener, async {
                let _ = stopped.await;
            })
            .await
        });
        match served {
            Ok(()) => Ended::Stopped,
            Err(error) => Ended::for_good(&error),
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
