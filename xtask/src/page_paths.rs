//! `page-paths`: every path and every file name that the pages name exists in the tree.
//!
//! A page that leads a reader to a file that is not there is worse than no page, and a renamed file
//! does not remind anyone of the pages that name it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};

use anyhow::{Context, ensure};

/// Folders of the root below which a path names a file of this tree.
const TOPS: [&str; 6] = ["crates", "testkit", "xtask", "docs", "scripts", "deploy"];
/// Pages of the root; the others are below `docs`.
const ROOT_PAGES: [&str; 3] = ["README.md", "CONTRIBUTING.md", "SECURITY.md"];
/// Endings of files that are in the tree. Others (`genesis.bin`, `signer-1.sock`) are made by
/// programs.
const ENDINGS: [&str; 4] = ["rs", "md", "sh", "deps"];
/// Names with such an ending that stand for any file: `NNNN-title.md` of an ADR.
const STAND_FOR_ANY: [&str; 1] = ["NNNN"];

/// Compares the paths in the pages with the tree.
pub fn check(root: &Path) -> anyhow::Result<()> {
    let tree = tree(root)?;
    let mut pages = BTreeMap::new();
    for page in tree.iter().filter(|path| is_page(path)) {
        let text = std::fs::read_to_string(root.join(page))
            .with_context(|| format!("cannot read {}", page.display()))?;
        pages.insert(page.clone(), text);
    }

    let count = compare(&tree, &pages)?;
    println!("page paths: {count}, each in the tree");
    Ok(())
}

/// Number of names in the pages.
fn compare(tree: &BTreeSet<PathBuf>, pages: &BTreeMap<PathBuf, String>) -> anyhow::Result<usize> {
    let (mut count, mut problems) = (0, Vec::new());
    for (page, text) in pages {
        for (line, name) in names(text) {
            count += 1;
            if !exists(tree, page, &name) {
                problems.push(format!("{}:{line}: `{name}`", page.display()));
            }
        }
    }

    // No name at all would mean that the pages are written in another way by now.
    ensure!(count > 0, "no path found in the pages");
    ensure!(
        problems.is_empty(),
        "named in a page and not in the tree:\n{}",
        problems.join("\n")
    );
    Ok(count)
}

/// Files and folders of the tree, relative to the root; build results left out.
pub fn tree(root: &Path) -> anyhow::Result<BTreeSet<PathBuf>> {
    let mut found = BTreeSet::new();
    let mut folders = vec![PathBuf::new()];
    while let Some(folder) = folders.pop() {
        let shown = root.join(&folder);
        let entries = std::fs::read_dir(&shown)
            .with_context(|| format!("cannot list {}", shown.display()))?;
        for entry in entries {
            let entry = entry.with_context(|| format!("cannot list {}", shown.display()))?;

            // What was built is not a part of the tree that a reader sees.
            let name = entry.file_name();
            if name == "target" || name == ".git" {
                continue;
            }

            let path = folder.join(name);
            if entry.file_type()?.is_dir() {
                folders.push(path.clone());
            }
            found.insert(path);
        }
    }
    Ok(found)
}

/// Whether a path of the tree is a page for readers.
pub fn is_page(path: &Path) -> bool {
    let is_root_page = ROOT_PAGES.iter().any(|page| path == Path::new(page));
    is_root_page || path.starts_with("docs") && path.extension().is_some_and(|end| end == "md")
}

/// Names of files and folders in a page with their lines (from 1): in backticks and as targets of
/// links. Blocks of code are left out: they show other machines' folders.
fn names(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut in_block = false;
    for (index, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            in_block = !in_block;
        } else if !in_block {
            let quoted = line.split('`').skip(1).step_by(2);
            let targets = line
                .split("](")
                .skip(1)
                .filter_map(|rest| rest.split_once(')'));
            let names = quoted
                .flat_map(str::split_whitespace)
                .flat_map(braces)
                .filter(|name| is_name(name))
                .chain(targets.filter_map(|(target, _)| link(target)));
            found.extend(names.map(|name| (index + 1, name)));
        }
    }
    found
}

/// Target of a link into the tree, without its anchor.
fn link(target: &str) -> Option<String> {
    let file = target.split('#').next().unwrap_or_default();
    let is_outside = file.contains("://") || file.starts_with("mailto:");
    (!file.is_empty() && !is_outside).then(|| file.to_owned())
}

/// `a/{b,c}.rs` as `a/b.rs` and `a/c.rs`.
fn braces(name: &str) -> Vec<String> {
    let parts = name.split_once('{').and_then(|(before, rest)| {
        rest.split_once('}')
            .map(|(list, after)| (before, list, after))
    });
    match parts {
        Some((before, list, after)) => list
            .split(',')
            .map(|one| format!("{before}{one}{after}"))
            .collect(),
        None => vec![name.to_owned()],
    }
}

