//! A long run goes on where it stopped, and only there.

use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::Command;

/// A file of lines that is not there yet.
fn fresh(name: &str) -> PathBuf {
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_file(&file);
    file
}

/// Runs one seed with its line kept in a file; gives how many payments the summary counts, and what
/// the program said.
#[expect(
    clippy::disallowed_methods,
    reason = "the lines are the program's own, which is started as people start it"
)]
fn resume(file: &Path, intents: &str) -> (u64, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_strongroom-sim"))
        .args(["--seeds", "1", "--from", "3", "--threads", "1", "--json"])
        .args(["--intents", intents, "--resume"])
        .arg(file)
        .output()
        .unwrap();
    let last = String::from_utf8(output.stdout).unwrap();
    let summary: Value = serde_json::from_str(last.lines().last().unwrap()).unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    (summary["signed"].as_u64().unwrap(), said)
}

/// Changes a member of the one line that is kept.
fn change(file: &Path, name: &str, to: Value) {
    let text = std::fs::read_to_string(file).unwrap();
    let mut line: Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
    line[name] = to;
    std::fs::write(file, format!("{line}\n")).unwrap();
}

/// More than a seed of two intents can sign: a sum that has it read the line.
const KEPT: u64 = 1_000;

#[test]
fn a_line_of_the_same_build_is_not_run_again() {
    let file = fresh("same_build.jsonl");
    let (signed, said) = resume(&file, "2");
    assert!(signed < KEPT && !said.contains("another build"), "{said}");

    change(&file, "signed", json!(KEPT));
    assert_eq!(resume(&file, "2").0, KEPT);
}

#[test]
fn a_line_of_another_build_or_of_other_intents_is_run_again() {
    let file = fresh("other_build.jsonl");
    let (signed, _) = resume(&file, "2");
    change(&file, "signed", json!(KEPT));
    let (_, said) = resume(&file, "1");
    assert!(said.contains("1 lines of another build"), "{said}");

    change(&file, "intents", json!(2));
    change(&file, "signed", json!(KEPT));
    change(&file, "build", json!("0"));
    let (again, said) = resume(&file, "2");
    assert_eq!(again, signed);
    assert!(said.contains("1 lines of another build"), "{said}");

    // The new line stands behind the old one, and is found there.
    let (again, _) = resume(&file, "2");
    assert_eq!(again, signed);
    assert_eq!(std::fs::read_to_string(&file).unwrap().lines().count(), 2);
}
