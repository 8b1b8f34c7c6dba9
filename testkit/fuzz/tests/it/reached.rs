//! Every type that can be decoded is reached by a target: one names it, or a type that one names
//! holds it.
//!
//! Sources are read, not the types themselves: a type counts as decodable by the words before or
//! around it, and as held by the words of its definition. That is coarse, and errs to the side of a
//! type too many in reach only for types of one name.

use super::root;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Words of a definition by which a type can be made of bytes.
const DECODABLE: [&str; 2] = ["BorshDeserialize", "Deserialize"];
/// Traits by whose impl a type is made of bytes or a text.
const DECODES: [&str; 4] = [
    "FromStr",
    "Document",
    "BorshDeserialize",
    "Deserialize<'de>",
];

/// Files whose decoders read what an operator wrote, on their own machine, for themselves.
const OF_OPERATORS: [&str; 7] = [
    "crates/strongroom/src/config.rs",
    "crates/strongroom/src/secrets.rs",
    "crates/strongroom/src/role_name.rs",
    "crates/strongroom/src/cli/genesis/create.rs",
    "crates/strongroom-signer/src/config.rs",
    "crates/strongroom/src/cli/context.rs",
    "crates/strongroom/src/cli/act.rs",
];

/// Types that no target can name, with the target that reaches them, and types of which nothing
/// uses the decoder.
const KNOWN: [(&str, &str); 12] = [
    ("Message", "private to key generation: ceremony_message"),
    ("MessageBody", "private to key generation: ceremony_message"),
    ("Round1", "private to key generation: ceremony_message"),
    ("Round2", "private to key generation: ceremony_message"),
    ("SignedEnvelope", "private to envelopes: envelope"),
    ("FeeRate", "read by a codec: chain_fact"),
    ("Text", "under the names of its values: api_answer"),
    ("Authority", "encoded only, as a signer's evidence"),
    ("AuthorityKind", "encoded only, as a signer's evidence"),
    ("Expiry", "encoded only, as a signer's evidence"),
    ("Slot", "encoded only, as a signer's evidence"),
    (
        "Refusal",
        "encoded only; its code and detail travel in other records",
    ),
];

fn sources(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            let is_of_tests = ["tests", "benches", "target"]
                .iter()
                .any(|n| path.ends_with(n));
            if !is_of_tests {
                sources(&path, into);
            }
        } else if path.extension().is_some_and(|e| e == "rs") && !path.ends_with("tests.rs") {
            into.push(path);
        }
    }
}

/// The words of a text, without comments.
fn words(text: &str) -> Vec<&str> {
    let code = text
        .lines()
        .map(|line| line.split_once("//").map_or(line, |(code, _)| code));
    code.flat_map(|line| line.split(|c: char| !c.is_alphanumeric() && c != '_'))
        .filter(|word| !word.is_empty())
        .collect()
}

/// A type that can be decoded: where, and the words of its definition.
#[derive(Default)]
struct Found {
    file: PathBuf,
    holds: BTreeSet<String>,
}

/// Adds the decodable types of a file.
fn collect(file: &Path, text: &str, into: &mut BTreeMap<String, Found>) {
    // What follows is of tests.
    let text = text.split("#[cfg(test)]").next().unwrap_or_default();
    let mut add = |name: &str, holds: &[&str]| {
        let found = into.entry(name.to_owned()).or_default();
        file.clone_into(&mut found.file);
        found.holds.extend(holds.iter().map(|w| (*w).to_owned()));
    };

    for (at, _) in text.match_indices("#[derive(") {
        let rest = &text[at..];
        let Some((derived, after)) = rest.split_once(")]") else {
            continue;
        };
        if !words(derived).iter().any(|word| DECODABLE.contains(word)) {
            continue;
        }
        // Up to the first line that closes a definition, or ends one of a single line.
        let definition: String = after
            .split_inclusive('\n')
            .scan(false, |ended, line| {
                let now = *ended;
                let line_end = line.trim_end();
                *ended |= line.starts_with('}')
                    || (line_end.ends_with(';') && !line.starts_with(' '))
                    || line_end.ends_with("{}");
                (!now).then_some(line)
            })
            .collect();
        let words = words(&definition);
        let kind = words.iter().position(|w| ["struct", "enum"].contains(w));
        if let Some(name) = kind.and_then(|kind| words.get(kind + 1)) {
            add(name, &words);
        }
    }

    for line in text
        .lines()
        .filter(|line| line.trim_start().starts_with("impl"))
    {
        let Some((of, name)) = line.split_once(" for ") else {
            continue;
        };
        if DECODES.iter().any(|decodes| of.ends_with(decodes))
            && let Some(name) = words(name).first()
        {
            add(name, &[]);
        }
    }
}

/// Names that are reached from the words of the targets.
fn reached(types: &BTreeMap<String, Found>, targets: &str) -> BTreeSet<String> {
    let mut reached = BTreeSet::new();
    let mut next: Vec<String> = words(targets).into_iter().map(str::to_owned).collect();
    while let Some(name) = next.pop() {
        if let Some(found) = types.get(&name)
            && reached.insert(name)
        {
            next.extend(found.holds.iter().cloned());
        }
    }
    reached
}

fn types() -> BTreeMap<String, Found> {
    let mut files = Vec::new();
    sources(&root().join("crates"), &mut files);
    let mut types = BTreeMap::new();
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        let file = file.strip_prefix(root()).unwrap().to_owned();
        if !OF_OPERATORS.iter().any(|known| file.ends_with(known)) {
            collect(&file, &text, &mut types);
        }
    }
    types
}

fn targets() -> String {
    let mut files = Vec::new();
    sources(&root().join("testkit/fuzz/src/targets"), &mut files);
    let read = files
        .iter()
        .map(|file| std::fs::read_to_string(file).unwrap());
    read.collect()
}

#[test]
fn every_decodable_type_is_reached_by_a_target() {
    let types = types();
    assert!(
        types.len() > 150,
        "{} types: are they still found?",
        types.len()
    );
    let reached = reached(&types, &targets());
    let missing: Vec<String> = types
        .iter()
        .filter(|(name, _)| !reached.contains(*name))
        .filter(|(name, _)| !KNOWN.iter().any(|(known, _)| known == name))
        .map(|(name, found)| format!("{} ({})", name, found.file.display()))
        .collect();
    assert!(
        missing.is_empty(),
        "decoded by no target: {}",
        missing.join(", ")
    );
    for (name, why) in KNOWN {
        assert!(types.contains_key(name) && !why.is_empty(), "{name}");
    }
}

#[test]
fn a_type_that_no_target_names_is_found() {
    let text = "#[derive(Clone, BorshDeserialize)]\npub struct Outer {\n    inner: Inner,\n}\n\
                #[derive(BorshDeserialize)]\nstruct Inner(u8);\n\
                #[derive(Deserialize)]\nenum Forgotten {}\nimpl FromStr for Text {\n}\n";
    let mut types = BTreeMap::new();
    collect(Path::new("a.rs"), text, &mut types);
    assert_eq!(types.len(), 4);
    let reached = reached(&types, "decode::<Outer>(data)");
    assert_eq!(
        reached,
        BTreeSet::from(["Inner".to_owned(), "Outer".to_owned()])
    );
}
