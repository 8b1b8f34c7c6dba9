//! `check-layers`: the rings of the architecture, enforced.
//!
//! Only what a crate links in a build counts: dev-dependencies are free, since a test may put
//! anything behind a port.

mod rings;
#[cfg(test)]
mod tests;

use std::path::Path;

use anyhow::{Context, bail};
use cargo_metadata::{DependencyKind, MetadataCommand, Package};

use rings::{Ring, external_allowed, ours_allowed, ring_of};

/// One package of the workspace, reduced to what the rules look at.
pub struct Crate {
    name: String,
    /// Normal and build dependencies, by package name.
    depends_on: Vec<String>,
}

/// Fails with one line per forbidden dependency.
pub fn check(root: &Path) -> anyhow::Result<()> {
    let metadata = MetadataCommand::new()
        .current_dir(root)
        .no_deps()
        .exec()
        .context("cargo metadata failed")?;
    let crates: Vec<Crate> = metadata.packages.iter().map(Crate::from_package).collect();
    let violations = violations(&crates);
    if violations.is_empty() {
        println!("layers: {} crates, no forbidden dependency", crates.len());
        return Ok(());
    }
    bail!(
        "forbidden dependencies (rules: xtask/src/layers/rings.rs, reasons: docs/adr/0007):\n{}",
        violations.join("\n")
    )
}

impl Crate {
    fn from_package(package: &Package) -> Self {
        let depends_on = package
            .dependencies
            .iter()
            .filter(|dependency| dependency.kind != DependencyKind::Development)
            .map(|dependency| dependency.name.to_string())
            .collect();
        Self {
            name: package.name.to_string(),
            depends_on,
        }
    }
}

/// Every forbidden dependency and every crate without a ring, in the order of the input.
fn violations(crates: &[Crate]) -> Vec<String> {
    crates.iter().flat_map(violations_of).collect()
}

fn violations_of(krate: &Crate) -> Vec<String> {
    let Some(ring) = ring_of(&krate.name) else {
        return vec![format!(
            "  {} has no ring: add it to xtask/src/layers/rings.rs",
            krate.name
        )];
    };
    krate
        .depends_on
        .iter()
        .filter_map(|target| violation(&krate.name, ring, target))
        .collect()
}

fn violation(name: &str, ring: Ring, target: &str) -> Option<String> {
    let allowed = match ring_of(target) {
        Some(target_ring) => ours_allowed(name, ring, target, target_ring),
        None if target.starts_with("strongroom") => {
            return Some(format!("  {name} → {target}, which has no ring"));
        }
        None => external_allowed(ring, target),
    };
    (!allowed).then(|| format!("  {name} ({ring:?}) must not depend on {target}"))
}
