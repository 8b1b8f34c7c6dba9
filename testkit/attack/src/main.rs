//! `strongroom-attack`: every listed attack, seen to fail; and each seen to succeed when its guard
//! is off.

#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "the program of a test kit: it starts others, and prints what it saw"
)]

use anyhow::Context as _;
use clap::error::ErrorKind;
use clap::{CommandFactory as _, Parser};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use strongroom_attack::ground::{Ground, Prepared, Program};
use strongroom_attack::row::Case;
use strongroom_attack::{direct, pages, rows, run, suite, unmade};
use strongroom_guard::G;

/// Runs the attacks of docs/attacks.md against real signer processes. Exit code 0 only if all is as
/// it must be; 2 for a row that is not there.
#[derive(Parser)]
struct Arguments {
    /// Rows to run, by their ids; all when none is named. Named ones are told: the story, what
    /// happened, and with --mutants what happens without the guard.
    rows: Vec<String>,
    /// One line of JSON for each run, and one that adds them up.
    #[arg(long)]
    json: bool,
    /// Folder of the programs built with `--cfg mutants`: each attack is made again with its guard
    /// off.
    #[arg(long)]
    mutants: Option<PathBuf>,
    /// Where evidence is kept.
    #[arg(long, default_value = "target/attack")]
    out: PathBuf,
    /// Only every sixth of the attacks that have a guard, beginning with this one.
    #[arg(long, value_parser = clap::value_parser!(u8).range(..6))]
    sixth: Option<u8>,
    /// Keeps the results in testkit/attack/results.jsonl, as those of this commit and day, and writes
    /// the pages again.
    #[arg(long, value_name = "COMMIT", requires = "mutants")]
    keep: Option<String>,
    /// The rows, without running them.
    #[arg(long)]
    list: bool,
    /// Instead of attacks the direct test of each guard (or of those named), with the guard off: FILE
    /// is what `cargo test --no-run --message-format=json` printed of a build with `--cfg mutants`.
    #[arg(long, value_name = "FILE")]
    direct: Option<PathBuf>,
    /// Instead of attacks: writes docs/attacks.md and docs/claims.md of the tree at this path.
    #[arg(long, value_name = "DIR")]
    pages: Option<PathBuf>,
    /// Internal: one attack with its guard off, on this ready installation.
    #[arg(long, hide = true)]
    prepared: Option<PathBuf>,
    /// Internal: the guard.
    #[arg(long, hide = true)]
    guard: Option<String>,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let result = if arguments.list {
        list();
        Ok(())
    } else if let Some(root) = &arguments.pages {
        write_pages(root)
    } else if let Some(built) = &arguments.direct {
        guards_named(&arguments.rows);
        direct::run(built, &arguments.rows)
    } else if let Some(prepared) = &arguments.prepared {
        one_mutated(&arguments, prepared)
    } else {
        all(arguments)
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("✗ {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// A wrong call: exit code 2.
fn usage(what: &str) -> ! {
    Arguments::command()
        .error(ErrorKind::InvalidValue, what)
        .exit()
}

fn all(arguments: Arguments) -> anyhow::Result<()> {
    let mut cases = chosen(&arguments);
    if let Some(sixth) = arguments.sixth {
        // Of those with a guard: nothing is switched off for the others.
        cases.retain(|case| case.guard.is_some());
        let places = cases.into_iter().zip((0..6).cycle());
        cases = places
            .filter_map(|(case, place)| (place == sixth).then_some(case))
            .collect();
    }
    let keeps = arguments.keep.is_some();
    let options = suite::Options {
        json: arguments.json,
        tells: !arguments.json && !arguments.rows.is_empty(),
        out: arguments.out,
        mutants: arguments.mutants,
        keep: arguments.keep,
    };
    suite::run(&cases, options)?;
    if keeps {
        write_pages(Path::new("."))?;
    }
    Ok(())
}

/// The attacks of the rows that were asked for.
fn chosen(arguments: &Arguments) -> Vec<Case> {
    rows::cases(&arguments.rows).unwrap_or_else(|why| usage(&why))
}

/// A wrong name would leave nothing to test, and nothing red.
fn guards_named(names: &[String]) {
    let is_guard = |name: &String| G::ALL.iter().any(|guard| guard.name() == name);
    if let Some(name) = names.iter().find(|name| !is_guard(name)) {
        usage(&format!("no guard {name}: docs/claims.md has their names"));
    }
}

fn write_pages(root: &Path) -> anyhow::Result<()> {
    std::fs::write(root.join("docs/attacks.md"), pages::attacks())?;
    Ok(std::fs::write(
        root.join("docs/claims.md"),
        pages::claims(root)?,
    )?)
}

fn list() {
    for row in rows::ALL {
        println!("{:>4}  {}", row.id, row.story);
        for attack in row.attacks {
            println!("      {} · {}", attack.guard.name(), attack.red_when);
        }
    }
    for row in rows::STANDING {
        println!("{:>4}  {}", row.id, row.story);
        println!("      {} · {}", row.held_by.kind(), row.held_by.what());
    }
    for (id, what, part) in unmade::NEEDS {
        println!("{id:>4}  waits for a part ({part}): {what}");
    }
}

/// One attack with its guard off, in this process; prints the harm.
fn one_mutated(arguments: &Arguments, prepared: &Path) -> anyhow::Result<()> {
    let cases = chosen(arguments);
    let guard = arguments.guard.as_deref().context("--guard")?;
    let case = cases.iter().find(|case| case.name == guard);
    let case = case.with_context(|| format!("no attack on {guard}"))?;

    let own = std::env::current_exe()?;
    let mut program = Program::beside(&own)?;
    program.environment = vec![("STRONGROOM_GUARD_OFF".to_owned(), guard.to_owned())];
    let folder = std::env::var_os("STRONGROOM_ATTACK_FOLDER").context("the folder")?;
    let folder = PathBuf::from(folder);
    let mut prepared = Prepared::load(prepared, (case.world)())?;
    let own_installation = folder.with_extension("own");
    if !prepared.replays() {
        let ground = Ground::ready(&own_installation, (case.world)(), &program)?;
        prepared = ground.keep();
    }
    let evidence = run::evidence_folder(&arguments.out, case, "guard-off");
    let setting = run::Setting {
        program: &program,
        prepared: &prepared,
        folder: &folder,
        evidence: &evidence,
        what: "guard off",
    };
    let seen = run::attempt(case, &setting);
    let _ = std::fs::remove_dir_all(&folder);
    let _ = std::fs::remove_dir_all(&own_installation);
    let harm = run::judge_red(case, &seen?)?;
    println!("{harm}");
    Ok(())
}
