//! Role `link`: a socket for each signer and witness of genesis.

use super::Starting;
use crate::exit::RunError;
use crate::sockets::{seats, socket_path};
use crate::supervise::{Ended, spawn_thread};
use std::sync::Arc;
use strongroom_link::Link;

pub(super) fn start(starting: &mut Starting<'_>) -> Result<(), RunError> {
    let parts = starting.parts;
    let sockets = parts.config.sockets()?;

    for (seat, node) in seats(&parts.genesis) {
        let (bus, stop) = (Arc::clone(&parts.bus), starting.supervisor.stop_flag());
        let socket = socket_path(sockets, &seat);

        // All sockets are opened before the call returns, so that one that cannot be made fails the
        // start.
        let link = Link::open(bus, &parts.genesis, node, &socket, stop)
            .map_err(|error| RunError::part(format!("link of {seat}"), error))?;
        let serve = move || {
            link.serve(&|name, work| spawn_thread(name, work));
            Ended::Stopped
        };
        starting.supervisor.spawn(&format!("link-{seat}"), serve);
    }
    Ok(())
}
