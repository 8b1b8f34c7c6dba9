//! `strongroom-signer`: a signer, and without shares a witness.
//!
//! It opens no port. It connects to the Unix socket of its link process, which passes sealed
//! records from and to the bus, and listens on an admin socket in its own data folder. See
//! `strongroom-signer --help`.

#![allow(
    clippy::disallowed_methods,
    reason = "composition root: arguments, threads, waiting and the process itself are its business"
)]

mod admin;
mod cli;
mod config;
mod exit;
mod folder;
mod genesis;
mod harden;
mod init;
mod link;
mod local;
mod marker;
mod run;

use clap::Parser as _;
use std::process::ExitCode;

// A shipped program verifies every signature each time: features unify in a build of several
// packages, and the simulator's must not come in that way.
const _: () = assert!(!strongroom_ed25519::REMEMBERS);

fn main() -> ExitCode {
    let cli = cli::Cli::parse();

    // The process is hardened before any key is read or file made: one that cannot be must not hold
    // shares.
    if let Err(error) = harden::harden() {
        return exit::report(&error.context("the process could not be hardened"));
    }

    log();
    match dispatch(cli.command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => exit::report(&error),
    }
}

fn dispatch(command: cli::Command) -> anyhow::Result<()> {
    match command {
        cli::Command::Init {
            data,
            marker,
            witness,
        } => init::init(&data, marker.as_deref(), witness),
        cli::Command::Run { config } => run::run(&config),
        cli::Command::Status(at) => local::status(&at),
        cli::Command::Stop(at) => local::stop(&at),
        cli::Command::ResumeLocal(at) => local::resume(&at),
        cli::Command::Hand { file, at } => local::hand(&file, &at),
        cli::Command::Unfreeze { evidence, at } => local::unfreeze(evidence, &at),
        cli::Command::ShowGenesis { file } => genesis::show(&file),
    }
}

/// Logs go to stderr; stdout is for what was asked for. `STRONGROOM_LOG` chooses levels (default
/// `info`).
fn log() {
    let filter = tracing_subscriber::EnvFilter::builder()
        .with_env_var("STRONGROOM_LOG")
        .with_default_directive(tracing::level_filters::LevelFilter::INFO.into())
        .from_env_lossy();
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .init();
}
