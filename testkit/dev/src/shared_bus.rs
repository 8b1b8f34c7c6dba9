//! The embedded bus for several processes of one machine: bus kind `shared`.
//!
//! The first process that opens the file holds it and serves it on a Unix socket beside it; every
//! later one is a client of that socket. All use the same configuration. When the holder ends, the
//! others get [`BusError::Io`] until another process holds the file.

mod client;
mod message;
mod server;

pub use client::SocketBus;
pub use server::BusServer;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use strongroom_bus_embedded::{EmbeddedBus, Options};
use strongroom_ports::bus::{Bus, BusError, Mode};
use strongroom_stage::StopFlag;

/// How long a process waits for the holder of the file to listen.
const HOLDER_WAIT: Duration = Duration::from_secs(5);
const HOLDER_POLL: Duration = Duration::from_millis(20);

/// The socket beside a log file.
#[must_use]
pub fn socket_of(log: &Path) -> PathBuf {
    log.with_extension("sock")
}

/// Holds the log file and serves it, or connects to the process that does.
///
/// # Errors
/// [`BusError::RefusedInProduction`]; [`BusError::Io`] when neither is possible.
pub fn open(log: &Path, mode: Mode, incarnation: [u8; 16]) -> Result<Arc<dyn Bus>, BusError> {
    let socket = socket_of(log);
    let pause = StopFlag::new();
    let mut waited = Duration::ZERO;

    // The process that holds the file's lock serves it. Tried again each time, since a holder may end
    // between the two attempts, and then this process takes its place.
    loop {
        let refused = match EmbeddedBus::open(log, mode, Options::default(), incarnation) {
            Ok(bus) => return Ok(Arc::new(BusServer::start(bus, &socket)?)),
            Err(refused @ BusError::Io(_)) => refused,
            Err(refused) => return Err(refused),
        };

        // The file is held by a process that listens, or soon will.
        if let Ok(bus) = SocketBus::connect(&socket) {
            return Ok(Arc::new(bus));
        }

        if waited >= HOLDER_WAIT {
            return Err(refused);
        }
        let _ = pause.wait(HOLDER_POLL);
        waited += HOLDER_POLL;
    }
}
