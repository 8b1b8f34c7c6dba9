//! The production sources of the workspace: tests cut off, crate by crate.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::Context;

use super::lexer::{Kind, Token, lex};

/// One production file without its test modules.
pub struct Source {
    /// Folder of the crate below `crates/`, such as `signer` or `adapters/host`.
    pub krate: String,
    /// Path below the workspace.
    pub path: PathBuf,
    /// Its lines, as they are.
    pub lines: Vec<String>,
    /// Its tokens outside of test items.
    pub tokens: Vec<Token>,
    /// Lines (from 1) that belong to test items.
    pub cut: BTreeSet<usize>,
    /// Names of modules that exist in tests only and are files of their own.
    test_modules: Vec<String>,
}

impl Source {
    /// A file's text.
    pub fn new(krate: &str, path: &Path, text: &str) -> Self {
        let mut new = Self {
            krate: krate.to_owned(),
            path: path.to_owned(),
            lines: text.lines().map(str::to_owned).collect(),
            tokens: Vec::new(),
            cut: BTreeSet::new(),
            test_modules: Vec::new(),
        };
        new.cut_tests(lex(text));
        new
    }

    /// A file's text, tests included.
    pub fn whole(krate: &str, path: &Path, text: &str) -> Self {
        Self {
            krate: krate.to_owned(),
            path: path.to_owned(),
            lines: text.lines().map(str::to_owned).collect(),
            tokens: lex(text),
            cut: BTreeSet::new(),
            test_modules: Vec::new(),
        }
    }

    /// Moves everything but items behind `#[cfg(test)]` into `tokens`.
    fn cut_tests(&mut self, tokens: Vec<Token>) {
        let mut rest = tokens.as_slice();
        while let Some(token) = rest.first() {
            if !is_test_attribute(rest) {
                self.tokens.push(token.clone());
                rest = rest.get(1..).unwrap_or_default();
                continue;
            }

            // Their lines are remembered: they must not count as blank or as code.
            let len = item_len(rest);
            let (item, after) = rest.split_at(len.min(rest.len()));
            let last = item.last().map_or(token.line, |token| token.end_line);
            self.cut.extend(token.line..=last);
            self.test_modules.extend(module_name(item));
            rest = after;
        }
    }

    /// Lines that count.
    pub fn line_count(&self) -> usize {
        self.lines.len() - self.cut.len()
    }

    /// Lines (from 1) on which a token of this sort stands.
    pub fn lines_with(&self, fits: impl Fn(&Token) -> bool) -> BTreeSet<usize> {
        let tokens = self.tokens.iter().filter(|token| fits(token));
        tokens.flat_map(|t| t.line..=t.end_line).collect()
    }
}

/// Whether these tokens begin with `#[cfg(test)]`.
fn is_test_attribute(tokens: &[Token]) -> bool {
    let wanted = ["#", "[", "cfg", "(", "test", ")", "]"];
    tokens.len() >= wanted.len() && wanted.iter().zip(tokens).all(|(text, t)| t.is(text))
}

/// Number of tokens up to the end of the item: its `;`, or the brace that closes its first
/// one (and the `;` behind the braces of a `use`).
fn item_len(tokens: &[Token]) -> usize {
    let (mut braces, mut others) = (0_usize, 0_usize);
    for (index, token) in tokens.iter().enumerate() {
        match token.text.as_str() {
            _ if token.kind != Kind::Punct => {}
            "{" => braces += 1,
            "}" if braces <= 1 => {
                let ends_later = tokens.get(index + 1).is_some_and(|next| next.is(";"));
                return index + 1 + usize::from(ends_later);
            }
            "}" => braces -= 1,
            "(" | "[" => others += 1,
            ")" | "]" => others = others.saturating_sub(1),
            ";" if braces == 0 && others == 0 => return index + 1,
            _ => {}
        }
    }
    tokens.len()
}

/// `name` of `mod name;`.
fn module_name(item: &[Token]) -> Option<String> {
    let [.., keyword, name, end] = item else {
        return None;
    };
    (keyword.is("mod") && end.is(";")).then(|| name.text.clone())
}

/// Every Rust file of ours as it is: tests, test kit and tools too, in the order of the paths.
pub fn all(root: &Path) -> anyhow::Result<Vec<Source>> {
    let mut files = Vec::new();
    for folder in ["crates", "testkit", "xtask"] {
        find_files(&root.join(folder), "rs", &mut files)?;
    }

    let mut sources = Vec::new();
    for path in files {
        let shown = relative(root, &path);
        // Where a crate was built alone, its results are below it.
        if !shown.iter().any(|part| part == "target") {
            sources.push(Source::whole("", &shown, &read(&path)?));
        }
    }
    sources.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(sources)
}

/// Every production file below `crates/`, in the order of the paths.
pub fn production(root: &Path) -> anyhow::Result<Vec<Source>> {
    sources_below(root, "crates")
}

