//! One call of the suite: installations are made once for all attacks that need the same, attacks
//! are made side by side, and what was seen is added up.

use crate::ground::{Ground, Prepared, Program};
use crate::ids::Ids;
use crate::results::{self, Kept};
use crate::row::Case;
use crate::run;
use crate::tell::{self, Became, Refusals};
use anyhow::{Context as _, anyhow, bail};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::time::Instant;

/// Attacks that are made at the same time: each is mostly waiting.
const WORKERS: usize = 6;

/// How a call is made.
pub struct Options {
    /// One line of JSON for each run.
    pub json: bool,
    /// Each row's story is told.
    pub tells: bool,
    /// Where evidence is kept.
    pub out: PathBuf,
    /// Folder of the programs built with `--cfg mutants`.
    pub mutants: Option<PathBuf>,
    /// What runs: its results are kept in the tree under this name.
    pub keep: Option<String>,
}

/// What makes the options of a world.
type World = fn() -> strongroom_world::WorldOptions;

/// Whether two attacks need the same installation.
fn is_same(one: World, other: World) -> bool {
    std::ptr::fn_addr_eq(one, other)
}

/// An installation, by what it is made with.
struct Installation {
    world: World,
    folder: PathBuf,
    /// What kept it from starting, where something did: its rows fail by that.
    prepared: anyhow::Result<Prepared>,
}

/// What is common to all runs of one call.
struct Suite {
    options: Options,
    scratch: PathBuf,
    program: Program,
    installations: Vec<Installation>,
    kept: Mutex<Vec<Kept>>,
}

/// Makes these attacks; the last line printed is JSON.
///
/// # Errors
/// A run that is not as it must be; a list of attacks that is not whole.
pub fn run(cases: &[Case], options: Options) -> anyhow::Result<()> {
    Ids::of_suite().check()?;
    let own = std::env::current_exe()?;
    let mut suite = Suite {
        options,
        scratch: std::env::temp_dir().join(format!("sr-attack-{}", std::process::id())),
        program: Program::beside(&own)?,
        installations: Vec::new(),
        kept: Mutex::default(),
    };
    if suite.options.tells {
        suite.tell_stories(cases);
    }
    suite.prepare(cases);

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
        .map_err(|_| anyhow!("a worker panicked"))?;
    println!("{}", counts.line(cases, Ids::of_suite().waiting()));
    if counts.failed > 0 {
        bail!("{} runs are not as they must be", counts.failed);
    }

    let kept = suite.kept.into_inner();
    let kept = kept.map_err(|_| anyhow!("a worker panicked"))?;
    if kept.is_empty() {
        return Ok(());
    }
    results::keep(Path::new("."), &kept)
}

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

    /// Rows are counted, of which some have several attacks; mutations are attacks.
    fn line(&self, cases: &[Case], needs: usize) -> String {
        let rows: BTreeSet<&str> = cases.iter().map(|case| case.id).collect();
        let (attacks, defended) = (rows.len(), rows.len() - self.broken.len());
        let (mutations, red) = (self.mutations, self.red);
        // By hand, so that the members stand in the order in which they are read.
        format!(
            r#"{{"attacks":{attacks},"defended":{defended},"mutations":{mutations},"red":{red},"needs":{needs}}}"#
        )
    }
}

impl Suite {
    fn tell_stories(&self, cases: &[Case]) {
        let mut told = BTreeSet::new();
        for case in cases {
            if told.insert(case.id) {
                println!("{}", tell::story(case.id, case.story));
            }
        }
    }

    /// Makes the installations that the attacks need, side by side, each once for all that need the
    /// same.
    fn prepare(&mut self, cases: &[Case]) {
        let mut worlds: Vec<World> = Vec::new();
        for case in cases {
            if !worlds.iter().any(|known| is_same(*known, case.world)) {
                worlds.push(case.world);
            }
        }

        let tasks = Mutex::new(worlds.into_iter().enumerate());
        let made = Mutex::new(Vec::new());
        std::thread::scope(|scope| {
            for _ in 0..WORKERS {
                scope.spawn(|| {
                    loop {
                        let next = tasks.lock().ok().and_then(|mut tasks| tasks.next());
                        let Some((number, world)) = next else { break };
                        let folder = self.scratch.join(format!("p{number}"));
                        let prepared = self.made(&folder, world);
                        if let Ok(mut made) = made.lock() {
                            made.push(Installation {
                                world,
                                folder,
                                prepared,
                            });
                        }
                    }
                });
            }
        });
        self.installations = made.into_inner().unwrap_or_default();
    }

    fn made(&self, folder: &Path, world: World) -> anyhow::Result<Prepared> {
        let ground = Ground::ready(folder, world(), &self.program)?;
        let prepared = ground.keep();
        prepared.save()?;
        Ok(prepared)
    }

    fn find(&self, case: &Case) -> Option<&Installation> {
        let mut known = self.installations.iter();
        known.find(|known| is_same(known.world, case.world))
    }

    /// The installation of an attack, once it is ready, and its folder.
    fn ready(&self, case: &Case) -> anyhow::Result<(&Path, &Prepared)> {
        let found = self.find(case).context("no installation")?;
        match &found.prepared {
            Ok(prepared) => Ok((&found.folder, prepared)),
            Err(error) => bail!("the platform did not start: {error:#}"),
        }
    }

