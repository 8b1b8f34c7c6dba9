//! Errors for which a link could not start, or a connection ended.

use std::io;
use std::path::PathBuf;
use strongroom_ports::bus::BusError;

/// A link that cannot listen, or a connection that is over.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// The socket file cannot be made.
    #[error("cannot listen on {}", path.display())]
    Listen {
        /// The socket file.
        path: PathBuf,
        /// The operating system's answer.
        #[source]
        source: io::Error,
    },
    /// The bus refused.
    #[error("the bus refused")]
    Bus(#[from] BusError),
    /// The signer's connection broke, or carried bytes that are not frames.
    #[error("the signer's connection")]
    Connection(#[from] io::Error),
    /// The signer did not say which entry it needs: its first frame did not come in time.
    #[error("the signer did not say hello")]
    NoHello,
}