/// The same of the test kit, whose own tests are cut off as well.
pub fn test_kit(root: &Path) -> anyhow::Result<Vec<Source>> {
    sources_below(root, "testkit")
}

/// The same of all crates below a folder of the root.
pub fn sources_below(root: &Path, below: &str) -> anyhow::Result<Vec<Source>> {
    let mut crates = Vec::new();
    find_crates(&root.join(below), &mut crates)?;
    let mut sources = Vec::new();
    for folder in crates {
        let name = relative(&root.join(below), &folder);
        let mut files = Vec::new();
        find_files(&folder.join("src"), "rs", &mut files)?;
        let mut found = Vec::new();
        for path in files {
            let text = read(&path)?;
            let name = name.to_string_lossy();
            found.push(Source::new(&name, &relative(root, &path), &text));
        }

        // A test module in a file of its own is known by its parent's `#[cfg(test)] mod`.
        let tests: BTreeSet<PathBuf> = found.iter().flat_map(test_files).collect();
        found.retain(|source| !source.path.ancestors().any(|path| tests.contains(path)));
        sources.extend(found);
    }
    sources.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(sources)
}

/// Where the test modules of a file are: `name.rs` and the folder `name`.
fn test_files(source: &Source) -> Vec<PathBuf> {
    let parent = source.path.parent().unwrap_or(Path::new(""));
    let stem = source.path.file_stem().unwrap_or_default();
    let folder = match stem.to_str() {
        Some("lib" | "main" | "mod") => parent.to_owned(),
        _ => parent.join(stem),
    };
    let modules = source.test_modules.iter();
    modules
        .flat_map(|name| [folder.join(format!("{name}.rs")), folder.join(name)])
        .collect()
}

/// Folders with a manifest, at any depth.
fn find_crates(folder: &Path, found: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    if folder.join("Cargo.toml").is_file() {
        found.push(folder.to_owned());
        return Ok(());
    }
    for path in entries(folder)? {
        if path.is_dir() {
            find_crates(&path, found)?;
        }
    }
    Ok(())
}

/// Files with this extension, at any depth.
pub fn find_files(folder: &Path, extension: &str, found: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    for path in entries(folder)? {
        if path.is_dir() {
            find_files(&path, extension, found)?;
        } else if path.extension().is_some_and(|have| have == extension) {
            found.push(path);
        }
    }
    Ok(())
}

fn entries(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let list = |error| format!("cannot list {}: {error}", folder.display());
    let entries = std::fs::read_dir(folder).map_err(|e| anyhow::anyhow!(list(e)))?;
    let mut paths = Vec::new();
    for entry in entries {
        paths.push(entry.map_err(|e| anyhow::anyhow!(list(e)))?.path());
    }
    paths.sort();
    Ok(paths)
}

pub fn read(path: &Path) -> anyhow::Result<String> {
    std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}

/// The path below a folder.
pub fn relative(folder: &Path, path: &Path) -> PathBuf {
    path.strip_prefix(folder).unwrap_or(path).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(text: &str) -> Source {
        Source::new("demo", Path::new("crates/demo/src/part.rs"), text)
    }

    fn words(source: &Source) -> Vec<&str> {
        source.tokens.iter().map(|t| t.text.as_str()).collect()
    }

    #[test]
    fn a_test_module_is_cut_with_its_lines() {
        let s = source("a\n\n#[cfg(test)]\nmod tests {\n    fn b() { \"}\"; }\n}\nc\n");
        assert_eq!(words(&s), ["a", "c"]);
        assert_eq!(s.cut, (3..=6).collect());
        assert_eq!(s.line_count(), 3);
    }

    #[test]
    fn other_attributes_belong_to_the_cut_item() {
        let s = source("#[cfg(test)]\n#[path = \"x;.rs\"]\nmod tests;\nfn a() {}");
        assert_eq!(words(&s), ["fn", "a", "(", ")", "{", "}"]);
        let s = source("#[cfg(test)]\nuse a::{b, c};\nd");
        assert_eq!(
            words(&s),
            ["d"],
            "the braces of a use end before its semicolon"
        );
    }

    #[test]
    fn other_conditions_stay() {
        let s = source("#[cfg(not(test))]\nfn a() {}");
        assert!(words(&s).contains(&"a"));
    }

    #[test]
    fn test_modules_are_found_beside_their_parent() {
        let s = source("#[cfg(test)]\nmod tests;");
        let files = test_files(&s);
        assert_eq!(files[0], Path::new("crates/demo/src/part/tests.rs"));
        assert_eq!(files[1], Path::new("crates/demo/src/part/tests"));
        let root = Source::new(
            "demo",
            Path::new("crates/demo/src/lib.rs"),
            "#[cfg(test)] mod t;",
        );
        assert_eq!(test_files(&root)[0], Path::new("crates/demo/src/t.rs"));
    }
}
