//! Checks that Cargo and clippy cannot make: which of our crates may depend on which, what the
//! signer links, how long files are, how they read.

#![allow(
    clippy::disallowed_methods,
    reason = "a tool for developers: it reads its arguments and runs cargo"
)]
#![allow(clippy::print_stdout, reason = "its output is its purpose")]

mod error_pages;
mod file_sizes;
mod function_sizes;
mod layers;
mod module_cycles;
mod page_paths;
mod prose;
mod signer_deps;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "xtask", about = "Checks on the workspace itself")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Refuse dependencies between our crates that cross the rings of docs/adr/0007, and modules of
    /// one crate that name each other in a circle.
    CheckLayers,
    /// Compare what the signer binary links with its committed list, and refuse network and SQL
    /// clients in it.
    SignerDeps {
        /// Write the list instead of comparing it; the difference is then reviewed in the commit.
        #[arg(long)]
        bless: bool,
    },
    /// Refuse a refusal code without its row in docs/errors, a row without its code, and a path in a
    /// page that is not in the tree.
    ErrorPages,
    /// Refuse Rust files over 500 lines, and functions over 70.
    FileSizes,
    /// Measure comments, paragraphs and words of the production code; show those of the test kit.
    Prose(prose::Options),
}

fn main() -> ExitCode {
    match run(&Cli::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: &Command) -> anyhow::Result<()> {
    let root = workspace_root()?;

    match command {
        Command::CheckLayers => {
            layers::check(&root)?;
            module_cycles::check(&root)
        }
        Command::SignerDeps { bless } => signer_deps::check(&root, *bless),
        Command::ErrorPages => {
            error_pages::check(&root)?;
            page_paths::check(&root)
        }
        Command::FileSizes => file_sizes::check(&root),
        Command::Prose(options) => prose::run(&root, options),
    }
}

/// The folder above this crate's own: right from wherever the tool is called.
fn workspace_root() -> anyhow::Result<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .context("xtask has no parent folder")?;
    Ok(root.to_owned())
}
