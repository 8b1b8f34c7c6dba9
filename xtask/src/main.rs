//! Checks that Cargo and clippy cannot make: which of our crates may depend on which, what the
//! signer links, how long files are, how they read.

#![allow(
    clippy::disallowed_methods,
    reason = "a tool for developers: it reads its arguments and runs cargo"
)]
#![allow(clippy::print_stdout, reason = "its output is its purpose")]

mod domains;
mod error_pages;
mod file_sizes;
mod function_sizes;
mod guard_names;
mod layers;
mod module_cycles;
mod page_paths;
mod prose;
mod signer_deps;
mod test_names;

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
    /// Refuse a refusal code without its row in docs/errors, a row without its code, a digest's
    /// domain that docs/formats.md does not list or that no code uses, and a path or a test's name
    /// in a page that is not in the tree.
    ErrorPages,
    /// Refuse Rust files over 500 lines, and functions over 70.
    FileSizes,
    /// Refuse release programs that hold the guards' switch or claims.
    GuardNames {
        /// The programs.
        #[arg(required = true)]
        programs: Vec<PathBuf>,
    },
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
            domains::check(&root)?;
            page_paths::check(&root)?;
            test_names::check(&root)
        }
        Command::FileSizes => file_sizes::check(&root),
        Command::GuardNames { programs } => guard_names::check(&root, programs),
        Command::Prose(options) => prose::run(&root, options),
    }
}

/// Root of the tree in which the tool is called.
///
/// Found when it runs, since a copy of the tree may build into the same target folder: the tool
/// that lies there then last came from either, and must look at the tree that it is asked about.
fn workspace_root() -> anyhow::Result<PathBuf> {
    let here = std::env::current_dir().context("xtask has no current folder")?;
    root_above(&here)
}

/// The nearest folder with this crate in it, at or above `here`.
fn root_above(here: &Path) -> anyhow::Result<PathBuf> {
    let root = here
        .ancestors()
        .find(|folder| folder.join("xtask/Cargo.toml").is_file());
    let root = root.with_context(|| format!("{} is not in the workspace", here.display()))?;
    Ok(root.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_root_is_that_of_the_nearest_tree_and_not_of_the_one_around_it() {
        let outer = std::env::temp_dir().join(format!("xtask-root-{}", std::process::id()));
        let copy = outer.join("target/copy");
        let inner = copy.join("crates/demo");
        std::fs::create_dir_all(&inner).unwrap();
        for tree in [&outer, &copy] {
            std::fs::create_dir_all(tree.join("xtask")).unwrap();
            std::fs::write(tree.join("xtask/Cargo.toml"), "").unwrap();
        }

        assert_eq!(root_above(&inner).unwrap(), copy);
        assert_eq!(root_above(&outer.join("target")).unwrap(), outer);
        std::fs::remove_dir_all(&outer).unwrap();
        assert!(root_above(&outer).is_err());
    }

    #[test]
    fn the_root_is_found_from_where_tests_run() {
        let root = workspace_root().unwrap();
        assert!(root.join("Cargo.lock").is_file(), "{}", root.display());
    }
}