    /// The attack on what is shipped; whether it failed as it must.
    fn defended(&self, case: &Case, worker: usize) -> bool {
        let started = Instant::now();
        let evidence = run::evidence_folder(&self.options.out, case, "defended");
        let result = self.attempt(case, worker, &evidence);
        self.say(case, None, &result, (started, &evidence))
    }

    fn attempt(&self, case: &Case, worker: usize, evidence: &Path) -> anyhow::Result<Became> {
        let (_, prepared) = self.ready(case)?;
        let folder = self.scratch.join(format!("w{worker}"));
        let setting = run::Setting {
            program: &self.program,
            prepared,
            folder: &folder,
            evidence,
            what: "defended",
        };
        let seen = run::defended(case, &setting);
        let _ = std::fs::remove_dir_all(&folder);
        Ok(Became::Refused(Refusals::of(&seen?)))
    }

    /// The same attack with its guard off; whether the harm is there. None without mutants, and
    /// where no guard stops the attack.
    fn mutated(&self, case: &Case, worker: usize) -> Option<bool> {
        let mutants = self.options.mutants.as_ref();
        let mutants = mutants.filter(|_| case.guard.is_some())?;
        let started = Instant::now();
        let evidence = run::evidence_folder(&self.options.out, case, "guard-off");
        let result = self.attempt_mutated(mutants, case, worker);
        let mutant = Some(case.name);
        Some(self.say(
            case,
            mutant,
            &result.map(Became::Harm),
            (started, &evidence),
        ))
    }

    /// Another process, built with the guards' switch as the nodes are: the attacker's writer has
    /// to come to the same state as they.
    fn attempt_mutated(
        &self,
        mutants: &Path,
        case: &Case,
        worker: usize,
    ) -> anyhow::Result<String> {
        let (prepared, _) = self.ready(case)?;
        let output = Command::new(mutants.join("strongroom-attack"))
            .arg(case.id)
            .args(["--guard", case.name])
            .arg("--prepared")
            .arg(prepared)
            .arg("--out")
            .arg(&self.options.out)
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

    /// Says what became of a run; whether it went as it must.
    fn say(
        &self,
        case: &Case,
        mutant: Option<&str>,
        result: &anyhow::Result<Became>,
        (started, evidence): (Instant, &Path),
    ) -> bool {
        let (took, is_mutant) = (started.elapsed(), mutant.is_some());
        if let (Some(of), Ok(became)) = (&self.options.keep, result)
            && let Ok(mut kept) = self.kept.lock()
        {
            kept.push(Kept::of(case, became, of));
        }
        if self.options.json {
            println!("{}", tell::line(case, is_mutant, result, took));
        } else if self.options.tells {
            println!("{}", tell::ending(case, is_mutant, result, evidence));
        } else {
            println!("{}", tell::short(case, is_mutant, result, took));
        }
        result.is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rows;
    use serde_json::{Value, json};
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn the_last_line_counts_rows_attacks_and_what_waits() {
        let cases = rows::cases(&["29".to_owned(), "C4".to_owned()]).unwrap();
        let mut counts = Counts::default();
        for case in &cases {
            counts.add(case, true, case.guard.map(|_| true));
        }
        let guarded = cases.iter().filter(|case| case.guard.is_some()).count();
        let line: Value = serde_json::from_str(&counts.line(&cases, 7)).unwrap();
        let wanted = json!({
            "attacks": 2, "defended": 2, "mutations": guarded, "red": guarded, "needs": 7,
        });
        assert_eq!(line, wanted);

        // One attack of a row that is not as it must be spoils the row.
        counts.add(&cases[0], false, Some(false));
        assert!(counts.line(&cases, 7).contains(r#""defended":1,"#));
        assert_eq!(counts.failed, 2);
    }

    #[test]
    fn an_installation_that_does_not_start_fails_its_rows_by_that() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("strongroom-signer");
        std::fs::write(&path, "#!/bin/sh\necho 'no disk' >&2\nexit 3\n").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o700)).unwrap();
        let mut suite = Suite {
            options: Options {
                json: true,
                tells: false,
                out: dir.path().join("out"),
                mutants: None,
                keep: None,
            },
            scratch: dir.path().join("scratch"),
            program: Program::beside(&dir.path().join("strongroom-attack")).unwrap(),
            installations: Vec::new(),
            kept: Mutex::default(),
        };

        let case = rows::cases(&["29".to_owned()]).unwrap().remove(0);
        suite.prepare(&[case]);
        let error = format!("{:#}", suite.ready(&case).err().unwrap());
        assert!(error.starts_with("the platform did not start: "), "{error}");
        assert!(error.contains("no disk"), "{error}");
        assert!(!suite.defended(&case, 0));
        assert_eq!(suite.mutated(&case, 0), None);
    }

    #[test]
    fn a_row_that_is_not_there_is_named_with_the_reason() {
        let named = |id: &str| rows::cases(&[id.to_owned()]).err().unwrap();
        assert_eq!(named("999"), "no row 999: --list shows the rows");
        assert!(named("17").contains("waits for a part (EVM)"));
        assert!(rows::cases(&[]).unwrap().len() > 100);
    }
}
