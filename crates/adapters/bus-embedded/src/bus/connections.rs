//! The connections to a log's file, and the lock that excludes other processes.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::Path;
use std::sync::Mutex;

use strongroom_ports::bus::BusError;

use crate::log::Log;

/// Connections to the log.
pub(super) struct Connections {
    pub(super) writer: Mutex<Log>,
    /// Connection for records older than the tail; `None` for a log in memory, which has one
    /// connection.
    pub(super) reader: Option<Mutex<Log>>,
    /// Lock that excludes other processes from the file; `None` for a log in memory.
    pub(super) _lock: Option<File>,
}

/// Takes the lock of a log's file. Offsets are counted in this process's memory, so a second
/// process would fail at its first publish; the lock refuses it before it does any work.
pub(super) fn lock_log(path: &Path) -> Result<File, BusError> {
    let path = path.with_extension("lock");
    let io = |error: std::io::Error| BusError::Io(format!("{}: {error}", path.display()));

    // The lock file is never removed: otherwise two processes could each lock a different file of
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
