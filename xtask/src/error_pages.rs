//! `error-pages`: every refusal code has its row under `docs/errors/` with the meaning and the cure
//! of the source, and no row outlives its code.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, ensure};

const CODES: &str = "crates/types/src/refusal.rs";
const PAGES: &str = "docs/errors";
/// Cures by name in the source and on the pages.
const CURES: [(&str, &str); 5] = [
    ("Wait", "wait"),
    ("Approve", "approve"),
    ("Rebuild", "rebuild"),
    ("OtherSigner", "other_signer"),
    ("Never", "never"),
];

/// Meaning and cure of a code.
pub type Row = (String, String);

/// Compares the codes in the source with the rows of the pages.
pub fn check(root: &Path) -> anyhow::Result<()> {
    let codes = codes(root)?;

    let mut rows = BTreeMap::new();
    for entry in
        std::fs::read_dir(root.join(PAGES)).with_context(|| format!("cannot list {PAGES}"))?
    {
        let path = entry
            .with_context(|| format!("cannot list {PAGES}"))?
            .path();
        let page = std::fs::read_to_string(&path)
            .with_context(|| format!("cannot read {}", path.display()))?;
        rows.extend(page.lines().filter_map(row));
    }

    let problems = compare(&codes, &rows);
    ensure!(problems.is_empty(), "{PAGES}: {}", problems.join("; "));
    println!("error pages: {} codes, each with its row", codes.len());
    Ok(())
}

/// The refusal codes of the source.
pub fn codes(root: &Path) -> anyhow::Result<BTreeMap<String, Row>> {
    let source = std::fs::read_to_string(root.join(CODES))
        .with_context(|| format!("cannot read {CODES}"))?;
    let codes: BTreeMap<String, Row> = source.lines().filter_map(code).collect();

    // Without a code every page would be right: the reader of the source must have failed.
    ensure!(
        !codes.is_empty(),
        "no code found in {CODES}: has the `codes!` macro changed?"
    );
    Ok(codes)
}

fn compare(codes: &BTreeMap<String, Row>, rows: &BTreeMap<String, Row>) -> Vec<String> {
    let mut problems = Vec::new();
    for (code, wanted) in codes {
        match rows.get(code) {
            // A person who meets this code would find no page.
            None => problems.push(format!("`{code}` has no row")),
            Some(found) if found != wanted => problems.push(format!(
                "`{code}` says {found:?}, the source says {wanted:?}"
            )),
            Some(_) => {}
        }
    }

    // A row that outlived its code promises an answer that no one gives.
    let stale = rows.keys().filter(|code| !codes.contains_key(*code));
    problems.extend(stale.map(|code| format!("`{code}` is not a code")));
    problems
}

/// Code, meaning and cure of a line such as `Malformed "malformed" Never "a text …";`.
fn code(line: &str) -> Option<(String, Row)> {
    let mut parts = line.strip_suffix("\";")?.split('"');
    let (_name, code, cure, meaning) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let plain = code
        .bytes()
        .all(|byte| byte.is_ascii_lowercase() || byte == b'_');

    // The cure's name tells a row of the macro from other lines that end in the same way.
    let cure = CURES.iter().find(|(name, _)| *name == cure.trim())?.1;
    (plain && !code.is_empty()).then(|| (code.to_owned(), (meaning.to_owned(), cure.to_owned())))
}

/// Code, meaning and cure of a row such as ``| `malformed` | a text … | never | … |``.
fn row(line: &str) -> Option<(String, Row)> {
    let (code, rest) = line.strip_prefix("| `")?.split_once("` | ")?;
    let mut cells = rest.split(" | ");
    let (meaning, cure) = (cells.next()?, cells.next()?);
    Some((code.to_owned(), (meaning.to_owned(), cure.to_owned())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row_of(meaning: &str, cure: &str) -> Row {
        (meaning.to_owned(), cure.to_owned())
    }

    #[test]
    fn codes_are_found_and_other_lines_are_not() {
        let source = "codes! {\n    Malformed \"malformed\" Never \"a text\";\n    let x = \"y\";\n    TooLate \"too_late\" Wait \"out\";\n}";
        let found: BTreeMap<String, Row> = source.lines().filter_map(code).collect();
        let wanted = [
            ("malformed".to_owned(), row_of("a text", "never")),
            ("too_late".to_owned(), row_of("out", "wait")),
        ];
        assert_eq!(found, wanted.into());
    }

    #[test]
    fn rows_are_found_and_other_lines_are_not() {
        let found = row("| `too_late` | a share is out | wait | Nothing. |");
        assert_eq!(
            found,
            Some(("too_late".to_owned(), row_of("a share is out", "wait")))
        );
        assert_eq!(row("| code | it means | cure | what to do |"), None);
        assert_eq!(row("too_late"), None);
    }

    #[test]
    fn a_missing_row_a_stale_row_and_another_cure_are_problems() {
        let codes: BTreeMap<String, Row> = [
            ("a".to_owned(), row_of("x", "wait")),
            ("b".to_owned(), row_of("y", "never")),
        ]
        .into();
        assert!(compare(&codes, &codes).is_empty());
        let rows = [
            ("b".to_owned(), row_of("y", "wait")),
            ("c".to_owned(), row_of("z", "never")),
        ]
        .into();
        let problems = compare(&codes, &rows);
        assert_eq!(problems.len(), 3, "{problems:?}");
    }
}