/// Whether this is a path below one of our folders, or the name of a source file or page.
fn is_name(name: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-*".contains(c);
    if !name.chars().all(is_plain) || STAND_FOR_ANY.iter().any(|part| name.contains(part)) {
        return false;
    }

    let is_below = name
        .split_once('/')
        .is_some_and(|(top, _)| TOPS.contains(&top));
    let stem_and_ending = name.rsplit_once('.');
    is_below
        || stem_and_ending.is_some_and(|(stem, ending)| {
            !stem.is_empty() && !stem.contains('*') && ENDINGS.contains(&ending)
        })
}

/// Whether the tree has it: from the root, from the page's folder, or as the end of a path. A page
/// names a file by its last parts once its crate is clear.
fn exists(tree: &BTreeSet<PathBuf>, page: &Path, name: &str) -> bool {
    // `roles/*` is the folder, `docs/adr/0001` a page by the start of its name.
    let name = name.trim_end_matches(['*', '/', '.']);
    let beside = normal(&page.parent().unwrap_or(Path::new("")).join(name));
    if tree.contains(Path::new(name)) || tree.contains(&beside) {
        return true;
    }

    let is_below = |path: &&PathBuf| path.to_string_lossy().starts_with(name);

    // An ADR may be named by its number alone.
    if name.starts_with("docs/adr/") {
        return tree.iter().any(|path| is_below(&path));
    }

    // A path from the root must exist as written; only a shorter one is looked for by its end.
    let from_root = name
        .split_once('/')
        .is_some_and(|(top, _)| TOPS.contains(&top));
    !from_root && tree.iter().any(|path| path.ends_with(name))
}

/// A path without `..` and `.`.
fn normal(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => drop(plain.pop()),
            Component::CurDir => {}
            Component::Normal(_) | Component::RootDir | Component::Prefix(_) => plain.push(part),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<String> {
        names(text).into_iter().map(|(_, name)| name).collect()
    }

    #[test]
    fn paths_file_names_and_links_are_found() {
        assert_eq!(
            found(
                "see `crates/a/src/b.rs` and `c.rs`, [here](../d.md#e), [there](https://f.org/g.md)"
            ),
            ["crates/a/src/b.rs", "c.rs", "../d.md"]
        );
        assert_eq!(found("run `a --b crates/c`"), ["crates/c"]);
        assert_eq!(found("`a/{b,c}.rs`"), ["a/b.rs", "a/c.rs"]);
    }

    #[test]
    fn other_words_are_not_paths() {
        assert_eq!(
            found("`genesis.bin`, `a.b`, `x/y`, `docs/adr/NNNN-t.md`"),
            [""; 0]
        );
        assert_eq!(found("```\ncrates/gone\n`crates/gone`\n```"), [""; 0]);
        assert_eq!(found("`crates/<name>/src`, `*.rs`"), [""; 0]);
    }

    #[test]
    fn a_path_is_looked_for_at_the_root_beside_the_page_and_by_its_end() {
        let tree: BTreeSet<PathBuf> = [
            "crates/a/src/apply/ended.rs",
            "crates/a/src/roles",
            "docs/adr/0001-journal.md",
            "docs/tour.md",
        ]
        .map(PathBuf::from)
        .into();
        let exists = |page: &str, name: &str| exists(&tree, Path::new(page), name);

        assert!(exists("README.md", "crates/a/src/apply/ended.rs"));
        assert!(exists("docs/tour.md", "apply/ended.rs"));
        assert!(exists("docs/adr/0001-journal.md", "../tour.md"));
        assert!(exists("README.md", "crates/a/src/roles/*"));
        assert!(exists("README.md", "docs/adr/0001"));

        assert!(!exists("docs/tour.md", "crates/a/src/apply/reject.rs"));
        assert!(!exists("docs/tour.md", "reject.rs"));
        assert!(!exists("docs/tour.md", "nded.rs"), "whole parts only");
        assert!(!exists("docs/tour.md", "crates/apply/ended.rs"));
        assert!(!exists("docs/tour.md", "adr/tour.md"));
        assert!(!exists("README.md", "docs/adr/0002"));
    }

    #[test]
    fn a_page_that_names_a_missing_file_fails_the_check() {
        let tree: BTreeSet<PathBuf> = ["README.md", "SECURITY.md"].map(PathBuf::from).into();
        let check = |text: &str| {
            let pages = [(PathBuf::from("README.md"), text.to_owned())].into();
            compare(&tree, &pages).map_err(|error| error.to_string())
        };
        assert_eq!(check("see `SECURITY.md`"), Ok(1));

        let refused = check("see `SECURITY.md` and\n`crates/gone.rs`").unwrap_err();
        assert!(
            refused.contains("README.md:2: `crates/gone.rs`"),
            "{refused}"
        );
        assert!(
            check("nothing").is_err(),
            "a check that finds no path says so"
        );
    }
}
