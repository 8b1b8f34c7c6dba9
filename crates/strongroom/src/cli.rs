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
mod journal;
mod keys;
mod show;
mod status;
mod tx;
mod vaults;

#[cfg(test)]
mod tests;

pub use context::{Globals, Profile};

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
    /// Who takes part: make, show and verify a genesis file.
    #[command(subcommand)]
    Genesis(genesis::GenesisCommand),
    /// Show a tenant: scope version, keys, policy.
    #[command(subcommand)]
    Tenant(vaults::TenantCommand),
    /// Acts: sign, co-sign, submit and follow what admins and committees decide.
    #[command(subcommand)]
    Act(act::ActCommand),
    /// List the vaults of a tenant.
    #[command(subcommand)]
    Vault(vaults::VaultCommand),
    /// A vault's address, derived here and proved against the pinned genesis.
    Address(vaults::Address),
    /// Transactions: create, list, show, follow, cancel.
    #[command(subcommand)]
    Tx(tx::TxCommand),
    /// Approvals: what waits for people, and their signed answers.
    #[command(subcommand)]
    Approvals(approvals::ApprovalsCommand),
    /// State of the server's journal replica, and whether it is the pinned installation.
    Status(status::Status),
    /// The journal and what follows from it.
    #[command(subcommand)]
    Journal(journal::JournalCommand),
    /// Looks for what commonly goes wrong: server, clock, key files, disk, ports.
    Doctor(doctor::Doctor),
}

/// Runs a command.
pub fn run(globals: &Globals, command: Command) -> ExitCode {
    let mut out = std::io::stdout().lock();
    match Context::new(globals).and_then(|context| execute(&context, command, &mut out)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail::report(&error, &mut std::io::stderr().lock()),
    }
}

/// Runs a command with its output to `out`.
fn execute(context: &Context, command: Command, out: &mut dyn Write) -> anyhow::Result<()> {
    match command {
        Command::Keys(command) => keys::run(&command, out),
        Command::Genesis(command) => genesis::run(&command, out),
        Command::Tenant(command) => vaults::tenant(context, &command, out),
        Command::Act(command) => act::run(context, &command, out),
        Command::Vault(command) => vaults::list(context, &command, out),
        Command::Address(command) => vaults::address(context, &command, out),
        Command::Tx(command) => tx::run(context, &command, out),
        Command::Approvals(command) => approvals::run(context, &command, out),
        Command::Status(command) => status::run(context, &command, out),
        Command::Journal(command) => journal::run(&command, out),
        Command::Doctor(command) => doctor::run(context, &command, out),
    }
}
