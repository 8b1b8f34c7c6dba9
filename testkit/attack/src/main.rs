//! `strongroom-attack`: every listed attack, seen to fail; and each seen to succeed when its guard
//! is off.

#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "the program of a test kit: it starts others, and prints what it saw"
)]

use anyhow::{Context as _, bail};
use clap::Parser;
use serde_json::json;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::sync::Mutex;
use std::time::Instant;
use strongroom_attack::ground::{Ground, Prepared, Program};
use strongroom_attack::row::Case;
use strongroom_attack::{direct, pages, rows, run};

/// Runs the attacks of docs/attacks.md against real signer processes.
#[derive(Parser)]
struct Arguments {
    /// Rows to run, by their ids; all when none is named.
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
        direct::run(built, &arguments.rows)
    } else if let Some(prepared) = &arguments.prepared {
        one_mutated(&arguments, prepared)
    } else {
        all(&arguments)
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("✗ {error:#}");
            ExitCode::FAILURE
        }
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
}

/// The attacks of the rows that were asked for.
fn chosen(arguments: &Arguments) -> anyhow::Result<Vec<Case>> {
    let guarded = rows::ALL
        .iter()
        .flat_map(|row| row.attacks.iter().map(|attack| Case::of(row, attack)));
    let standing = rows::STANDING.iter().map(Case::standing);
    let cases: Vec<Case> = guarded.chain(standing).collect();
    if arguments.rows.is_empty() {
        return Ok(cases);
    }

    let mut found = Vec::new();
    for id in &arguments.rows {
        let before = found.len();
        found.extend(cases.iter().filter(|case| case.id == id));
        if found.len() == before {
            bail!("no row {id}: --list shows them");
        }
    }
    Ok(found)
}

/// What makes the options of a world.
type World = fn() -> strongroom_world::WorldOptions;

/// What is common to all runs of one call.
struct Suite {
    json: bool,
    out: PathBuf,
    scratch: PathBuf,
    program: Program,
    mutants: Option<PathBuf>,
    /// Installations that were made, each by what it was made with.
    prepared: Vec<(World, PathBuf, Prepared)>,
}

fn all(arguments: &Arguments) -> anyhow::Result<()> {
    let cases = chosen(arguments)?;
    let scratch = std::env::temp_dir().join(format!("sr-attack-{}", std::process::id()));
    let own = std::env::current_exe()?;
    let program = Program::beside(&own)?;
    let mut suite = Suite {
        json: arguments.json,
        out: arguments.out.clone(),
        scratch,
        program,
        mutants: arguments.mutants.clone(),
        prepared: Vec::new(),
    };
    for case in &cases {
        suite.prepare(case)?;
    }

    let tasks: Mutex<Vec<_>> = Mutex::new(cases.iter().rev().collect());
    let counts = Mutex::new(Counts::default());
    std::thread::scope(|scope| {
        for worker in 0..WORKERS {
            let (suite, tasks, counts) = (&suite, &tasks, &counts);
            scope.spawn(move || {
                loop {
                    let next = tasks.lock().ok().and_then(|mut tasks| tasks.pop());
                    let Some(case) = next else { break };
                    let defended = suite.defended(case, worker);
                    let red = suite.mutated(case, worker);
                    if let Ok(mut counts) = counts.lock() {
                        counts.add(case, defended, red);
                    }
                }
            });
        }
    });
    let _ = std::fs::remove_dir_all(&suite.scratch);

    let counts = counts
        .into_inner()
        .map_err(|_| anyhow::anyhow!("a worker panicked"))?;
    counts.print(&cases);
    if counts.failed > 0 {
        bail!("{} runs are not as they must be", counts.failed);
    }
    Ok(())
}

/// Attacks that are made at the same time: each is mostly waiting.
const WORKERS: usize = 3;

/// What the last line adds up.
#[derive(Default)]
struct Counts {
    /// Rows of which an attack was not defended.
    broken: BTreeSet<&'static str>,
    mutations: u32,
    red: u32,
    failed: u32,
}

impl Counts {
    fn add(&mut self, case: &Case, defended: bool, red: Option<bool>) {
        if !defended {
            self.broken.insert(case.id);
            self.failed += 1;
        }
        if let Some(red) = red {
            self.mutations += 1;
            self.red += u32::from(red);
            self.failed += u32::from(!red);
        }
    }

