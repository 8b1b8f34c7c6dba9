//! `genesis`: who takes part, pinned by hash.

mod create;
mod describe;

use super::show;
use anyhow::Context as _;
use clap::Subcommand;
use std::io::Write;
use std::path::{Path, PathBuf};
use strongroom_journal as journal;
use strongroom_types::Digest;

/// Subcommands of `strongroom genesis`.
#[derive(Subcommand, Debug)]
pub enum GenesisCommand {
    /// Make a genesis file from a TOML description; computes the quorum and refuses what breaks a
    /// rule.
    Create {
        /// The description (see docs/cli.md): signers' and witnesses' public records from
        /// `strongroom-signer init`, admins, services, chains, mode and bounds.
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
        /// The new genesis file.
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// Show a genesis file: hash and words to compare, who takes part, and everything that weakens
    /// the claim.
    Show {
        /// Genesis file.
        file: PathBuf,
    },
    /// Compare a genesis file with a pinned hash and check its rules.
    Verify {
        /// Genesis file.
        file: PathBuf,
        /// Pinned hash, 64 hex digits.
        #[arg(long, value_name = "HEX")]
        hash: Digest,
    },
}

/// Makes, shows or verifies a genesis file.
pub fn run(command: &GenesisCommand, out: &mut dyn Write) -> anyhow::Result<()> {
    match command {
        GenesisCommand::Create { config, out: file } => {
            let genesis = create::from_file(config)?;

            // A file that is there is never overwritten: it may be the one whose hash signers have
            // pinned.
            let mut target = std::fs::File::create_new(file)
                .with_context(|| format!("cannot write {} (it must not exist)", file.display()))?;
            target.write_all(&genesis.to_bytes())?;
            target.sync_all()?;
            describe::describe(&genesis, out)
        }
        GenesisCommand::Show { file } => {
            // Nothing is compared with a hash here: this is the command by which people get the one
            // that they pin.
            let genesis = journal::Genesis::from_bytes(&read(file)?)?;
            genesis.check()?;
            describe::describe(&genesis, out)
        }
        GenesisCommand::Verify { file, hash } => {
            // The words are shown once more: that the hash on the command line is the right one is
            // for people to say.
            let genesis = journal::Genesis::pinned(&read(file)?, *hash)?;
            writeln!(out, "ok: {} is genesis {hash}\n", file.display())?;
            show::words(out, &genesis.hash())
        }
    }
}

fn read(file: &Path) -> anyhow::Result<Vec<u8>> {
    std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))
}
