//! The two pages about the attacks, made from the rows and guards themselves.

use crate::results;
use crate::row::Row;
use crate::rows::{ALL, STANDING};
use crate::unmade::{ELSEWHERE, NEEDS};
use anyhow::Context as _;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;
use strongroom_guard::G;

/// Guards that no attack can show to be needed, and why; each has its direct test.
pub const SURVIVORS: &[(G, &str)] = &[
    (
        G::HeadNeverBack,
        "a smaller head only has more of this signer's log asked",
    ),
    (
        G::EntryNotOld,
        "an old entry is cosigned as soon as a newer one stands behind it",
    ),
    (G::ClockSkew, "no process here can have a wrong clock"),
    (
        G::AttemptNotAhead,
        "no witness cosigns an entry that is ahead of its clock",
    ),
    (
        G::Degree,
        "the library's second part refuses another length as well",
    ),
    (G::IndexNonZero, "the library has no member with that index"),
];

/// `docs/attacks.md`.
#[must_use]
pub fn attacks() -> String {
    let mut page = "# Attacks that must fail\n\n\
        Each attack is made against the shipped programs by parties that use their own valid keys: it must fail by the code of its row, while an honest\n\
        payment beside it is signed. Then it is made again with the one guard off that stops it: the harm of its row must be there, and the honest payment too.\n\
        `./x attack` makes them all, `./x attack ROW` one. Where a client refuses, or a process ends, the code stands for its message. This page is made from `testkit/attack` (`./x attack --pages`).\n"
        .to_owned();
    let mut rows: Vec<&Row> = ALL.iter().collect();
    rows.sort_by_key(|row| key(row.id));
    for row in rows {
        let _ = write!(page, "\n## {}\n\n{}\n\n", row.id, row.story);
        page.push_str("| guard | refused by | red when |\n|---|---|---|\n");
        for attack in row.attacks {
            let (guard, code) = (attack.guard.name(), attack.code);
            let _ = writeln!(page, "| {guard} | `{code}` | {} |", attack.red_when);
        }
    }

    page.push_str("\n# Attacks that no condition of ours stops\n\nWhat stops them is the form of the product or a library: they are seen to fail, and nothing can be switched off.\n\n| id | attack | stopped by |\n|---|---|---|\n");
    for row in STANDING {
        let _ = writeln!(
            page,
            "| {} | {} | {} |",
            row.id,
            row.story,
            row.held_by.what()
        );
    }
    page.push_str("\n# Attacks that are stopped elsewhere\n\nNo row makes them: what stops them is seen without an attempt.\n\n| id | attack | seen by |\n|---|---|---|\n");
    for (id, what, by) in ELSEWHERE {
        let _ = writeln!(page, "| {id} | {what} | {by} |");
    }
    page.push_str("\n# Attacks that wait for a part\n\n| id | attack | needs |\n|---|---|---|\n");
    for (id, what, part) in NEEDS {
        let _ = writeln!(page, "| {id} | {what} | {part} |");
    }
    page
}

/// Order of ids: numbers, then the cryptographic ones.
fn key(id: &str) -> (bool, u32) {
    let number = id.trim_start_matches('C').parse().unwrap_or(u32::MAX);
    (id.starts_with('C'), number)
}

