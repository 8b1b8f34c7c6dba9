//! `strongroom`: the services' roles and the command line, as shipped.

use clap::{Parser, Subcommand};
use std::process::ExitCode;
use strongroom::{cli, parts::Adapters, run};

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
    /// Run one or more roles of an installation in this process, until SIGINT or SIGTERM.
    #[command(after_help = run::HELP.as_str())]
    Run(run::RunArguments),
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match arguments.command {
        Command::Cli(command) => {
            run::start_log("error");
            cli::run(&arguments.globals, command)
        }
        Command::Run(arguments) => {
            run::start_log("info");
            // Every bus, store and gateway of this build is a development part as yet, so none is
            // passed here, and a role says which one it lacks.
            run::run(&arguments, &Adapters::default())
        }
    }
}
