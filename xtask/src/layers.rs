//! `check-layers`: the rings of the architecture, enforced, and what the shipped programs contain.
//!
//! For the rings only what a crate links in a build counts: dev-dependencies are free, since a test
//! may put anything behind a port. Only a chain's crate is named by nothing but the list of chains
//! and the test kit, so that a new chain changes no other file.

mod artefacts;
mod rings;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, ensure};
use cargo_metadata::{
    CargoOpt, Dependency, DependencyKind, Metadata, MetadataCommand, Package, Target, TargetKind,
};

use artefacts::Graph;
use rings::{
    Ring, TEST_FEATURES, dev_allowed, external_allowed, is_development_chain, is_interpreter,
    ours_allowed, place_of,
};

/// The graph is resolved for one target, so that it does not depend on the machine.
const TARGET: &str = "x86_64-unknown-linux-gnu";

/// One package of the workspace, reduced to what the rules look at.
pub struct Crate {
    name: String,
    /// Folder below the workspace's root, such as `crates/types`.
    folder: String,
    /// Normal and build dependencies, by package name.
    depends_on: Vec<String>,
    /// Dev-dependencies, by package name.
    tests_with: Vec<String>,
    /// Whether it builds a program.
    has_program: bool,
}

/// Which features of our own packages a graph is resolved with.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Features {
    /// Those that are on when no one asks for any: what `./x` and the images build.
    Default,
    /// Every one, so that optional dependencies are there too.
    All,
}

/// Fails with one line per forbidden dependency.
pub fn check(root: &Path) -> anyhow::Result<()> {
    let metadata = metadata_of(root, Features::Default)?;

    // Manifests are compared first: they name what a crate may use, whether it does or not.
    let crates = crates_of(&metadata);
    let violations = violations(&crates);
    ensure!(
        violations.is_empty(),
        "forbidden dependencies (rules: xtask/src/layers/rings.rs, reasons: docs/adr/0007):\n{}",
        violations.join("\n")
    );
    println!("layers: {} crates, no forbidden dependency", crates.len());

    // What no program may contain is known by name, so a name that is not listed must not be used.
    let unknown = unknown_interpreters(&crates);
    ensure!(
        unknown.is_empty(),
        "INTERPRETERS in xtask/src/layers/rings.rs lists nothing that these run scripts with: {}",
        unknown.join(", ")
    );

    // The same of features: one that was renamed would not be looked for any more.
    let is_declared = |(package, feature): &(&str, &str)| {
        let ours = metadata
            .packages
            .iter()
            .find(|p| p.name.as_str() == *package);
        ours.is_some_and(|p| p.features.contains_key(*feature))
    };
    ensure!(
        TEST_FEATURES.iter().all(is_declared),
        "TEST_FEATURES in xtask/src/layers/rings.rs names a feature that no manifest declares"
    );

    // Then what each program really links: a forbidden part may come in through an allowed crate.
    let graphs = graphs(root, &metadata)?;
    for artefact in shipped(&crates)? {
        for graph in &graphs {
            let found = artefacts::forbidden_in(graph, artefact)?;
            ensure!(
                found.is_empty(),
                "{artefact} ships parts for tests or development:\n{}",
                found.join("\n")
            );
        }
        println!("layers: {artefact} contains no test kit, development part or interpreter");
    }
    Ok(())
}

fn metadata_of(root: &Path, features: Features) -> anyhow::Result<Metadata> {
    let mut command = MetadataCommand::new();
    command
        .current_dir(root)
        .other_options(["--locked", "--filter-platform", TARGET].map(String::from));
    if features == Features::All {
        command.features(CargoOpt::AllFeatures);
    }
    command.exec().context("cargo metadata failed")
}

/// What is built as it is, and what could be built by asking for a feature.
fn graphs(root: &Path, metadata: &Metadata) -> anyhow::Result<[Graph; 2]> {
    let as_built = artefacts::graph(metadata)?;
    let mut with_all = artefacts::graph(&metadata_of(root, Features::All)?)?;

    // Here those for tests are on because all are. Whether a manifest turns one on is seen in the
    // graph that is built; and neither program compiles with one.
    for node in with_all.values_mut() {
        node.features.clear();
    }
    Ok([as_built, with_all])
}

