//! The fuzzing build has a workspace of its own, and must still run what ships.

use super::root;
use std::collections::{BTreeMap, BTreeSet};

/// Names of packages with their versions, of the text of a lock file.
fn locked(text: &str) -> BTreeMap<&str, BTreeSet<&str>> {
    let mut packages: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    let mut name = "";
    for line in text.lines() {
        let value = |key: &str| line.strip_prefix(key)?.strip_suffix('"');
        if let Some(found) = value("name = \"") {
            name = found;
        } else if let Some(version) = value("version = \"") {
            packages.entry(name).or_default().insert(version);
        }
    }
    packages
}

#[test]
fn what_is_fuzzed_has_the_versions_that_ship() {
    let read = |path: &str| std::fs::read_to_string(root().join(path)).unwrap();
    let (ours, fuzzed) = (
        read("Cargo.lock"),
        read("testkit/fuzz/libfuzzer/Cargo.lock"),
    );
    let (ours, fuzzed) = (locked(&ours), locked(&fuzzed));
    assert!(fuzzed.len() > 100 && fuzzed.contains_key("strongroom-fuzz"));

    let mut only_here = Vec::new();
    for (name, versions) in &fuzzed {
        match ours.get(name) {
            Some(shipped) => assert!(
                versions.is_subset(shipped),
                "{name}: {versions:?} is fuzzed, {shipped:?} ships"
            ),
            None => only_here.push(*name),
        }
    }
    let wanted = [
        "arbitrary",
        "jobserver",
        "libfuzzer-sys",
        "strongroom-libfuzzer",
    ];
    assert_eq!(only_here, wanted, "packages of the fuzzing build alone");
}
