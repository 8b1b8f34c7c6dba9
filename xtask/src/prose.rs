//! `prose`: how readable the production code is, as far as that can be counted.
//!
//! Counted: inline comments, blank lines in bodies, functions with many parameters, file lengths,
//! public items without docs, wide lines; and, in every text of the tree, the phrases that are not
//! plain English. Not counted: sense. For that there is `--sample`.

mod figures;
pub mod items;
pub mod lexer;
mod sample;
pub mod source;
mod words;

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::bail;
use clap::Args;

use figures::{Figures, by_crate};

/// The crates that decide about money: each must meet the measures by itself.
const CHECKED: [&str; 4] = ["signer", "journal", "transactions", "coordinator"];

/// What to print.
#[derive(Args)]
pub struct Options {
    /// One JSON object per crate, the last line for the whole tree.
    #[arg(long, conflicts_with_all = ["sample", "words"])]
    json: bool,
    /// Fail unless signer, journal, transactions and coordinator each meet the measures, no text
    /// or function name of the tree has a phrase that is not plain English, and each other
    /// pattern is there as often as is known.
    #[arg(long)]
    check: bool,
    /// Print this many random inline comments beside their code.
    #[arg(long, value_name = "N")]
    sample: Option<usize>,
    /// Which comments: the same seed gives the same ones.
    #[arg(long, value_name = "N", default_value_t = 1, requires = "sample")]
    seed: u64,
    /// Print where the patterns of house-style were found.
    #[arg(long)]
    words: bool,
}

/// Measures the tree and prints what was asked for.
pub fn run(root: &Path, options: &Options) -> anyhow::Result<()> {
    let sources = source::production(root)?;
    let (crates, all) = by_crate(&sources);
    if let Some(count) = options.sample {
        for text in sample::sample(&sources, count, options.seed) {
            println!("{text}");
        }
    } else if options.words {
        print_words(&find_words(root, &sources)?, true);
    } else if options.json {
        for (name, figures) in &crates {
            println!("{{\"crate\":\"{name}\",{}}}", figures.json());
        }
        println!("{{{}}}", all.json());
    } else {
        print_table(&crates, &all);

        // Read by newcomers first, but no value hangs on it: shown, and held to no measure.
        let (kit, kit_all) = by_crate(&source::test_kit(root)?);
        println!("test kit");
        print_table(&kit, &kit_all);
        print_words(&find_words(root, &sources)?, false);
    }
    if options.check {
        let hits = find_words(root, &sources)?;
        check(&crates, &hits, &hits.changes())?;
    }
    Ok(())
}

fn find_words(root: &Path, production: &[source::Source]) -> anyhow::Result<words::Hits> {
    words::find(root, production, &source::all(root)?)
}

fn print_table(crates: &BTreeMap<String, Figures>, all: &Figures) {
    println!(
        "{:<28} {:>6} {:>6} {:>9} {:>6} {:>8} {:>8} {:>6} {:>7} {:>6}",
        "crate",
        "files",
        "code",
        "comments",
        "blank",
        "5+ prms",
        "5+ vals",
        "median",
        "undoc'd",
        ">90"
    );
    println!(
        "{:<28} {:>6} {:>6} {:>9} {:>6} {:>8} {:>8} {:>6} {:>7} {:>6}",
        "", "", "lines", "/1,000", "/100", "%", "%", "file", "pub", "%"
    );
    let rows = crates
        .iter()
        .map(|(name, figures)| (name.as_str(), figures));
    for (name, f) in rows.chain([("all", all)]) {
        println!(
            "{name:<28} {:>6} {:>6} {:>9.1} {:>6.1} {:>8.1} {:>8.1} {:>6} {:>7} {:>6.1}",
            f.files(),
            f.code(),
            f.comments_per_1000(),
            f.blank_per_100(),
            f.functions_many_pct(),
            f.functions_values_pct(),
            f.median_file(),
            f.undocumented(),
            f.wide_pct()
        );
    }
    println!();
}

fn print_words(hits: &words::Hits, places: bool) {
    for (pattern, found) in hits.rows() {
        println!("{:>5}  {pattern}", found.len());
        for place in found.iter().filter(|_| places) {
            println!("       {place}");
        }
    }
}

