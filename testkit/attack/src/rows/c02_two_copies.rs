//! C2: two processes on one disk; a cosignature whose disk did not take it.

use super::r31_restored_disk::show_the_other;
use super::usual;
use crate::ground::{Ground, now};
use crate::row::{Attack, Elsewhere, Outcome, Row};
use anyhow::Context as _;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;
use strongroom_guard::G;
use strongroom_journal::Body;
use strongroom_types::Code;

pub const ROW: Row = Row {
    id: "C2",
    story: "A signer is started a second time on the same disk, as a cluster does by mistake. Or \
            its disk takes nothing any more: if it vouched for the newest entry all the same, it \
            would know nothing of that after its next start.",
    attacks: &[
        Attack {
            guard: G::FolderLock,
            code: Code::Conflict,
            red_when: "the honest process ends because another one works on its disk",
            world: usual,
            run: started_twice,
        },
        Attack {
            guard: G::PersistThenCosign,
            code: Code::Internal,
            red_when: "one witness vouches for two histories of one length",
            world: usual,
            run: disk_takes_nothing,
        },
    ],
};

/// The victim.
const SEAT: u16 = 1;

/// The exit code of a second process. It stands for the refusal, which has no code of its own.
const ALREADY_RUNS: i32 = 15;

fn started_twice(ground: &mut Ground) -> anyhow::Result<Outcome> {
    let first = ground.start_twin(SEAT)?;
    let mut first = first.context("the first process")?;
    let ended = ground.until("the second process", |ground| {
        let node = ground.node(SEAT)?;
        if let Some(status) = node.ended() {
            return Ok(Some(Some(status)));
        }
        Ok(node.is_connected().then_some(None))
    })?;
    if let Some(status) = ended {
        anyhow::ensure!(status == ALREADY_RUNS, "it ended by {status}");
        anyhow::ensure!(first.ended().is_none(), "the first process ended");
        return Ok(Outcome {
            codes: vec![Code::Conflict],
            by: Some(Elsewhere::Ended),
            ..Outcome::default()
        });
    }

    // Both get the next entry: the second one first.
    ground.tick()?;
    ground.wait_nodes()?;
    let batch = ground.log.batches.last().context("a batch")?.clone();
    let sealed = ground.seal(strongroom_wire::Role::Writer, None, &batch);
    first.send(&strongroom_wire::frame::ToSigner::Batch(sealed));
    let status = ground.until("the first process goes on", |_| Ok(first.ended()))?;
    Ok(Outcome {
        harm: Some(format!("the honest process ended by {status}")),
        ..Outcome::default()
    })
}

/// The limit for files is set to what the write-ahead log has: nothing can be added to it.
fn disk_takes_nothing(ground: &mut Ground) -> anyhow::Result<Outcome> {
    let files = ground.node(SEAT)?.files().clone();
    run_without_signal(ground)?;
    ground.tick()?;
    ground.wait_nodes()?;
    let mut other = ground.fork()?;

    let pid = ground.node(SEAT)?.pid().context("the process")?;
    let taken = std::fs::metadata(files.data().join("signer.db-wal"))?.len();
    let limited = Command::new("prlimit")
        .args(["--pid", &pid.to_string(), &format!("--fsize={taken}")])
        .status()?;
    anyhow::ensure!(limited.success(), "prlimit");

    let from = std::fs::read(files.log())?.len();
    ground
        .order(&Body::Tick, now())
        .map_err(|refusal| anyhow::anyhow!("a tick: {refusal}"))?;
    let body = ground.log.follower.tip().body.clone();
    let ended = ground.until("the node neither ends nor cosigns", |ground| {
        if let Some(code) = ground.ended(SEAT, from)? {
            return Ok(Some(Some(code)));
        }
        let mut words = ground.cosignatures.iter();
        let said = words.any(|(seat, word)| *seat == SEAT && word.body == body);
        Ok(said.then_some(None))
    })?;
    if let Some(code) = ended {
        return Ok(Outcome {
            codes: vec![code],
            by: Some(Elsewhere::Ended),
            ..Outcome::default()
        });
    }

    // It said so, and its disk does not know.
    ground.node(SEAT)?.kill()?;
    ground.cut_off.insert(SEAT);
    if let Some(code) = ground.start_again(SEAT)? {
        anyhow::bail!("the node does not start again: {code}");
    }
    show_the_other(ground, &mut other)
}

/// Starts the node such that a write beyond the limit is an error, and not a signal that ends it.
fn run_without_signal(ground: &mut Ground) -> anyhow::Result<()> {
    let node = ground.node(SEAT)?;
    let script = node.files().data().with_extension("sh");
    let program = node.program().path.display();
    let text = format!("#!/bin/sh\ntrap '' XFSZ\nexec '{program}' \"$@\"\n");
    std::fs::write(&script, text)?;
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o700))?;
    node.run_by(script);
    let ended = ground.restart(SEAT)?;
    anyhow::ensure!(ended.is_none(), "an honest start ended: {ended:?}");
    Ok(())
}