/// `docs/claims.md`, for the tree at `root`.
///
/// # Errors
/// Sources that cannot be read, a guard without a place or without an attack.
pub fn claims(root: &Path) -> anyhow::Result<String> {
    let mut sources = Vec::new();
    read(&root.join("crates"), &mut sources)?;
    let kept = results::read(root)?;
    let mut page = "# Claims\n\n\
        What holds, where it is made sure of, the test that goes red without it, and the attacks of [attacks.md](attacks.md) that succeed without it. Made from\n\
        the guards' own words (`crates/guard`) by `./x attack --pages`. The last result is that of `./x attack --keep`: how many attacks were refused with the\n\
        guard, in how many the harm was there without it, and on which commit (`testkit/attack/results.jsonl` has the runs).\n\n\
        | claim | guard | code | test | attacks | last result |\n|---|---|---|---|---|---|\n"
        .to_owned();
    let mut unneeded = Vec::new();
    for guard in G::ALL {
        let name = guard.name();
        let named = format!("G::{name}");
        let is_site = |text: &str| {
            text.match_indices(&named).any(|(at, _)| {
                let next = text[at + named.len()..].chars().next();
                !next.is_some_and(|c| c.is_alphanumeric() || c == '_')
            })
        };
        let files: Vec<String> = sources
            .iter()
            .filter(|(_, text)| is_site(text))
            .map(|(path, _)| format!("`{path}`"))
            .collect();
        anyhow::ensure!(!files.is_empty(), "{name} stands nowhere");

        let mut ids: BTreeSet<(bool, u32, &str)> = BTreeSet::new();
        for row in ALL {
            if row.attacks.iter().any(|attack| attack.guard == *guard) {
                let (is_c, number) = key(row.id);
                ids.insert((is_c, number, row.id));
            }
        }
        let why = SURVIVORS.iter().find(|(survivor, _)| survivor == guard);
        let attacks = match why {
            Some((_, why)) => format!("none: {why}"),
            None if ids.is_empty() => {
                unneeded.push(name);
                continue;
            }
            None => {
                let ids: Vec<&str> = ids.into_iter().map(|(_, _, id)| id).collect();
                ids.join(", ")
            }
        };
        // Of what no attack shows, the direct test is the result.
        let last = why.map_or_else(
            || results::of_guard(&kept, *guard),
            |_| "its test".to_owned(),
        );
        let test = guard.test().replace(' ', " · ");
        let claim = guard.claim().trim();
        let _ = writeln!(
            page,
            "| {claim} | {name} | {} | {test} | {attacks} | {} |",
            files.join(" "),
            last
        );
    }

    // A guard that no attack needs is one too many, or its attack was not made.
    anyhow::ensure!(
        unneeded.is_empty(),
        "no attack shows that these are needed: {}",
        unneeded.join(", ")
    );
    Ok(page)
}

/// The Rust sources below a folder, but for tests and the guards' own crate.
fn read(folder: &Path, found: &mut Vec<(String, String)>) -> anyhow::Result<()> {
    let mut entries: Vec<_> = std::fs::read_dir(folder)
        .with_context(|| folder.display().to_string())?
        .collect::<Result<_, _>>()?;
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries {
        let (path, name) = (entry.path(), entry.file_name());
        let name = name.to_string_lossy();
        if path.is_dir() {
            if !["tests", "guard", "target"].contains(&name.as_ref()) {
                read(&path, found)?;
            }
        } else if name.ends_with(".rs") {
            let text = std::fs::read_to_string(&path)?;
            let shown = path.to_string_lossy();
            let shown = shown.split_once("crates/").map_or("", |(_, rest)| rest);
            found.push((shown.to_owned(), text));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_committed_pages_are_those_of_rows_and_guards() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let page = |name| std::fs::read_to_string(root.join("docs").join(name)).unwrap();
        assert_eq!(page("attacks.md"), attacks(), "./x attack --pages");
        assert_eq!(
            page("claims.md"),
            claims(&root).unwrap(),
            "./x attack --pages"
        );
    }

    #[test]
    fn no_guard_stands_twice_in_a_row_and_none_without_a_test() {
        let guarded = ALL.iter().flat_map(|row| {
            let of_row = move |attack: &crate::row::Attack| (row.id, attack.guard.name());
            row.attacks.iter().map(of_row)
        });
        let mut seen = BTreeSet::new();
        for one in guarded {
            assert!(seen.insert(one), "{one:?} stands twice");
        }
        for guard in G::ALL {
            assert!(guard.test().contains(' '), "{} has no test", guard.name());
        }
    }
}
