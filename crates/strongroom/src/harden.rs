//! What a process that reads keys gives up at its start.

use rustix::process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit};
use std::io;

/// No core file, and no memory for other processes of the same user to read.
///
/// # Errors
/// The operating system's: a process that keeps its memory open must not read a key.
pub fn keep_memory_private() -> io::Result<()> {
    // A core file would write the log's key, or a person's, to a disk from which nothing wipes it.
    let none = Rlimit {
        current: Some(0),
        maximum: Some(0),
    };
    setrlimit(Resource::Core, none)?;

    // Any process of the same user could otherwise attach to this one and read its memory.
    Ok(set_dumpable_behavior(DumpableBehavior::NotDumpable)?)
}
