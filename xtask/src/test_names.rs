//! `test-names`: every test that a page names is a function of the tree.
//!
//! A page names a test as the proof of what it says. Under a name that is gone, no reader finds it.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context, ensure};

use crate::{error_pages, page_paths};

/// Least number of underscores of a test's name in a page: tests are named by sentences, members and
/// tables by one to three words.
const UNDERSCORES_MIN: usize = 3;

/// Compares the names in the pages with the functions of the tree.
pub fn check(root: &Path) -> anyhow::Result<()> {
    let (mut functions, mut named) = (BTreeSet::new(), Vec::new());
    for path in page_paths::tree(root)? {
        let is_source = path.extension().is_some_and(|ending| ending == "rs");
        if !is_source && !page_paths::is_page(&path) {
            continue;
        }

        let text = std::fs::read_to_string(root.join(&path))
            .with_context(|| format!("cannot read {}", path.display()))?;
        if is_source {
            functions.extend(declared(&text));
        } else {
            let place = |(line, name)| (format!("{}:{line}", path.display()), name);
            named.extend(names(&text).into_iter().map(place));
        }
    }

    // Some refusal codes are as long as a test's name; `error-pages` compares those.
    let codes = error_pages::codes(root)?;
    named.retain(|(_, name)| !codes.contains_key(name));
    compare(&functions, &named)?;
    println!("test names: {}, each a function of the tree", named.len());
    Ok(())
}

fn compare(functions: &BTreeSet<String>, named: &[(String, String)]) -> anyhow::Result<()> {
    // No name at all would mean that the pages are written in another way by now.
    ensure!(!named.is_empty(), "no test's name found in the pages");

    let gone = named.iter().filter(|(_, name)| !exists(functions, name));
    let gone: Vec<_> = gone.map(|(at, name)| format!("{at}: `{name}`")).collect();
    ensure!(
        gone.is_empty(),
        "named in a page and not a function of the tree:\n{}",
        gone.join("\n")
    );
    Ok(())
}

/// Whether a function has this name or, if it ends in `…`, begins with it.
fn exists(functions: &BTreeSet<String>, name: &str) -> bool {
    match name.strip_suffix('…') {
        Some(begin) => functions.iter().any(|function| function.starts_with(begin)),
        None => functions.contains(name),
    }
}

/// Names of the functions that a source file declares.
fn declared(text: &str) -> impl Iterator<Item = String> {
    let is_letter = |c: char| c.is_ascii_alphanumeric() || c == '_';
    text.split("fn ")
        .skip(1)
        .map(move |rest| rest.split(|c| !is_letter(c)).next().unwrap_or_default())
        .map(str::to_owned)
}

/// Words in backticks that look like a test's name, with their lines (from 1). Blocks of code are
/// left out: they show what programs print.
fn names(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut in_block = false;
    for (index, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            in_block = !in_block;
        } else if !in_block {
            let quoted = line.split('`').skip(1).step_by(2);
            let names = quoted.filter(|word| is_name(word));
            found.extend(names.map(|name| (index + 1, name.to_owned())));
        }
    }
    found
}

/// Whether this is snake_case with enough underscores, and perhaps a `…` in the place of its end.
fn is_name(word: &str) -> bool {
    let stem = word.strip_suffix('…').unwrap_or(word);
    let is_snake = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    stem.starts_with(|c: char| c.is_ascii_lowercase())
        && stem.chars().all(is_snake)
        && stem.matches('_').count() >= UNDERSCORES_MIN
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_tests_are_found_and_other_words_are_not() {
        let page = "`a_b_c_d`, `a_b_c_…`, `a_b_c`, a_b_c_d, `A_b_c_d`, `a_b_c_d(e)`\n\
                    ```\n`a_b_c_e`\n```\n`one_two_3_four`";
        let found = [(1, "a_b_c_d"), (1, "a_b_c_…"), (5, "one_two_3_four")];
        assert_eq!(
            names(page),
            found.map(|(line, name)| (line, name.to_owned()))
        );
    }

    #[test]
    fn a_page_that_names_a_missing_test_fails_the_check() {
        let source = "#[test]\nfn a_stop_is_at_once() {}\npub const fn b<T>() {}";
        let functions: BTreeSet<String> = declared(source).collect();
        let check = |name: &str| {
            let named = [("page.md:7".to_owned(), name.to_owned())];
            compare(&functions, &named).map_err(|error| error.to_string())
        };
        assert_eq!(check("a_stop_is_at_once"), Ok(()));
        assert_eq!(check("a_stop_is_…"), Ok(()));
        assert_eq!(check("b"), Ok(()));

        for gone in ["a_stop_is_at", "stop_is_at_once", "a_stop_was_…"] {
            let refused = check(gone).unwrap_err();
            assert!(
                refused.contains(&format!("page.md:7: `{gone}`")),
                "{refused}"
            );
        }
        assert!(
            compare(&functions, &[]).is_err(),
            "a check that finds no name says so"
        );
    }
}
