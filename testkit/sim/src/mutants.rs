//! Which guards the simulation misses: one guard off after the other, each in a process of its own.

use crate::Arguments;
use crate::slices::{Origin, append};
use serde_json::{Value, json};
use std::fs::OpenOptions;
use std::io;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::time::Instant;
use strongroom_guard::G;
use strongroom_sim::Settings;

/// Runs every guard that is asked for and not in the file yet. Fails where a run neither ended nor
/// broke a property: such a mutant says nothing.
pub(crate) fn run(arguments: &Arguments, file: &Path) -> ExitCode {
    let guards = match chosen(&arguments.guard) {
        Ok(guards) => guards,
        Err(name) => {
            eprintln!("no guard {name}: docs/claims.md lists them");
            return ExitCode::from(2);
        }
    };
    match each(arguments, file, &guards) {
        Ok(line) => {
            println!("{line}");
            let is_good = line["failed"] == 0;
            ExitCode::from(u8::from(!is_good))
        }
        Err(error) => {
            eprintln!("{}: {error}", file.display());
            ExitCode::from(2)
        }
    }
}

/// The guards of these names; all without one.
fn chosen(names: &[String]) -> Result<Vec<G>, &str> {
    if names.is_empty() {
        return Ok(G::ALL.to_vec());
    }
    let of = |name: &'_ String| G::ALL.iter().copied().find(|guard| guard.name() == name);
    names
        .iter()
        .map(|name| of(name).ok_or(name.as_str()))
        .collect()
}

fn each(arguments: &Arguments, file: &Path, guards: &[G]) -> io::Result<Value> {
    let settings = Settings {
        intents: arguments.intents,
        trace: false,
    };
    let origin = Origin::new(&settings)?;
    let kept = origin.kept(file)?;
    let mut kept_file = OpenOptions::new().create(true).append(true).open(file)?;

    let (mut found, mut failed) = (0, 0);
    for guard in guards {
        let is_same = |line: &&Value| {
            let is_long = line["seeds"].as_u64() >= Some(arguments.seeds);
            line["guard"] == guard.name() && (!line["found"].is_null() || is_long)
        };
        let line = match kept.iter().find(is_same) {
            Some(line) => line.clone(),
            None => {
                let line = origin.mark(one(arguments, *guard)?);
                append(&mut kept_file, &line)?;
                line
            }
        };
        eprintln!("{}", said(&line));
        found += u32::from(!line["found"].is_null());
        failed += u32::from(!line["error"].is_null());
    }
    Ok(json!({ "mutants": guards.len(), "found": found, "failed": failed }))
}

/// Seeds until the first violation, with this guard off.
fn one(arguments: &Arguments, guard: G) -> io::Result<Value> {
    let began = Instant::now();
    let output = Command::new(std::env::current_exe()?)
        .args(["--json", "--first-violation"])
        .args(["--seeds", &arguments.seeds.to_string()])
        .args(["--from", &arguments.from.to_string()])
        .args(["--intents", &arguments.intents.to_string()])
        .args(["--threads", &arguments.threads.to_string()])
        .env(strongroom_guard::OFF, guard.name())
        .stderr(Stdio::null())
        .output()?;

    // A process that panicked has no line, and broke no property that could be named.
    let text = String::from_utf8_lossy(&output.stdout);
    let last = text.lines().last().unwrap_or_default();
    let Ok(line) = serde_json::from_str::<Value>(last) else {
        let status = output.status.to_string();
        return Ok(json!({ "guard": guard.name(), "error": status }));
    };
    Ok(json!({
        "guard": guard.name(),
        "from": arguments.from,
        "seeds": line["seeds"],
        "found": line["violating_seeds"].get(0),
        "passed": line["guard_passed"],
        "took_s": began.elapsed().as_secs(),
    }))
}

/// A line for people.
fn said(line: &Value) -> String {
    let guard = line["guard"].as_str().unwrap_or_default();
    let (seeds, passed) = (&line["seeds"], &line["passed"]);
    if let Some(error) = line["error"].as_str() {
        return format!("{guard}: the simulator ended: {error}");
    }
    match line["found"].as_array().map(Vec::as_slice) {
        Some([seed, property]) => format!("{guard}: seed {seed} breaks {property}, {seeds} seeds"),
        _ => format!("{guard}: nothing in {seeds} seeds, let through {passed} times"),
    }
}

/// The last line of a run, with what the guard that is off let through.
pub(crate) fn with_counts(mut line: Value) -> Value {
    let counts = strongroom_guard::report();
    if let Some(members) = line.as_object_mut() {
        members.insert("guard_off".to_owned(), json!(counts.off));
        members.insert("guard_passed".to_owned(), json!(counts.passed));
    }
    line
}
