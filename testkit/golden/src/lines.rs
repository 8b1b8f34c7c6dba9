//! Golden files with one `name hex` a line.

use std::path::Path;

/// One encoding: its name, and its bytes.
pub type Case = (&'static str, Vec<u8>);

/// Compares the cases whose name starts with `prefix` with the lines that do.
///
/// # Panics
/// When they differ, or when no case has the prefix.
pub fn compare(file: &Path, cases: Vec<Case>, prefix: &str) {
    let kept = std::fs::read_to_string(file).unwrap();
    let kept: Vec<&str> = kept.lines().filter(|l| l.starts_with(prefix)).collect();

    let made: Vec<String> = cases
        .into_iter()
        .filter(|(name, _)| name.starts_with(prefix))
        .map(|case| line(&case))
        .collect();

    // Two empty lists are equal: a misspelt prefix would compare nothing.
    assert!(!made.is_empty(), "no case begins with {prefix:?}");
    assert_eq!(made, kept);
}

/// Rewrites the file when the run is blessed, then compares every case with it.
///
/// # Panics
/// As [`compare`].
pub fn bless_and_compare(file: &Path, cases: Vec<Case>) {
    if super::is_blessed() {
        let lines: Vec<String> = cases.iter().map(line).collect();
        std::fs::write(file, lines.join("\n") + "\n").unwrap();
    }
    compare(file, cases, "");
}

fn line((name, bytes): &Case) -> String {
    format!("{name} {}", hex::encode(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cases() -> Vec<Case> {
        vec![("entry", vec![1, 2]), ("leaf", vec![3])]
    }

    fn file(name: &str, text: &str) -> std::path::PathBuf {
        let path = std::env::temp_dir().join(format!("golden-{name}-{}", std::process::id()));
        std::fs::write(&path, text).unwrap();
        path
    }

    fn differs(name: &str, text: &str, prefix: &'static str) -> bool {
        let path = file(name, text);
        let differs = std::panic::catch_unwind(|| compare(&path, cases(), prefix)).is_err();
        std::fs::remove_file(path).unwrap();
        differs
    }

    #[test]
    fn bytes_that_differ_in_any_way_from_the_file_are_noticed() {
        assert!(!differs("same", "entry 0102\nleaf 03\n", ""));
        assert!(differs("changed", "entry 0103\nleaf 03\n", "entry"));
        assert!(differs("missing", "entry 0102\n", ""));
        assert!(differs("extra", "entry 0102\nleaf 03\nmark 04\n", ""));
        assert!(!differs("other", "entry 0102\nleaf 99\n", "entry"));
    }

    #[test]
    fn a_prefix_without_a_case_is_noticed() {
        assert!(differs("typo", "entry 0102\nleaf 03\n", "entyr"));
    }
}
