//! `verify`: every claim of a folder of artefacts, recomputed in this process.

use super::context::codecs;
use anyhow::{Context as _, bail};
use clap::Args;
use std::io::Write;
use std::path::{Path, PathBuf};
use strongroom_client::verify::{Report, verify_dir_pinned};
use strongroom_journal::Genesis;
use strongroom_types::Digest;

/// Replays a journal from its pinned genesis and recomputes everything that a folder claims (see
/// docs/cli.md). The last line is JSON; the exit code is 0 only if nothing is wrong.
#[derive(Args, Debug)]
#[group(skip)]
pub struct Verify {
    /// The folder: genesis.bin, genesis.hash, journal.bin, cosignatures.bin, and optionally
    /// transactions.jsonl, refusals.jsonl, counters.json.
    pub dir: PathBuf,
    /// The genesis hash you pinned; without it the folder's own genesis.hash is taken.
    #[arg(long, value_name = "HEX")]
    pub hash: Option<Digest>,
}

/// Verifies a folder; the last line printed is JSON.
pub fn run(command: &Verify, out: &mut dyn Write) -> anyhow::Result<()> {
    let report = verify(&command.dir, command.hash)?;
    for problem in &report.problems {
        writeln!(out, "PROBLEM: {problem}")?;
    }

    writeln!(out, "{}", report.to_json())?;
    if report.problems.is_empty() {
        Ok(())
    } else {
        bail!("{} problems", report.problems.len())
    }
}

fn verify(dir: &Path, hash: Option<Digest>) -> anyhow::Result<Report> {
    let file = |name: &str| {
        let path = dir.join(name);
        std::fs::read(&path).with_context(|| format!("cannot read {}", path.display()))
    };

    let hash = match hash {
        Some(pinned) => pinned,
        // This shows only that the folder agrees with itself: a forged journal would bring its own
        // genesis.
        None => String::from_utf8(file("genesis.hash")?)?
            .trim()
            .parse()
            .context("genesis.hash")?,
    };

    let genesis = Genesis::pinned(&file("genesis.bin")?, hash).context("genesis.bin")?;
    Ok(verify_dir_pinned(dir, hash, &codecs(&genesis)?)?)
}
