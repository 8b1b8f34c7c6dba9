//! Rights that the process gives up at its start.

use anyhow::Context as _;
use rustix::fs::Mode;
use rustix::process::{
    DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit, umask,
};
use rustix::thread::set_no_new_privs;

/// No core file, no memory for other processes of the same user to read, no new privileges, and no
/// file or socket that another user can open.
pub fn harden() -> anyhow::Result<()> {
    // A bound socket takes no mode: only the umask keeps others away from it.
    umask(Mode::from_raw_mode(0o077));

    // A core file would write shares and nonces to a disk from which nothing wipes them.
    let none = Rlimit {
        current: Some(0),
        maximum: Some(0),
    };
    setrlimit(Resource::Core, none).context("core files")?;

    // Any process of the same user could otherwise attach to this one and read its memory.
    set_dumpable_behavior(DumpableBehavior::NotDumpable).context("dumpable")?;

    // A set-uid program started through a bug would leave this user's limits.
    set_no_new_privs(true).context("no new privileges")
}
