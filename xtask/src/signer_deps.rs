//! `signer-deps`: what the process that holds key shares links, as a list that a reviewer sees
//! change.
//!
//! The package is resolved alone, as it is built for release: features unify across a workspace
//! build.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, bail, ensure};

const SNAPSHOT: &str = "xtask/snapshots/strongroom-signer.deps";
/// The list is made for one target, so that it does not depend on the machine that makes it.
const TARGET: &str = "x86_64-unknown-linux-gnu";

/// No bus, TLS, HTTP or SQL-server client, and none of the parts of the main binary that speak
/// them.
const FORBIDDEN: [&str; 22] = [
    "axum",
    "bitcoinconsensus",
    "h2",
    "hyper",
    "native-tls",
    "openssl",
    "openssl-sys",
    "postgres",
    "rdkafka",
    "rdkafka-sys",
    "reqwest",
    "rustls",
    "sqlx",
    "sqlx-core",
    "strongroom",
    "strongroom-api",
    "strongroom-bus-embedded",
    "strongroom-chain-bitcoin-dev",
    "strongroom-client",
    "strongroom-store-postgres",
    "tokio-postgres",
    "ureq",
];

/// Compares with the snapshot, or writes it. A forbidden crate fails either way.
pub fn check(root: &Path, bless: bool) -> anyhow::Result<()> {
    // Forbidden packages are looked for before `bless` writes: no one may bless them by accident.
    let listed = normalise(&cargo_tree(root)?);
    let found = forbidden(&listed);
    ensure!(
        found.is_empty(),
        "the signer links what it must not: {}",
        found.join(", ")
    );

    let path = root.join(SNAPSHOT);
    if bless {
        std::fs::write(&path, render(&listed))
            .with_context(|| format!("cannot write {SNAPSHOT}"))?;
        println!("signer: {} packages written to {SNAPSHOT}", listed.len());
        return Ok(());
    }

    let committed =
        std::fs::read_to_string(&path).with_context(|| format!("cannot read {SNAPSHOT}"))?;

    // Any change fails, an update too: what is linked beside the shares is read by a person.
    let difference = difference(&normalise(&committed), &listed);
    if !difference.is_empty() {
        bail!(
            "the signer's dependencies changed:\n{difference}if that is meant: cargo run -p xtask -- signer-deps --bless"
        );
    }

    println!(
        "signer: {} packages, as committed, none of them forbidden",
        listed.len()
    );
    Ok(())
}

fn cargo_tree(root: &Path) -> anyhow::Result<String> {
    let output = Command::new(env!("CARGO"))
        .current_dir(root)
        .args([
            "tree",
            "--locked",
            "--package",
            "strongroom-signer",
            "--edges",
            "normal",
            "--prefix",
            "none",
        ])
        .args(["--target", TARGET])
        .output()
        .context("cannot run cargo tree")?;
    ensure!(
        output.status.success(),
        "cargo tree failed: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).context("cargo tree printed something that is not UTF-8")
}

/// `name vX.Y.Z` per package: sorted, once each, without paths and marks such as `(*)`.
fn normalise(tree: &str) -> BTreeSet<String> {
    tree.lines()
        .map(|line| {
            line.split_once(" (")
                .map_or(line, |(package, _)| package)
                .trim()
                .to_owned()
        })
        .filter(|line| !line.is_empty() && line != SELF_LINE)
        .collect()
}

/// The package itself is not its own dependency.
const SELF_LINE: &str = concat!("strongroom-signer v", env!("CARGO_PKG_VERSION"));

fn forbidden(listed: &BTreeSet<String>) -> Vec<&str> {
    listed
        .iter()
        .filter_map(|line| line.split_once(" v").map(|(name, _)| name))
        .filter(|name| FORBIDDEN.contains(name))
        .collect()
}

fn render(listed: &BTreeSet<String>) -> String {
    listed
        .iter()
        .fold(String::new(), |text, line| text + line + "\n")
}

fn difference(committed: &BTreeSet<String>, listed: &BTreeSet<String>) -> String {
    let mut text = String::new();
    for gone in committed.difference(listed) {
        let _ = writeln!(text, "  - {gone}");
    }
    for new in listed.difference(committed) {
        let _ = writeln!(text, "  + {new}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const TREE: &str = "strongroom-signer v0.1.0 (/x)\nserde v1.0.2\nserde_derive v1.0.2 (proc-macro)\nserde v1.0.2 (*)\n\
                        strongroom-types v0.1.0 (/x/types)\n";

    #[test]
    fn paths_and_marks_do_not_reach_the_list() {
        let listed = normalise(TREE);
        assert_eq!(
            render(&listed),
            "serde v1.0.2\nserde_derive v1.0.2\nstrongroom-types v0.1.0\n"
        );
    }

    #[test]
    fn a_written_list_reads_back_as_itself() {
        let listed = normalise(TREE);
        assert_eq!(normalise(&render(&listed)), listed);
    }

    #[test]
    fn a_network_client_is_found_by_its_exact_name() {
        let listed = normalise("hyper v1.0.0\nhyper-like v1.0.0\nsqlx v0.9.0\n");
        assert_eq!(forbidden(&listed), ["hyper", "sqlx"]);
    }

    #[test]
    fn a_new_and_a_lost_package_are_both_shown() {
        let text = difference(
            &normalise("a v1.0.0\nb v1.0.0\n"),
            &normalise("b v1.0.0\nc v2.0.0\n"),
        );
        assert_eq!(text, "  - a v1.0.0\n  + c v2.0.0\n");
    }
}
