//! Golden bytes: a file of `name hex` lines that encodings are compared with, so that a format
//! changes only on purpose.
//!
//! A crate's test names its file, its cases and one test per kind of record:
//!
//! ```text
//! strongroom_golden::golden! {
//!     file: "vectors/golden.txt",
//!     cases: crate::cases::cases,
//!     entry_bytes_do_not_change "entry"
//! }
//! ```
//!
//! `BLESS=1` rewrites the file from the cases. A line of the file without a case, a case without a
//! line and a kind without any case are failures.
//!
//! [`snapshot`] does the same for a text that a test prints whole, such as the table of a
//! [`life_cycle`].

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a test kit: every failed expectation is a failed test"
)]

pub mod life_cycle;

use std::path::Path;

/// One encoding: its name, and its bytes.
pub type Case = (&'static str, Vec<u8>);

/// Whether the file is rewritten in this run.
#[must_use]
pub fn is_blessed() -> bool {
    std::env::var_os("BLESS").is_some()
}

/// Compares the cases whose name starts with `prefix` with the lines that do.
///
/// # Panics
/// When they differ, or when there is no such case.
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
    if is_blessed() {
        let lines: Vec<String> = cases.iter().map(line).collect();
        std::fs::write(file, lines.join("\n") + "\n").unwrap();
    }
    compare(file, cases, "");
}

/// Compares a text with the file that was committed for it; a blessed run rewrites the file.
///
/// # Panics
/// When they differ, with the first line that does.
pub fn snapshot(file: impl AsRef<Path>, made: &str) {
    let file = file.as_ref();
    if is_blessed() {
        std::fs::write(file, made).unwrap();
    }
    let kept = std::fs::read_to_string(file).unwrap_or_default();
    if kept == made {
        return;
    }

    let mut lines = kept.lines().zip(made.lines()).enumerate();
    let differing = lines.find(|(_, (kept, made))| kept != made);
    let at = differing.map_or_else(
        || "one ends before the other".to_owned(),
        |(at, (kept, made))| format!("line {}: committed {kept:?}, made {made:?}", at + 1),
    );
    let file = file.display();
    panic!("{file}: {at}; if that is meant, run the test with BLESS=1");
}

fn line((name, bytes): &Case) -> String {
    format!("{name} {}", hex::encode(bytes))
}

/// The tests of one golden file: `golden_file_has_every_case`, and one test per prefix.
#[macro_export]
macro_rules! golden {
    (file: $file:literal, cases: $cases:path, $($test:ident $prefix:literal)*) => {
        fn golden_file() -> ::std::path::PathBuf {
            ::std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join($file)
        }

        #[test]
        fn golden_file_has_every_case() {
            $crate::bless_and_compare(&golden_file(), $cases());
        }

        $(
            #[test]
            fn $test() {
                // The file is being rewritten by the test above.
                if !$crate::is_blessed() {
                    $crate::compare(&golden_file(), $cases(), $prefix);
                }
            }
        )*
    };
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
    fn a_text_that_differs_or_ends_early_is_noticed() {
        let differs = |name: &str, kept: &str, made: &'static str| {
            let path = file(name, kept);
            let differs = std::panic::catch_unwind(|| snapshot(&path, made)).is_err();
            std::fs::remove_file(path).unwrap();
            differs
        };
        assert!(!differs("text", "one\ntwo\n", "one\ntwo\n"));
        assert!(differs("line", "one\ntwo\n", "one\n2\n"));
        assert!(differs("short", "one\ntwo\n", "one\n"));
        assert!(differs("long", "one\n", "one\ntwo\n"));
        assert!(std::panic::catch_unwind(|| snapshot("no such file", "one")).is_err());
    }

    #[test]
    fn a_prefix_without_a_case_is_noticed() {
        assert!(differs("typo", "entry 0102\nleaf 03\n", "entyr"));
    }
}
