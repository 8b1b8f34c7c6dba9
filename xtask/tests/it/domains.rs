//! `docs/formats.md` lists every domain that a digest of the product is made under.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Parts that write no format another program reads.
const EXEMPT: [&str; 2] = ["/tests/", "/demo/"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap()
        .to_owned()
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let text = path.to_string_lossy().replace('\\', "/") + "/";
        if EXEMPT.iter().any(|exempt| text.contains(exempt)) {
            continue;
        }
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs")
            && !path.ends_with("tests.rs")
        {
            found.push(path);
        }
    }
}

/// `strongroom/NAME/vN`, the whole string literal.
fn is_domain(literal: &str) -> bool {
    let Some(name) = literal.strip_prefix("strongroom/") else {
        return false;
    };
    let Some((name, version)) = name.rsplit_once("/v") else {
        return false;
    };
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    !name.is_empty() && name.chars().all(plain) && version.parse::<u32>().is_ok()
}

/// Domains in string literals of `crates/*/src`, outside of unit tests.
fn domains_in_code() -> BTreeSet<String> {
    let mut files = Vec::new();
    sources(&root().join("crates"), &mut files);
    let mut domains = BTreeSet::new();
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        let shipped = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
        let literals = shipped.split('"').filter(|literal| is_domain(literal));
        domains.extend(literals.map(str::to_owned));
    }
    domains
}

#[test]
fn every_digest_domain_is_in_formats_md() {
    // A list in a table may shorten all but its first domain.
    let text = std::fs::read_to_string(root().join("docs/formats.md"))
        .unwrap()
        .replace("`…/", "`strongroom/");
    let domains = domains_in_code();
    assert!(domains.len() > 30, "the scan finds the product's domains");
    let missing: Vec<&String> = domains
        .iter()
        .filter(|domain| !text.contains(&format!("`{domain}`")))
        .collect();
    assert_eq!(missing, Vec::<&String>::new());
}
