//! The command line: what people and scripts use against a running Strongroom, and on its files.
//!
//! Exit codes: 0 done, 1 refused or failed, 2 wrong usage. Errors go to stderr with their stable
//! code and what to do.

mod act;
mod approvals;
mod context;
mod doctor;
mod end;
mod fail;
mod genesis;
mod keep;
mod keys;
mod show;
mod status;
mod tx;
mod vaults;
mod verify;

#[cfg(test)]
mod tests;

pub use context::{Profile, ServerOptions};

use crate::harden::keep_memory_private;
use anyhow::Context as _;
use clap::Subcommand;
use context::Context;
use std::io::Write;
use std::process::ExitCode;

/// Commands of people and scripts.
#[derive(Subcommand, Debug)]
pub enum Command {
    /// Key files of people and programs.
    #[command(subcommand)]
    Keys(keys::KeysCommand),
    /// Genesis files, which pin who takes part: make, show and verify.
    #[command(subcommand)]
    Genesis(genesis::GenesisCommand),
    /// Show a tenant: scope version, keys, policy.
    Tenant {
        /// Server that it asks, and genesis that it believes.
        #[command(flatten)]
        server: ServerOptions,
        /// The command, with options of its own.
        #[command(subcommand)]
        command: vaults::TenantCommand,
    },
    /// Acts: sign, co-sign, submit and follow what admins and committees decide.
    Act {
        /// Server that it asks, and genesis that it believes.
        #[command(flatten)]
        server: ServerOptions,
        /// The command, with options of its own.
        #[command(subcommand)]
        command: act::ActCommand,
    },
    /// List the vaults of a tenant.
    Vault {
        /// Server that it asks, and genesis that it believes.
        #[command(flatten)]
        server: ServerOptions,
        /// The command, with options of its own.
        #[command(subcommand)]
        command: vaults::VaultCommand,
    },
    /// A vault's address, derived here and proved against the pinned genesis.
    Address {
        /// Server that it asks, and genesis that it believes.
        #[command(flatten)]
        server: ServerOptions,
        /// The command, with options of its own.
        #[command(flatten)]
        command: vaults::Address,
    },
    /// Transactions: create, list, show, follow, cancel.
    Tx {
        /// Server that it asks, and genesis that it believes.
        #[command(flatten)]
        server: ServerOptions,
        /// The command, with options of its own.
        #[command(subcommand)]
        command: tx::TxCommand,
    },
    /// Approvals: what waits for people, and their signed answers.
    Approvals {
        /// Server that it asks, and genesis that it believes.
        #[command(flatten)]
        server: ServerOptions,
        /// The command, with options of its own.
        #[command(subcommand)]
        command: approvals::ApprovalsCommand,
    },
    /// State of the server's journal replica, and whether it is the pinned installation.
    Status {
        /// Server that it asks, and genesis that it believes.
        #[command(flatten)]
        server: ServerOptions,
        /// The command, with options of its own.
        #[command(flatten)]
        command: status::Status,
    },
    /// Replay a journal from its pinned genesis and recompute everything that a folder claims.
    Verify(verify::Verify),
    /// Looks for what commonly goes wrong: server, clock, key files, disk, ports.
    Doctor {
        /// Server that it asks, and genesis that it believes.
        #[command(flatten)]
        server: ServerOptions,
        /// The command, with options of its own.
        #[command(flatten)]
        command: doctor::Doctor,
    },
}

impl Command {
    /// Takes the options that were given before the command, where it has none of its own.
    ///
    /// # Errors
    /// The command asks no server, and has no use for them.
    pub fn lead(&mut self, leading: ServerOptions) -> Result<(), NoServer> {
        match self {
            Self::Keys(_) | Self::Genesis(_) | Self::Verify(_) => return Err(NoServer),
            Self::Tenant { server, .. }
            | Self::Act { server, .. }
            | Self::Vault { server, .. }
            | Self::Address { server, .. }
            | Self::Tx { server, .. }
            | Self::Approvals { server, .. }
            | Self::Status { server, .. }
            | Self::Doctor { server, .. } => server.default_to(leading),
        }
        Ok(())
    }
}

/// A command that asks no server got options of one.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error(
    "this command asks no server: leave --profile, --url, --api-key-file, --genesis and --genesis-hash out"
)]
pub struct NoServer;

/// Runs a command.
pub fn run(command: Command) -> ExitCode {
    let ready = keep_memory_private().context("private memory");
    let done = ready.and_then(|()| execute(command, &mut std::io::stdout().lock()));
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail::report(&error, &mut std::io::stderr().lock()),
    }
}

/// Runs a command with its output to `out`.
fn execute(command: Command, out: &mut dyn Write) -> anyhow::Result<()> {
    match command {
        Command::Keys(command) => keys::run(&command, out),
        Command::Genesis(command) => genesis::run(&command, out),
        Command::Verify(command) => verify::run(&command, out),
        Command::Tenant { server, command } => {
            vaults::tenant(&Context::new(&server)?, &command, out)
        }
        Command::Act { server, command } => act::run(&Context::new(&server)?, &command, out),
        Command::Vault { server, command } => vaults::list(&Context::new(&server)?, &command, out),
        Command::Address { server, command } => {
            vaults::address(&Context::new(&server)?, &command, out)
        }
        Command::Tx { server, command } => tx::run(&Context::new(&server)?, &command, out),
        Command::Approvals { server, command } => {
            approvals::run(&Context::new(&server)?, &command, out)
        }
        Command::Status { server, command } => status::run(&Context::new(&server)?, &command, out),
        Command::Doctor { server, command } => doctor::run(&Context::new(&server)?, &command, out),
    }
}