fn check(
    crates: &BTreeMap<String, Figures>,
    hits: &words::Hits,
    changes: &[String],
) -> anyhow::Result<()> {
    let mut failures = Vec::new();
    for name in CHECKED {
        let Some(figures) = crates.get(name) else {
            bail!("prose: no crate crates/{name}");
        };
        let shortfalls = figures.shortfalls();
        failures.extend(shortfalls.iter().map(|why| format!("  {name}: {why}")));
    }
    failures.extend(hits.phrases().iter().map(|place| format!("  {place}")));
    failures.extend(changes.iter().map(|change| format!("  {change}")));
    if failures.is_empty() {
        return Ok(());
    }
    bail!("prose falls short:\n{}", failures.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prose::source::Source;

    fn crates(text: &str) -> BTreeMap<String, Figures> {
        let sources: Vec<Source> = CHECKED
            .iter()
            .map(|name| Source::new(name, Path::new("demo.rs"), text))
            .collect();
        by_crate(&sources).0
    }

    const GOOD: &str = "fn a() {\n    b();\n\n    // why\n    c();\n}\n";

    #[test]
    fn each_checked_crate_must_meet_the_measures() {
        let mut measured = crates(GOOD);
        let none = words::Hits::default();
        check(&measured, &none, &[]).unwrap();

        let bare = Source::new("journal", Path::new("demo.rs"), "fn a() {\n    b();\n}\n");
        measured.insert("journal".to_owned(), Figures::of(&bare));
        let text = check(&measured, &none, &[]).unwrap_err().to_string();
        assert!(text.contains("journal: 0.0 comments"), "{text}");
        assert!(!text.contains("signer:"), "{text}");
    }

    #[test]
    fn a_phrase_in_any_text_of_the_tree_fails() {
        let path = Path::new("testkit/demo.rs");
        let all = [Source::whole(
            "",
            path,
            "fn a() {\n    b(\"this is no folder\");\n}\n",
        )];
        let hits = words::find(Path::new("nowhere"), &[], &all).unwrap();
        let text = check(&crates(GOOD), &hits, &[]).unwrap_err().to_string();
        assert!(
            text.contains("testkit/demo.rs:2: this is no folder (is no X)"),
            "{text}"
        );
    }

    #[test]
    fn a_phrase_in_the_name_of_a_test_fails() {
        let path = Path::new("crates/demo/tests/it/demo.rs");
        let all = [Source::whole("", path, "#[test]\nfn it_starts_anew() {}\n")];
        let hits = words::find(Path::new("nowhere"), &[], &all).unwrap();
        let text = check(&crates(GOOD), &hits, &[]).unwrap_err().to_string();
        assert!(text.contains("demo.rs:2: it starts anew"), "{text}");
    }

    #[test]
    fn a_number_that_changed_fails() {
        let change = "short docs: 3, were 2".to_owned();
        let none = words::Hits::default();
        let text = check(&crates(GOOD), &none, &[change])
            .unwrap_err()
            .to_string();
        assert!(text.contains("short docs: 3"), "{text}");
    }

    #[test]
    fn a_checked_crate_that_is_gone_is_an_error() {
        let mut measured = crates(GOOD);
        measured.remove("signer");
        assert!(check(&measured, &words::Hits::default(), &[]).is_err());
    }

    #[test]
    fn json_has_the_members_that_ci_reads() {
        let (_, all) = by_crate(&[Source::new("a", Path::new("demo.rs"), GOOD)]);
        assert_eq!(
            format!("{{{}}}", all.json()),
            "{\"comments_per_1000\":250.0,\"blank_per_100\":33.3,\"fns_5_params_pct\":0.0,\
             \"median_file\":6,\"undocumented_pub\":0}"
        );
    }

    #[test]
    fn this_tree_is_measured() {
        let root = &crate::workspace_root().unwrap();
        let (crates, all) = by_crate(&source::production(root).unwrap());
        assert!(all.files() > 100, "{}", all.files());
        assert!(CHECKED.iter().all(|name| crates.contains_key(*name)));

        let (kit, _) = by_crate(&source::test_kit(root).unwrap());
        assert!(["dev", "sim"].iter().all(|name| kit.contains_key(*name)));
    }
}
