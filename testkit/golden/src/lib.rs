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
//! With `json:` in the place of `file:`, the file is a list of JSON objects instead, for readers in
//! other languages; a case is one object, and its member `name` is its name.
//!
//! `BLESS=1` rewrites the file from the cases. A line or object of the file without a case, a case
//! without one and a kind without any case are failures.
//!
//! [`snapshot`] does the same for a text that a test prints whole, such as the table of a
//! [`life_cycle`].

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a test kit: every failed expectation is a failed test"
)]

pub mod json;
pub mod life_cycle;
pub mod lines;

pub use lines::Case;

use std::path::Path;

/// Whether the file is rewritten in this run.
#[must_use]
pub fn is_blessed() -> bool {
    std::env::var_os("BLESS").is_some()
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

/// The tests of one golden file: `golden_file_has_every_case`, and one test per prefix.
#[macro_export]
macro_rules! golden {
    (file: $file:literal, $($rest:tt)*) => {
        $crate::golden! { @tests lines $file, $($rest)* }
    };
    (json: $file:literal, $($rest:tt)*) => {
        $crate::golden! { @tests json $file, $($rest)* }
    };
    (
        @tests $form:ident $file:literal,
        cases: $cases:path, $($test:ident $prefix:literal)*
    ) => {
        fn golden_file() -> ::std::path::PathBuf {
            ::std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join($file)
        }

        #[test]
        fn golden_file_has_every_case() {
            $crate::$form::bless_and_compare(&golden_file(), $cases());
        }

        $(
            #[test]
            fn $test() {
                // The file is being rewritten by the test above.
                if !$crate::is_blessed() {
                    $crate::$form::compare(&golden_file(), $cases(), $prefix);
                }
            }
        )*
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(name: &str, text: &str) -> std::path::PathBuf {
        let path = std::env::temp_dir().join(format!("golden-{name}-{}", std::process::id()));
        std::fs::write(&path, text).unwrap();
        path
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
}
