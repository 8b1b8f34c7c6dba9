//! `journal verify`: every claim of a folder of artefacts, recomputed in this process.

use super::context::codecs;
use anyhow::{Context as _, bail};
use clap::Subcommand;
use std::io::Write;
use std::path::{Path, PathBuf};
use strongroom_client::verify::{Report, verify_dir_pinned};
use strongroom_journal::Genesis;
use strongroom_types::Digest;

/// Subcommands of `strongroom journal`.
#[derive(Subcommand, Debug)]
pub enum JournalCommand {
    /// Replay a journal from its pinned genesis and recompute everything claimed in a folder (see
    /// docs/cli.md). The last line is JSON; the exit code is 0 only if nothing is wrong.
    Verify {
        /// The folder: genesis.bin, genesis.hash, journal.bin, cosignatures.bin, and optionally
        /// transactions.jsonl, refusals.jsonl, counters.json.
        dir: PathBuf,
        /// The genesis hash you pinned; without it the folder's own genesis.hash is taken.
        #[arg(long, value_name = "HEX")]
        hash: Option<Digest>,
    },
}

/// Verifies a folder; the last line printed is JSON.
pub fn run(command: &JournalCommand, out: &mut dyn Write) -> anyhow::Result<()> {
    let JournalCommand::Verify { dir, hash } = command;
    let report = verify(dir, *hash)?;
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
