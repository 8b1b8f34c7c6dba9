//! `error-pages`: every refusal code has its row under `docs/errors/`, and no row outlives its
//! code.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context, ensure};

const CODES: &str = "crates/types/src/refusal.rs";
const PAGES: &str = "docs/errors";

/// Compares the codes in the source with the rows of the pages.
pub fn check(root: &Path) -> anyhow::Result<()> {
    let source = std::fs::read_to_string(root.join(CODES))
        .with_context(|| format!("cannot read {CODES}"))?;
    let codes = codes(&source);
    ensure!(
        !codes.is_empty(),
        "no code found in {CODES}: has the `codes!` macro changed?"
    );
    let mut rows = BTreeSet::new();
    for entry in
        std::fs::read_dir(root.join(PAGES)).with_context(|| format!("cannot list {PAGES}"))?
    {
        let path = entry
            .with_context(|| format!("cannot list {PAGES}"))?
            .path();
        let page = std::fs::read_to_string(&path)
            .with_context(|| format!("cannot read {}", path.display()))?;
        rows.extend(page.lines().filter_map(row).map(str::to_owned));
    }
    let missing: Vec<&str> = codes.difference(&rows).map(String::as_str).collect();
    let stale: Vec<&str> = rows.difference(&codes).map(String::as_str).collect();
    ensure!(
        missing.is_empty(),
        "codes without a row in {PAGES}: {}",
        missing.join(", ")
    );
    ensure!(
        stale.is_empty(),
        "rows in {PAGES} for codes that do not exist: {}",
        stale.join(", ")
    );
    println!("error pages: {} codes, each with its row", codes.len());
    Ok(())
}

/// The text forms in lines such as `Malformed "malformed" "a text …";`.
fn codes(source: &str) -> BTreeSet<String> {
    let code = |line: &str| {
        let mut parts = line.strip_suffix("\";")?.split('"');
        let (_name, code, gap) = (parts.next()?, parts.next()?, parts.next()?);
        let plain = code
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte == b'_');
        (plain && !code.is_empty() && gap == " ").then(|| code.to_owned())
    };
    source.lines().filter_map(code).collect()
}

/// The code of a table row such as ``| `malformed` | … |``.
fn row(line: &str) -> Option<&str> {
    line.strip_prefix("| `")?
        .split_once("` |")
        .map(|(code, _)| code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_found_and_other_lines_are_not() {
        let source = "codes! {\n    Malformed \"malformed\" \"a text\";\n    let x = \"y\";\n    TooLate \"too_late\" \"out\";\n}";
        assert_eq!(
            codes(source).into_iter().collect::<Vec<_>>(),
            ["malformed", "too_late"]
        );
    }

    #[test]
    fn rows_are_found_and_headings_are_not() {
        assert_eq!(row("| `too_late` | out | wait |"), Some("too_late"));
        assert_eq!(row("| code | it means | what to do |"), None);
    }
}
