//! `strongroom`: the services' roles and the command line, as shipped.

use clap::error::ErrorKind;
use clap::{CommandFactory as _, Parser, Subcommand};
use std::process::ExitCode;
use strongroom::{cli, parts::Adapters, run};

/// Institutional custody: no key exists in one place, and no signature comes out that policy and
/// approvers do not allow.
#[derive(Parser)]
#[command(name = "strongroom", version, mut_args(|argument| argument.global(false)))]
struct Arguments {
    /// Options before the command, for those that have them after it as well.
    #[command(
        flatten,
        next_help_heading = "Options of the commands that ask a server"
    )]
    leading: cli::ServerOptions,
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
    let Arguments {
        leading,
        mut command,
    } = Arguments::parse();

    // An option that does nothing must not be taken: who gives one expects an effect.
    if leading != cli::ServerOptions::default() {
        let led = match &mut command {
            Command::Cli(command) => command.lead(leading),
            Command::Run(_) => Err(cli::NoServer),
        };
        if let Err(error) = led {
            let usage = Arguments::command().error(ErrorKind::UnknownArgument, error);
            usage.exit();
        }
    }

    match command {
        Command::Cli(command) => {
            run::start_log("error");
            cli::run(command)
        }
        Command::Run(arguments) => {
            run::start_log("info");
            // Every bus, store and gateway of this build is a development part as yet, so none is
            // passed here, and a role says which one it lacks.
            run::run(&arguments, &Adapters::default())
        }
    }
}
