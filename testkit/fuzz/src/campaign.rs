//! Coverage-guided runs: each target under libFuzzer in a process of its own, as many at a time as
//! there are cores, for a time that is divided among them.
//!
//! Corpora are kept in a folder outside of the tree, so that a campaign goes on where the one before
//! ended, and what all of them came to is in a file beside them ([`results`]). `libfuzzer/` holds the
//! program; it calls [`main`], and is started again by it for each target.

#![allow(
    clippy::disallowed_methods,
    reason = "a tool for developers: it starts processes and measures time"
)]
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "its output is its purpose"
)]

pub mod cover;
pub mod keep;
pub mod log;
mod options;
pub mod process;
pub mod results;

pub use options::{Options, UnknownTarget};

use crate::broken;
use crate::targets::Target;
use clap::Parser as _;
use process::{Failure, Finished, InputSeconds, Places};
use results::{Results, Run};
use sha2::{Digest as _, Sha256};
use std::io;
use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::process::ExitCode;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Shortest run of a target, seconds: its corpus is read, and some inputs are made.
const SECONDS_MIN: u64 = 5;
/// Longest run on one input, seconds. The slowest target takes milliseconds.
const INPUT_SECONDS: InputSeconds = InputSeconds(10);
/// The same for targets that are broken on purpose.
const BROKEN_INPUT_SECONDS: InputSeconds = InputSeconds(2);

/// Runs a target on one input, within the memory that the input pays for.
pub type Observe = fn(&Target, &[u8]) -> bool;

/// Reads the arguments and does what they say: exit code 0 when nothing is wrong, 1 when a target
/// failed, 2 for a wrong call.
#[must_use]
pub fn main(observe: Observe) -> ExitCode {
    let options = Options::parse();
    let targets = match options.chosen() {
        Ok(targets) => targets,
        Err(UnknownTarget(why)) => {
            eprintln!("./x fuzz: {why}");
            return ExitCode::from(2);
        }
    };

    match act(&options, targets, observe) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("./x fuzz: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Whether nothing is wrong.
fn act(options: &Options, targets: Vec<Target>, observe: Observe) -> io::Result<bool> {
    if options.list {
        for target in &targets {
            println!("{}", target.name);
        }
        return Ok(true);
    }
    if let Some(file) = &options.replay {
        return replay(&targets, file, observe);
    }

    let program = std::env::current_exe()?;
    let build = digest_of(&program)?;
    let places = Places {
        program,
        work: options.work.clone(),
        committed: options.repository.join("testkit/fuzz/corpus"),
    };
    std::fs::create_dir_all(&places.work)?;
    let results = places.work.join("results.jsonl");
    if options.report {
        let results = Results::open(&results, &build, &options.commit)?;
        report(&targets, &results, options.json);
        return Ok(true);
    }

    // Two campaigns in one folder would write over each other's results.
    let lock = std::fs::File::create(places.work.join("lock"))?;
    if lock.try_lock().is_err() {
        let why = format!("another campaign runs in {}", places.work.display());
        return Err(io::Error::other(why));
    }
    if options.self_test {
        return self_test(&places);
    }
    let campaign = Campaign {
        results: Mutex::new(Results::open(&results, &build, &options.commit)?),
        places,
        json: options.json,
    };
    campaign.run(&targets, options.minutes * 60, options.keep)
}

/// First 16 hex digits of a program's digest: another compilation of any crate has another one.
fn digest_of(program: &Path) -> io::Result<String> {
    let digest = hex::encode(Sha256::digest(std::fs::read(program)?));
    Ok(digest.chars().take(16).collect())
}

fn replay(targets: &[Target], file: &Path, observe: Observe) -> io::Result<bool> {
    let bytes = std::fs::read(file)?;
    let mut holds = true;
    for target in targets {
        let verdict = catch_unwind(AssertUnwindSafe(|| observe(target, &bytes)));
        let word = match verdict {
            Ok(true) => "accepted",
            Ok(false) => "refused",
            Err(_) => "FAILED, as printed above",
        };
        holds &= verdict.is_ok();
        println!("{}: {} bytes, {word}", target.name, bytes.len());
    }
    Ok(holds)
}

/// Seconds for each of so many targets, when so many of them run at a time.
fn share(seconds: u64, targets: usize, at_a_time: usize) -> u64 {
    let (targets, at_a_time) = (targets.max(1) as u64, at_a_time.max(1) as u64);
    (seconds * at_a_time.min(targets) / targets).max(SECONDS_MIN)
}

fn lock<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A campaign that runs.
struct Campaign {
    results: Mutex<Results>,
    places: Places,
    json: bool,
}

/// Sums over all targets.
#[derive(Default)]
struct Sums {
    executions: u64,
    accepted: u64,
    failed: u64,
}

impl Campaign {
    fn run(&self, targets: &[Target], seconds: u64, keep: bool) -> io::Result<bool> {
        let cores = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
        let each = share(seconds, targets.len(), cores);
        eprintln!(
            "{} targets, {each} s each, {cores} at a time; corpora in {}",
            targets.len(),
            self.places.work.display()
        );

        let (queue, sums) = (Mutex::new(targets.iter()), Mutex::new(Sums::default()));
        std::thread::scope(|scope| {
            let worker = || {
                while let Some(target) = next(&queue) {
                    self.fuzz(target, each, &sums)?;
                }
                Ok(())
            };
            let workers: Vec<_> = (0..cores).map(|_| scope.spawn(worker)).collect();
            let ends = workers.into_iter().map(|worker| {
                let panicked = |_| Err(io::Error::other("a worker panicked"));
                worker.join().unwrap_or_else(panicked)
            });
            ends.collect::<io::Result<Vec<()>>>()
        })?;

        let sums = lock(&sums);
        // A corpus is chosen from runs that hold: what failed is looked at first.
        if keep && sums.failed > 0 {
            eprintln!("nothing is kept while a target fails");
        } else if keep {
            for target in targets {
                let inputs = keep::keep(target, &self.places)?;
                eprintln!("{}: {inputs} inputs kept", target.name);
            }
        }
        self.print_sums(targets.len(), &sums);
        Ok(sums.failed == 0)
    }

    fn fuzz(&self, target: &Target, seconds: u64, sums: &Mutex<Sums>) -> io::Result<()> {
        eprintln!("▸ {}", target.name);
        let finished = process::run(target, seconds, INPUT_SECONDS, &self.places)?;
        let Finished {
            seconds,
            figures,
            failure,
        } = &finished;
        lock(&self.results).add(Run {
            target: target.name,
            seconds: *seconds,
            figures: *figures,
            failed: failure.is_some(),
        })?;

        let mut sums = lock(sums);
        sums.executions += figures.executions;
        sums.accepted += figures.accepted;
        sums.failed += u64::from(failure.is_some());
        self.print(target, &finished)
    }

    /// Called under the lock of the sums, so that the lines of two targets do not mix.
    fn print(&self, target: &Target, finished: &Finished) -> io::Result<()> {
        let Finished {
            seconds, figures, ..
        } = finished;
        if self.json {
            let line = serde_json::json!({
                "target": target.name, "seconds": seconds, "executions": figures.executions,
                "accepted": figures.accepted, "edges": figures.edges, "features": figures.features,
                "corpus": figures.corpus, "memory": figures.memory,
                "failed": finished.failure.is_some(),
            });
            println!("{line}");
        }
        let mark = if finished.failure.is_some() {
            "✗"
        } else {
            "✓"
        };
        eprintln!(
            "{mark} {:<24} {seconds:>5} s  {:>11} executions  {:>11} accepted  {:>6} edges  \
             {:>6} features  {:>5} inputs  {:>6} KiB",
            target.name,
            figures.executions,
            figures.accepted,
            figures.edges,
            figures.features,
            figures.corpus,
            figures.memory / 1024
        );
        finished
            .failure
            .as_ref()
            .map_or(Ok(()), |failure| print_failure(target, failure))
    }

    fn print_sums(&self, targets: usize, sums: &Sums) {
        let Sums {
            executions,
            accepted,
            failed,
        } = sums;
        if self.json {
            println!(
                "{{\"targets\":{targets},\"executions\":{executions},\"accepted\":{accepted},\
                 \"failed\":{failed}}}"
            );
        } else {
            println!(
                "{targets} targets, {executions} executions, {accepted} accepted, {failed} failed"
            );
        }
    }
}

fn next<'a>(queue: &Mutex<std::slice::Iter<'a, Target>>) -> Option<&'a Target> {
    lock(queue).next()
}

