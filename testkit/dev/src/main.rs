//! `strongroom-dev`: roles, platform and demo on development parts.

use clap::{Parser, Subcommand};
use std::path::PathBuf;
use std::process::ExitCode;
use strongroom::run;
use strongroom_dev::{adapters::adapters, demo, dev};

/// Strongroom on development parts: embedded bus, SQLite, a Bitcoin development chain. Never holds
/// real value.
#[derive(Parser)]
#[command(name = "strongroom-dev", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run one or more roles of an installation in this process, until SIGINT or SIGTERM.
    #[command(after_help = run::HELP.as_str())]
    Run(run::RunArguments),
    /// Run all roles on a folder, with signers as child processes, until SIGINT or SIGTERM.
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
    let done = match Arguments::parse().command {
        Command::Run(arguments) => {
            run::start_log("info");
            return run::run(&arguments, &adapters());
        }
        Command::Dev { dir, port, new_bus } => {
            // Errors alone: what a person should read is printed, not logged.
            run::start_log("error");
            dev::run(&dev::DevOptions { dir, port, new_bus })
        }
        Command::Demo {
            check,
            out,
            transfers,
            port,
        } => {
            run::start_log("error");

            // A folder of its own: artefacts of an earlier run would be read as this one's.
            let out = out.unwrap_or_else(|| {
                std::env::temp_dir().join(format!("strongroom-demo-{}", std::process::id()))
            });
            demo::run(&demo::DemoOptions {
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
