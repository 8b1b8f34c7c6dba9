//! The program's exit codes and output.

use std::process::Command;

#[allow(
    clippy::disallowed_methods,
    reason = "the test is about the program itself"
)]
/// Exit code, standard output and standard error.
fn run(arguments: &[&str]) -> (Option<i32>, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_strongroom-model"))
        .args(arguments)
        .output()
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (
        output.status.code(),
        text(output.stdout),
        text(output.stderr),
    )
}

#[test]
fn filter_that_matches_nothing_fails() {
    let (code, stdout, stderr) = run(&["no such scenario"]);
    assert_eq!((code, stdout.as_str()), (Some(2), ""));
    assert!(stderr.contains("'no such scenario'"), "{stderr}");

    assert_eq!(run(&["no such scenario", "--list"]).0, Some(2));
}

#[test]
fn good_run_ends_with_a_line_of_json() {
    let (code, stdout, _) = run(&["nonce, disk", "--json"]);
    assert_eq!(code, Some(0), "{stdout}");
    let last: serde_json::Value = serde_json::from_str(stdout.lines().last().unwrap()).unwrap();
    assert_eq!(
        last,
        serde_json::json!({
            "scenarios": 2,
            "held": 1,
            "broke_as_expected": 1,
            "unexpected": 0,
            "unfinished": 0,
        })
    );

    // The scenarios stand in their order, each with its result; what breaks has its trace.
    let lines: Vec<&str> = stdout.lines().collect();
    assert!(lines[0].starts_with("nonce, disk, burn before share"));
    assert!(lines[0].ends_with("holds"), "{}", lines[0]);
    assert!(stdout.contains("\nnonce, disk, burn after share"));
    assert!(stdout.contains("Commit -> Share { nonce: 0, package: 0 } -> Crash"));
}

#[test]
fn unfinished_search_fails() {
    let (code, stdout, stderr) = run(&["pay 3-of-4 f=1", "--states-max", "2000", "--json"]);
    assert_eq!(code, Some(1), "{stdout}");
    assert!(stdout.contains("NOT EXHAUSTED"), "{stdout}");
    assert!(stdout.ends_with("\"unfinished\":3}\n"), "{stdout}");
    assert!(stderr.contains("not every scenario"), "{stderr}");
}

#[test]
fn list_names_every_scenario_and_searches_nothing() {
    let (code, stdout, _) = run(&["--list"]);
    assert_eq!(code, Some(0));
    let scenarios = strongroom_journal_model::scenarios::all();
    assert_eq!(stdout.lines().count(), scenarios.len());
    for (line, scenario) in stdout.lines().zip(&scenarios) {
        assert!(line.starts_with(scenario.name), "{line}");
        assert!(line.ends_with(&scenario.expected.to_string()), "{line}");
    }
}