/// The shipped programs, by package: those with a binary target below `crates/`.
fn shipped(crates: &[Crate]) -> anyhow::Result<Vec<&str>> {
    let mut shipped = Vec::new();
    for krate in crates {
        let is_below = krate.folder.starts_with("crates/");
        let is_root = place_of(&krate.folder).is_some_and(|place| place.ring == Ring::Root);

        // A program elsewhere would be shipped without the rules of a root, and a root without a
        // program would be walked for nothing.
        ensure!(
            is_root == (is_below && krate.has_program),
            "{}: a program below crates/ is in ring Root, and nothing else is",
            krate.folder
        );
        if is_root {
            shipped.push(krate.name.as_str());
        }
    }
    ensure!(!shipped.is_empty(), "no program below crates/");
    Ok(shipped)
}

fn crates_of(metadata: &Metadata) -> Vec<Crate> {
    let reduced = |package: &Package| {
        let (tests_with, depends_on): (Vec<_>, Vec<_>) = package
            .dependencies
            .iter()
            .partition(|dependency| dependency.kind == DependencyKind::Development);

        // Build dependencies stay with the normal ones: what they generate is linked.
        let names = |list: Vec<&Dependency>| {
            let name = |dependency: &Dependency| dependency.name.to_string();
            list.into_iter().map(name).collect()
        };

        Crate {
            name: package.name.to_string(),
            folder: folder_of(metadata, package),
            depends_on: names(depends_on),
            tests_with: names(tests_with),
            has_program: package.targets.iter().any(is_program),
        }
    };
    metadata
        .workspace_packages()
        .into_iter()
        .map(reduced)
        .collect()
}

fn is_program(target: &Target) -> bool {
    target.kind.contains(&TargetKind::Bin)
}

/// Development chains that link no script interpreter of the list.
fn unknown_interpreters(crates: &[Crate]) -> Vec<&str> {
    let unknown = crates.iter().filter(|krate| {
        place_of(&krate.folder).is_some_and(is_development_chain)
            && !krate.depends_on.iter().any(|name| is_interpreter(name))
    });
    unknown.map(|krate| krate.name.as_str()).collect()
}

/// The folder of one of our packages, below the workspace's root.
fn folder_of(metadata: &Metadata, package: &Package) -> String {
    let folder = package
        .manifest_path
        .parent()
        .unwrap_or(&package.manifest_path);
    folder
        .strip_prefix(&metadata.workspace_root)
        .unwrap_or(folder)
        .to_string()
}

/// Every forbidden dependency and every crate without a ring, in the order of the input.
fn violations(crates: &[Crate]) -> Vec<String> {
    let folders: BTreeMap<&str, &str> = crates
        .iter()
        .map(|krate| (krate.name.as_str(), krate.folder.as_str()))
        .collect();

    crates
        .iter()
        .flat_map(|krate| violations_of(krate, &folders))
        .collect()
}

fn violations_of(krate: &Crate, folders: &BTreeMap<&str, &str>) -> Vec<String> {
    let Crate {
        name,
        folder,
        depends_on,
        tests_with,
        has_program: _,
    } = krate;

    // A crate that is placed nowhere could depend on anything, so it is refused.
    let Some(from) = place_of(folder) else {
        return vec![format!(
            "  {folder} has no ring: add it to xtask/src/layers/rings.rs"
        )];
    };

    let mut found = Vec::new();
    for target in depends_on {
        let allowed = match folders.get(target.as_str()) {
            Some(folder) => place_of(folder).is_some_and(|to| ours_allowed(from, to)),
            // A package of our name that is not in the workspace came from somewhere else.
            None => !target.starts_with("strongroom") && external_allowed(from.ring, target),
        };

        if !allowed {
            found.push(format!(
                "  {name} ({:?}) must not depend on {target}",
                from.ring
            ));
        }
    }

    // Tests may name any adapter, but not a chain: a new chain must not need changes in old tests.
    for target in tests_with {
        let place = folders.get(target.as_str()).copied().and_then(place_of);
        if place.is_some_and(|to| !dev_allowed(from, to)) {
            found.push(format!(
                "  tests of {name} must not name {target}: take a codec from strongroom-chains"
            ));
        }
    }
    found
}
