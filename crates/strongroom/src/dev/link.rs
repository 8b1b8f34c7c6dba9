//! Threads and socket paths of the development platform.

use std::path::{Path, PathBuf};
use std::thread::JoinHandle;

/// A named thread of the composition root.
#[expect(
    clippy::disallowed_methods,
    reason = "the composition root starts the threads"
)]
#[expect(
    clippy::expect_used,
    reason = "a process that cannot start its threads must stop"
)]
pub fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> JoinHandle<()> {
    std::thread::Builder::new()
        .name(name.to_owned())
        .spawn(work)
        .expect("a thread can be started")
}

/// Socket paths are short (a Unix limit of about 100 bytes), so they live in a folder of their own.
#[must_use]
pub fn socket_path(run: &Path, name: &str) -> PathBuf {
    run.join(format!("{name}.sock"))
}