    fn print(&self, cases: &[Case]) {
        let rows: BTreeSet<&str> = cases.iter().map(|case| case.id).collect();
        let line = json!({
            "attacks": rows.len(),
            "defended": rows.len() - self.broken.len(),
            "mutations": self.mutations,
            "red": self.red,
        });
        println!("{line}");
    }
}

impl Suite {
    /// Makes the installation that an attack needs, once for all that need the same.
    fn prepare(&mut self, case: &Case) -> anyhow::Result<()> {
        if self.find(case).is_some() {
            return Ok(());
        }
        let folder = self.scratch.join(format!("p{}", self.prepared.len()));
        let ground = Ground::ready(&folder, (case.world)(), &self.program)?;
        let prepared = ground.keep();
        prepared.save()?;
        self.prepared.push((case.world, folder, prepared));
        Ok(())
    }

    fn find(&self, case: &Case) -> Option<(&Path, &Prepared)> {
        let mut known = self.prepared.iter();
        let found = known.find(|(world, _, _)| std::ptr::fn_addr_eq(*world, case.world));
        found.map(|(_, folder, prepared)| (folder.as_path(), prepared))
    }

    /// The attack on what is shipped; whether it failed as it must.
    fn defended(&self, case: &Case, worker: usize) -> bool {
        let started = Instant::now();
        let result = self.attempt(case, worker);
        self.say(case, "defended", &result, started)
    }

    fn attempt(&self, case: &Case, worker: usize) -> anyhow::Result<String> {
        let (_, prepared) = self.find(case).context("no installation")?;
        let folder = self.scratch.join(format!("w{worker}"));
        let evidence = run::evidence_folder(&self.out, case, "defended");
        let setting = run::Setting {
            program: &self.program,
            prepared,
            folder: &folder,
            evidence: &evidence,
        };
        let seen = run::attempt(case, &setting);
        let _ = std::fs::remove_dir_all(&folder);
        run::judge_defended(case, &seen?)?;
        Ok(format!("refused: {}", case.code))
    }

    /// The same attack with its guard off; whether the harm is there. None without mutants, and
    /// where no guard stops the attack.
    fn mutated(&self, case: &Case, worker: usize) -> Option<bool> {
        let mutants = self.mutants.as_ref().filter(|_| case.guard.is_some())?;
        let started = Instant::now();
        let result = self.attempt_mutated(mutants, case, worker);
        Some(self.say(case, "guard off", &result, started))
    }

    /// Another process, built with the guards' switch as the nodes are: the attacker's writer has
    /// to come to the same state as they.
    fn attempt_mutated(
        &self,
        mutants: &Path,
        case: &Case,
        worker: usize,
    ) -> anyhow::Result<String> {
        let (prepared, _) = self.find(case).context("no installation")?;
        let output = Command::new(mutants.join("strongroom-attack"))
            .arg(case.id)
            .args(["--guard", case.name])
            .arg("--prepared")
            .arg(prepared)
            .arg("--out")
            .arg(&self.out)
            .env("STRONGROOM_GUARD_OFF", case.name)
            .env(
                "STRONGROOM_ATTACK_FOLDER",
                self.scratch.join(format!("m{worker}")),
            )
            .output()
            .context("the program with the guards' switch")?;
        let said = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        if output.status.success() {
            return Ok(said);
        }
        bail!("{}", String::from_utf8_lossy(&output.stderr).trim())
    }

    fn say(
        &self,
        case: &Case,
        what: &str,
        result: &anyhow::Result<String>,
        started: Instant,
    ) -> bool {
        let took = started.elapsed();
        if self.json {
            println!("{}", run::line(case, what, result, took));
        } else {
            let seconds = took.as_secs_f32();
            let name = format!("{:>4} {} ({what}, {seconds:.1} s)", case.id, case.name);
            match result {
                Ok(said) => println!("✓ {name}: {said}"),
                Err(error) => println!("✗ {name}: {error:#}"),
            }
        }
        result.is_ok()
    }
}

/// One attack with its guard off, in this process; prints the harm.
fn one_mutated(arguments: &Arguments, prepared: &Path) -> anyhow::Result<()> {
    let cases = chosen(arguments)?;
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
    };
    let seen = run::attempt(case, &setting);
    let _ = std::fs::remove_dir_all(&folder);
    let _ = std::fs::remove_dir_all(&own_installation);
    let harm = run::judge_red(case, &seen?)?;
    println!("{harm}");
    Ok(())
}
