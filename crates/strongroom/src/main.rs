//! `strongroom`: the services, a development platform, the demo and the command line.

mod cli;
#[allow(clippy::print_stdout, reason = "the demo tells a person what happens")]
mod demo;
mod dev;
#[allow(clippy::print_stdout, reason = "says where the platform is")]
mod serve;

use clap::{Parser, Subcommand};
use std::path::PathBuf;
use std::process::ExitCode;
use tracing_subscriber::EnvFilter;

/// Institutional custody: no key exists in one place, and no signature comes out that policy and
/// approvers do not allow.
#[derive(Parser)]
#[command(name = "strongroom", version)]
struct Arguments {
    #[command(flatten)]
    globals: cli::Globals,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    #[command(flatten)]
    Cli(cli::Command),
    /// Run all roles on embedded parts, with signers as child processes, until Ctrl-C. Development
    /// only.
    Dev {
        /// Folder of the installation; made when absent.
        #[arg(long, default_value = "strongroom-dev")]
        dir: PathBuf,
        /// Port of the API on loopback.
        #[arg(long, default_value_t = 7600)]
        port: u16,
        /// The bus was lost: begin with a new, empty one. The journal is published again from its
        /// database.
        #[arg(long)]
        new_bus: bool,
    },
    /// Show a whole platform: a policy-approved transfer, and hostile variants that the signers
    /// refuse.
    Demo {
        /// Run everything once and exit: 0 only if all of it held. The last line is JSON.
        #[arg(long)]
        check: bool,
        /// Folder for artefacts and installation; must be empty. Default: a new folder in the
        /// temporary directory.
        #[arg(long)]
        out: Option<PathBuf>,
        /// Automatic transfers that are measured.
        #[arg(long, default_value_t = 200)]
        transfers: u32,
        /// Port of the API on loopback; 0 takes any that is free.
        #[arg(long, default_value_t = 0)]
        port: u16,
    },
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let filter =
        EnvFilter::try_from_env("STRONGROOM_LOG").unwrap_or_else(|_| EnvFilter::new("error"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .init();
    let done = match arguments.command {
        Command::Cli(command) => return cli::run(&arguments.globals, command),
        Command::Dev { dir, port, new_bus } => serve::run(&serve::Options { dir, port, new_bus }),
        Command::Demo {
            check,
            out,
            transfers,
            port,
        } => {
            let out = out.unwrap_or_else(|| {
                std::env::temp_dir().join(format!("strongroom-demo-{}", std::process::id()))
            });
            demo::run(&demo::Options {
                check,
                out,
                transfers,
                port,
            })
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