/// The reason, and the input with the command that runs it again.
fn print_failure(target: &Target, failure: &Failure) -> io::Result<()> {
    eprintln!("  {}: {}", target.name, failure.why);
    if let Some(file) = &failure.input {
        eprintln!("  input: {}", hex::encode(std::fs::read(file)?));
        eprintln!("  file:  {}", file.display());
        eprintln!(
            "  again: ./x fuzz --target {} --replay {}",
            target.name,
            file.display()
        );
    }
    Ok(())
}

/// What all campaigns of this build came to, and the seconds of every build.
fn report(targets: &[Target], results: &Results, json: bool) {
    let (mut sums, mut least) = (Sums::default(), u64::MAX);
    for target in targets {
        let row = results.of_build(target.name);
        sums.executions += row.executions;
        sums.accepted += row.accepted;
        sums.failed += row.failed;
        least = least.min(row.seconds);

        let of_all = results.seconds_of_all_builds(target.name);
        if json {
            println!("{}", serde_json::to_string(&row).unwrap_or_default());
        } else {
            println!(
                "{:<24} {:>6} s ({of_all} s of all builds)  {:>12} executions  {:>12} accepted  \
                 {:>6} edges  {:>5} inputs  {} failed",
                row.target,
                row.seconds,
                row.executions,
                row.accepted,
                row.edges,
                row.corpus,
                row.failed
            );
        }
    }
    let line = serde_json::json!({
        "targets": targets.len(), "seconds_least": if targets.is_empty() { 0 } else { least },
        "executions": sums.executions, "accepted": sums.accepted, "failed": sums.failed,
    });
    println!("{line}");
}

/// Runs the targets that are broken on purpose, in a folder that is empty before and after.
fn self_test(places: &Places) -> io::Result<bool> {
    let work = places.work.join("self-test");
    let places = Places {
        committed: work.join("none"),
        work: work.clone(),
        program: places.program.clone(),
    };
    let mut all_found = true;
    for target in broken::all() {
        std::fs::create_dir_all(work.join(target.name))?;
        let finished = process::run(&target, 2 * SECONDS_MIN, BROKEN_INPUT_SECONDS, &places)?;
        match finished.failure {
            Some(failure) => println!("✓ {}: {}", target.name, failure.why),
            None => {
                all_found = false;
                println!("✗ {}: not found", target.name);
            }
        }
    }
    std::fs::remove_dir_all(work)?;
    Ok(all_found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_is_divided_among_the_targets_and_no_target_gets_too_little() {
        assert_eq!(share(600, 60, 2), 20);
        assert_eq!(share(600, 1, 2), 600);
        assert_eq!(share(60, 80, 2), SECONDS_MIN);
    }
}
