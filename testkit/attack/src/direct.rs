//! The direct test of each guard, run with the guard off: it must go red.

use anyhow::{Context as _, bail};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};
use strongroom_guard::G;

/// Tests that are run at the same time.
const WORKERS: usize = 2;
/// A test that takes longer hangs: it was not seen to go red.
const LONGEST: Duration = Duration::from_secs(60);

/// Runs the direct tests of these guards, all when none is named. `built` is what `cargo test
/// --no-run --message-format=json` printed of a build with `--cfg mutants`.
///
/// # Errors
/// A guard without a test, a test that is red by itself, or green without its guard.
pub fn run(built: &Path, names: &[String]) -> anyhow::Result<()> {
    let programs = programs(built)?;
    let guards: Vec<G> = G::ALL
        .iter()
        .copied()
        .filter(|guard| names.is_empty() || names.iter().any(|name| name == guard.name()))
        .collect();

    let tasks = Mutex::new(guards.clone());
    let red = Mutex::new(0_usize);
    std::thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| {
                loop {
                    let next = tasks.lock().ok().and_then(|mut tasks| tasks.pop());
                    let Some(guard) = next else { break };
                    match judge(&programs, guard) {
                        Ok(()) => {
                            if let Ok(mut red) = red.lock() {
                                *red += 1;
                            }
                        }
                        Err(error) => println!("✗ {}: {error:#}", guard.name()),
                    }
                }
            });
        }
    });

    let red = red.into_inner().unwrap_or_default();
    println!("{}", json!({"guards": guards.len(), "red": red}));
    if red < guards.len() {
        bail!(
            "{} guards can be switched off unnoticed",
            guards.len() - red
        );
    }
    Ok(())
}

/// The test is green, and red without the guard.
fn judge(programs: &BTreeMap<String, PathBuf>, guard: G) -> anyhow::Result<()> {
    let (target, test) = guard.test().split_once(' ').context("it has no test")?;
    let program = programs
        .get(target)
        .with_context(|| format!("{target} was not built"))?;

    let (green, said) = exact(program, test, None)?;
    if !green.success() || !said.contains("1 passed") {
        bail!("{test} is not green by itself");
    }
    let (red, _) = exact(program, test, Some(guard))?;
    if red.success() {
        bail!("{test} stays green without it");
    }
    Ok(())
}

/// Runs one test of a test program; what it said.
fn exact(program: &Path, test: &str, off: Option<G>) -> anyhow::Result<(ExitStatus, String)> {
    let mut command = Command::new(program);
    command.args([test, "--exact"]).stdin(Stdio::null());
    command.stdout(Stdio::piped()).stderr(Stdio::null());
    command.env_remove("STRONGROOM_GUARD_OFF");
    if let Some(guard) = off {
        command.env("STRONGROOM_GUARD_OFF", guard.name());
    }

    // A package's tests find their files from its folder.
    let mut child = command.spawn()?;
    let start = Instant::now();
    while child.try_wait()?.is_none() {
        if start.elapsed() > LONGEST {
            child.kill()?;
            child.wait()?;
            bail!("{test} hangs");
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    let output = child.wait_with_output()?;
    Ok((
        output.status,
        String::from_utf8_lossy(&output.stdout).into_owned(),
    ))
}

/// Test programs by package folder and kind, as `journal/it` and `adapters/chain-bitcoin/lib`.
fn programs(built: &Path) -> anyhow::Result<BTreeMap<String, PathBuf>> {
    let text = std::fs::read_to_string(built)
        .with_context(|| format!("cannot read {}", built.display()))?;
    let mut programs = BTreeMap::new();
    for line in text.lines() {
        let message: Value = serde_json::from_str(line)?;
        let program = message.get("executable").and_then(Value::as_str);
        let manifest = message.get("manifest_path").and_then(Value::as_str);
        let kind = message.pointer("/target/kind/0").and_then(Value::as_str);
        let (Some(program), Some(manifest), Some(kind)) = (program, manifest, kind) else {
            continue;
        };
        let folder = manifest.rsplit_once("/crates/").map(|(_, rest)| rest);
        let folder = folder.and_then(|rest| rest.strip_suffix("/Cargo.toml"));
        let kind = match kind {
            "test" => "it",
            "lib" => "lib",
            _ => "bin",
        };
        if let Some(folder) = folder {
            programs.insert(format!("{folder}/{kind}"), PathBuf::from(program));
        }
    }
    Ok(programs)
}
