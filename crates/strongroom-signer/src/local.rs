//! Commands of the operator at their own node.

use crate::admin::ask;
use crate::cli::At;
use crate::folder::Folder;
use anyhow::Context as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use strongroom_host::SystemClock;
use strongroom_ports::host::Clock as _;
use strongroom_signer_core::{resume_local, stop_local, stopped_since};
use strongroom_types::{Digest, UnixMs};
use strongroom_wire::frame::{AdminReply, AdminRequest};

fn socket(at: &At) -> PathBuf {
    at.socket
        .clone()
        .unwrap_or_else(|| Folder::at(&at.data).admin_socket())
}

fn print_line(text: &str) -> anyhow::Result<()> {
    writeln!(std::io::stdout(), "{}", text.trim_end()).context("cannot print")
}

fn done(reply: AdminReply, text: &str) -> anyhow::Result<()> {
    match reply {
        AdminReply::Done => print_line(text),
        AdminReply::Status(status) => print_line(&status),
        AdminReply::Refused(why) => anyhow::bail!("the node refused: {why}"),
    }
}

/// `status`: prints the report of the running node.
pub fn status(at: &At) -> anyhow::Result<()> {
    let path = socket(at);
    let reply = ask(&path, &AdminRequest::Status)?;
    done(
        reply.with_context(|| format!("no node is running at {}", path.display()))?,
        "",
    )
}

/// `stop`: the running node, or the mark on its disk.
pub fn stop(at: &At) -> anyhow::Result<()> {
    if let Some(reply) = ask(&socket(at), &AdminRequest::Stop)? {
        return done(reply, "stopped: nothing is shared until `resume-local`");
    }

    // No process answers, so its mark is written for it. The lock is held for that: a node that
    // just starts could else have read the old one.
    let folder = Folder::at(&at.data);
    folder.check()?;
    let _lock = folder
        .lock()
        .context("the node runs, but its admin socket does not answer: use --socket")?;
    let db = folder.open_store()?;
    stop_local(&db, UnixMs(SystemClock.now_ms()))?;
    print_line("stopped while not running: nothing is shared after a start until `resume-local`")
}

/// `resume-local`: only while the node is not running, so that nothing resumes by accident.
pub fn resume(at: &At) -> anyhow::Result<()> {
    let folder = Folder::at(&at.data);
    folder.check()?;
    let _lock = folder.lock().context("end the node's process first")?;
    let db = folder.open_store()?;

    let since = stopped_since(&db)?;
    resume_local(&db)?;
    match since {
        Some(since) => print_line(&format!(
            "resumed: it was stopped at {since} ms; start the node to share again"
        )),
        None => print_line("it was not stopped"),
    }
}

/// `hand`: gives a signed tightening to the running node.
pub fn hand(file: &Path, at: &At) -> anyhow::Result<()> {
    let json =
        std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;

    let path = socket(at);
    let reply = ask(&path, &AdminRequest::Hand(json.trim().to_owned()))?;
    let reply = reply.with_context(|| format!("no node is running at {}", path.display()))?;
    done(
        reply,
        "taken: what it forbids is refused from now on; `status` shows what becomes of it",
    )
}

/// `unfreeze`: lifts the freeze that this evidence caused.
pub fn unfreeze(evidence: Digest, at: &At) -> anyhow::Result<()> {
    let path = socket(at);
    let reply = ask(&path, &AdminRequest::Unfreeze(evidence))?;
    let reply = reply.with_context(|| format!("no node is running at {}", path.display()))?;
    done(
        reply,
        "lifted on disk: restart the node to follow its line again",
    )
}
