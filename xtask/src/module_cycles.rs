//! `check-layers`, inside of a crate: modules of its root that name each other in a circle.
//!
//! Cargo keeps crates in order, and nothing does so for modules; of a circle none can be read or
//! moved before the others.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::ensure;

use crate::prose::lexer::{Kind, Token};
use crate::prose::source::{Source, sources_below};

/// Circles that are there as yet. A new one is refused, and one that is gone is removed here.
const KNOWN: &[&str] = &[
    "crates/adapters/chain-bitcoin: build replace",
    "crates/adapters/keys-software: file protector",
    "crates/adapters/store-postgres: db tx",
    "crates/adapters/store-sqlite: db tx",
    "crates/journal: apply asked",
    "crates/link: link session",
    "crates/types: proof signed",
    "testkit/sim: api service",
    "testkit/sim: dice hostile plan",
    "testkit/world: ledger log",
    "testkit/world: options policies tenant world",
];

/// Which modules each module names: those of all crates, each after its crate's folder.
type Names = BTreeMap<String, BTreeSet<String>>;

/// Compares the circles of all crates with the known ones.
pub fn check(root: &Path) -> anyhow::Result<()> {
    let mut names = Names::new();
    for folder in ["crates", "testkit", "xtask"] {
        for source in sources_below(root, folder)? {
            add_names(&source, &mut names);
        }
    }
    ensure!(!names.is_empty(), "no module names another one");
    compare(&circles(&names), KNOWN)?;
    println!("modules: {} known circles, no other", KNOWN.len());
    Ok(())
}

fn compare(found: &BTreeSet<String>, known: &[&str]) -> anyhow::Result<()> {
    let known: BTreeSet<String> = known.iter().map(|circle| (*circle).to_owned()).collect();
    let without =
        |a: &BTreeSet<String>, b| a.difference(b).cloned().collect::<Vec<_>>().join("\n  ");
    let (new, gone) = (without(found, &known), without(&known, found));
    ensure!(
        new.is_empty() && gone.is_empty(),
        "circles of modules; what both use belongs below them:\n  {new}\n\
         circles that are gone, to be removed from xtask/src/module_cycles.rs:\n  {gone}"
    );
    Ok(())
}

/// Adds what a file names as `crate::…`, for its module in the crate's root.
fn add_names(source: &Source, names: &mut Names) {
    let path = source.path.with_extension("");
    let path = path.to_string_lossy();
    let Some((krate, module)) = path.split_once("/src/") else {
        return;
    };
    let module = module.split('/').next().unwrap_or_default();

    let code: Vec<&Token> = source
        .tokens
        .iter()
        .filter(|token| token.is_code())
        .collect();
    let starts = (0..code.len()).filter_map(|at| code.get(at..));
    let named = starts.flat_map(named).map(|name| format!("{krate}/{name}"));
    names
        .entry(format!("{krate}/{module}"))
        .or_default()
        .extend(named);
}

/// `a` and `b` of a path `crate::a::c` or `crate::{a::c, b}` that begins here.
fn named(code: &[&Token]) -> Vec<String> {
    let [start, a, b, rest @ ..] = code else {
        return Vec::new();
    };
    if !(start.is("crate") && a.is(":") && b.is(":")) {
        return Vec::new();
    }
    let (mut depth, mut is_next, mut found) = (0_usize, true, Vec::new());
    for token in rest {
        match token.text.as_str() {
            "{" => depth += 1,
            "}" => depth = depth.saturating_sub(1),
            "," if depth == 1 => is_next = true,
            _ if is_next && token.kind == Kind::Ident => {
                found.push(token.text.clone());
                is_next = false;
            }
            _ => {}
        }
        if depth == 0 {
            break;
        }
    }
    found
}

/// Every largest set of modules of which each leads to each: `CRATE: a b`.
fn circles(names: &Names) -> BTreeSet<String> {
    let reached: BTreeMap<&String, _> = names
        .keys()
        .map(|from| (from, reach(names, from)))
        .collect();
    let mut found = BTreeSet::new();
    for (from, to) in &reached {
        let is_back = |module: &&String| reached.get(module).is_some_and(|r| r.contains(*from));
        let circle: Vec<&str> = to
            .iter()
            .filter(is_back)
            .filter_map(|module| Some(module.rsplit_once('/')?.1))
            .collect();
        if circle.len() > 1 {
            let krate = from.rsplit_once('/').map_or("", |(krate, _)| krate);
            found.insert(format!("{krate}: {}", circle.join(" ")));
        }
    }
    found
}

/// Modules to which the names lead from this one.
fn reach(names: &Names, from: &str) -> BTreeSet<String> {
    let (mut found, mut next) = (BTreeSet::new(), vec![from]);
    while let Some(module) = next.pop() {
        for name in names.get(module).into_iter().flatten() {
            if found.insert(name.clone()) {
                next.push(name);
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(files: &[(&str, &str)]) -> Vec<String> {
        let mut names = Names::new();
        for (path, text) in files {
            add_names(&Source::new("demo", Path::new(path), text), &mut names);
        }
        circles(&names).into_iter().collect()
    }

    #[test]
    fn modules_that_name_each_other_are_found_over_others() {
        let a = ("crates/x/src/a.rs", "use crate::b::{C, D};");
        let b = ("crates/x/src/b/deep.rs", "use crate::{E, c::{F, a}};");
        assert_eq!(found(&[a, b]), [""; 0]);
        let c = ("crates/x/src/c.rs", "fn f() -> crate::a::G {}");
        assert_eq!(found(&[a, b, c]), ["crates/x: a b c"]);
    }

    #[test]
    fn tests_other_crates_and_a_module_itself_close_no_circle() {
        let a = ("crates/x/src/a.rs", "use crate::{a::A, b::B};");
        let tests = (
            "crates/x/src/b.rs",
            "#[cfg(test)]\nmod tests {\n    use crate::a;\n}",
        );
        let other = ("crates/y/src/b.rs", "use crate::a;");
        assert_eq!(found(&[a, tests, other]), [""; 0]);
    }

    #[test]
    fn new_circles_and_known_ones_that_are_gone_are_refused() {
        let found = BTreeSet::from(["x: a b".to_owned()]);
        assert!(compare(&found, &["x: a b"]).is_ok());
        assert!(compare(&found, &[]).is_err());
        assert!(compare(&found, &["x: a b", "x: c d"]).is_err());
    }
}
