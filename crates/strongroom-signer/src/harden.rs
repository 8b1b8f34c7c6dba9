//! What the process may never do.

use anyhow::Context as _;
use rustix::fs::Mode;
use rustix::process::{
    DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit, umask,
};
use rustix::thread::set_no_new_privs;

/// No core file, no memory for other processes of the same user to read, no new privileges, and no
/// file or socket that another user can open.
pub fn harden() -> anyhow::Result<()> {
    umask(Mode::from_raw_mode(0o077));
    let none = Rlimit {
        current: Some(0),
        maximum: Some(0),
    };
    setrlimit(Resource::Core, none).context("core files")?;
    set_dumpable_behavior(DumpableBehavior::NotDumpable).context("dumpable")?;
    set_no_new_privs(true).context("no new privileges")
}
