//! The connections to a log's file, and the lock that keeps other processes from it.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::Path;
use std::sync::Mutex;

use strongroom_ports::bus::BusError;

use crate::log::Log;

/// Connections to the log.
pub(super) struct Connections {
    pub(super) writer: Mutex<Log>,
    /// For records older than the tail; `None` for a log in memory, which has one connection.
    pub(super) reader: Option<Mutex<Log>>,
    /// Keeps other processes from the file; `None` in memory.
    pub(super) _lock: Option<File>,
}

/// Offsets are counted in this process's memory. A second process on the file would find out at its
/// first publish and be broken; the lock refuses it before it does any work.
pub(super) fn lock_log(path: &Path) -> Result<File, BusError> {
    let path = path.with_extension("lock");
    let io = |error: std::io::Error| BusError::Io(format!("{}: {error}", path.display()));

    // The file stays when the lock ends: were it removed, two processes could each lock a file of
    // this name.
    let lock = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .open(&path);
    let lock = lock.map_err(io)?;

    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(BusError::Io(format!(
            "{} is held by another process",
            path.display()
        ))),
        Err(TryLockError::Error(error)) => Err(io(error)),
    }
}
