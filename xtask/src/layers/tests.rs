#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic
)]

use super::artefacts::{Graph, Node, forbidden_in};
use super::*;

/// Folders by package, as far as the cases name them.
const FOLDERS: [(&str, &str); 23] = [
    ("strongroom-ed25519", "crates/ed25519"),
    ("strongroom-types", "crates/types"),
    ("strongroom-wire", "crates/wire"),
    ("strongroom-tlog", "crates/tlog"),
    ("strongroom-policy", "crates/policy"),
    ("strongroom-mpc-core", "crates/mpc-core"),
    ("strongroom-signing", "crates/signing"),
    ("strongroom-journal", "crates/journal"),
    ("strongroom-ports", "crates/ports"),
    ("strongroom-stage", "crates/stage"),
    ("strongroom-replica", "crates/replica"),
    ("strongroom-api", "crates/api"),
    ("strongroom-api-types", "crates/api-types"),
    ("strongroom-writer", "crates/writer"),
    ("strongroom-link", "crates/link"),
    ("strongroom-chains", "crates/chains"),
    ("strongroom-store-sqlite", "crates/adapters/store-sqlite"),
    ("strongroom-bus-embedded", "crates/adapters/bus-embedded"),
    ("strongroom-chain-bitcoin", "crates/adapters/chain-bitcoin"),
    (
        "strongroom-chain-bitcoin-dev",
        "crates/adapters/chain-bitcoin-dev",
    ),
    ("strongroom", "crates/strongroom"),
    ("strongroom-signer", "crates/strongroom-signer"),
    ("strongroom-sim", "testkit/sim"),
];

/// Packages with a binary target.
const PROGRAMS: [&str; 3] = ["strongroom", "strongroom-signer", "strongroom-sim"];

/// A workspace in which the named packages depend on what is given; all others depend on nothing.
fn workspace(edges: &[(&str, &[&str])]) -> Vec<Crate> {
    let depends_on = |package: &str| {
        let row = edges.iter().find(|(name, _)| *name == package);
        row.map_or(Vec::new(), |(_, targets)| {
            targets.iter().map(ToString::to_string).collect()
        })
    };
    let placed = |(name, folder): (&str, &str)| Crate {
        name: name.to_owned(),
        folder: folder.to_owned(),
        depends_on: depends_on(name),
        tests_with: Vec::new(),
        has_program: PROGRAMS.contains(&name),
    };
    assert!(
        edges
            .iter()
            .all(|(name, _)| FOLDERS.iter().any(|(known, _)| known == name))
    );
    FOLDERS.into_iter().map(placed).collect()
}

fn refused(name: &str, depends_on: &str) -> bool {
    !violations(&workspace(&[(name, &[depends_on])])).is_empty()
}

#[test]
fn the_intended_shape_passes() {
    let shape = workspace(&[
        ("strongroom-types", &["sha2"]),
        (
            "strongroom-signing",
            &["strongroom-types", "strongroom-wire", "strongroom-mpc-core"],
        ),
        (
            "strongroom-journal",
            &["strongroom-types", "strongroom-wire", "strongroom-policy"],
        ),
        (
            "strongroom-stage",
            &["strongroom-replica", "strongroom-ports"],
        ),
        ("strongroom-api", &["strongroom-stage", "axum", "tokio"]),
        (
            "strongroom-link",
            &["strongroom-ports", "strongroom-wire", "tracing"],
        ),
        (
            "strongroom-chains",
            &["strongroom-ports", "strongroom-chain-bitcoin"],
        ),
        (
            "strongroom-chain-bitcoin-dev",
            &["strongroom-chain-bitcoin", "rusqlite"],
        ),
        (
            "strongroom",
            &[
                "strongroom-api",
                "strongroom-chains",
                "strongroom-store-sqlite",
            ],
        ),
        ("strongroom-sim", &["strongroom", "strongroom-bus-embedded"]),
    ]);
    assert_eq!(violations(&shape), Vec::<String>::new());
}

#[test]
fn a_violation_names_both_crates_and_the_ring() {
    let found = violations(&workspace(&[("strongroom-api", &["strongroom-writer"])]));
    assert_eq!(
        found,
        ["  strongroom-api (Application) must not depend on strongroom-writer"]
    );
}

#[test]
fn applications_see_neither_each_other_nor_an_adapter() {
    assert!(refused("strongroom-writer", "strongroom-api"));
    assert!(refused("strongroom-link", "strongroom-api"));
    assert!(refused("strongroom-api", "strongroom-store-sqlite"));
    assert!(refused("strongroom-api", "strongroom-chains"));
    assert!(refused("strongroom-writer", "rusqlite"));
}

#[test]
fn pure_crates_look_inwards_only() {
    assert!(refused("strongroom-types", "strongroom-wire"));
    assert!(refused("strongroom-policy", "strongroom-journal"));
    assert!(refused("strongroom-tlog", "strongroom-ports"));
    assert!(refused("strongroom-tlog", "strongroom-types"));
    assert!(refused("strongroom-journal", "strongroom-signing"));
    assert!(refused("strongroom-signing", "strongroom-ports"));
    assert!(refused("strongroom-api-types", "strongroom-tlog"));
    assert!(refused("strongroom-ports", "strongroom-wire"));
    assert!(refused("strongroom-journal", "tokio"));
    assert!(refused("strongroom-mpc-core", "getrandom"));
}

#[test]
fn the_two_programs_link_neither_each_other_nor_the_test_kit() {
    assert!(refused("strongroom-signer", "strongroom"));
    assert!(refused("strongroom", "strongroom-signer"));
    assert!(refused("strongroom", "strongroom-sim"));
    assert!(refused("strongroom-store-sqlite", "strongroom-sim"));
}

#[test]
fn adapters_see_neither_an_application_nor_an_adapter_of_another_name() {
    assert!(refused(
        "strongroom-bus-embedded",
        "strongroom-store-sqlite"
    ));
    assert!(refused(
        "strongroom-chain-bitcoin",
        "strongroom-chain-bitcoin-dev"
    ));
    assert!(refused("strongroom-store-sqlite", "strongroom-stage"));
}

#[test]
fn the_list_of_chains_sees_codecs_only() {
    assert!(refused("strongroom-chains", "strongroom-chain-bitcoin-dev"));
    assert!(refused("strongroom-chains", "strongroom-store-sqlite"));
    assert!(refused("strongroom-chains", "strongroom-api"));
    assert!(refused("strongroom-chain-bitcoin", "strongroom-chains"));
}

#[test]
fn only_the_list_of_chains_and_the_test_kit_name_a_chain() {
    for program in ["strongroom", "strongroom-signer"] {
        assert!(refused(program, "strongroom-chain-bitcoin"));
        assert!(refused(program, "strongroom-chain-bitcoin-dev"));
        assert!(!refused(program, "strongroom-chains"));
    }
    let with_tests = |name: &str| {
        let mut crates = workspace(&[]);
        let krate = crates.iter_mut().find(|krate| krate.name == name).unwrap();
        krate.tests_with = vec!["strongroom-chain-bitcoin".to_owned()];
        violations(&crates)
    };
    assert_eq!(
        with_tests("strongroom-api"),
        [
            "  tests of strongroom-api must not name strongroom-chain-bitcoin: take a codec from strongroom-chains"
        ]
    );
    assert_eq!(with_tests("strongroom-sim"), Vec::<String>::new());
}

#[test]
fn a_development_chain_with_an_unlisted_interpreter_is_refused() {
    let dev = "strongroom-chain-bitcoin-dev";
    let unknown = |links: &'static str| {
        let crates = workspace(&[(dev, &[links])]);
        unknown_interpreters(&crates).contains(&dev)
    };
    assert!(unknown("bitcoin"));
    assert!(!unknown("bitcoinconsensus"));
}

#[test]
fn a_crate_without_a_place_is_refused() {
    let mut crates = workspace(&[]);
    crates.push(Crate {
        name: "strongroom-new-thing".to_owned(),
        folder: "crates/new-thing".to_owned(),
        depends_on: vec!["strongroom-types".to_owned()],
        tests_with: Vec::new(),
        has_program: false,
    });
    let found = violations(&crates);
    assert_eq!(
        found,
        ["  crates/new-thing has no ring: add it to xtask/src/layers/rings.rs"]
    );
    assert!(refused("strongroom-api", "strongroom-from-a-registry"));
}

/// A graph of `name → links`; ours are the names in [`FOLDERS`].
fn graph(edges: &[(&str, &[&str])]) -> Graph {
    let folder = |name: &str| {
        let row = FOLDERS.iter().find(|(known, _)| *known == name);
        row.map(|(_, folder)| (*folder).to_owned())
    };
    let node = |(name, links): &(&str, &[&str])| {
        let links = links.iter().map(ToString::to_string).collect();
        (
            (*name).to_owned(),
            Node {
                name: (*name).to_owned(),
                folder: folder(name),
                links,
                features: Vec::new(),
            },
        )
    };
    edges.iter().map(node).collect()
}

#[test]
fn a_feature_for_tests_is_found_with_its_path_and_others_are_not() {
    let mut graph = graph(&[
        ("strongroom", &["strongroom-types"]),
        ("strongroom-types", &["strongroom-ed25519"]),
        ("strongroom-ed25519", &[]),
    ]);
    for (feature, found) in [("std", 0), ("verified-memo", 1)] {
        let verifier = graph.get_mut("strongroom-ed25519").unwrap();
        verifier.features = vec![feature.to_owned()];
        assert_eq!(forbidden_in(&graph, "strongroom").unwrap().len(), found);
    }
    assert_eq!(
        forbidden_in(&graph, "strongroom").unwrap(),
        ["  strongroom → strongroom-types → strongroom-ed25519"]
    );
}

#[test]
fn an_interpreter_behind_two_harmless_edges_is_found_with_its_path() {
    let graph = graph(&[
        ("strongroom-signer", &["strongroom-chain-bitcoin"]),
        ("strongroom-chain-bitcoin", &["bitcoin"]),
        ("bitcoin", &["bitcoinconsensus"]),
        ("bitcoinconsensus", &[]),
    ]);
    let found = forbidden_in(&graph, "strongroom-signer").unwrap();
    assert_eq!(
        found,
        ["  strongroom-signer → strongroom-chain-bitcoin → bitcoin → bitcoinconsensus"]
    );
}

#[test]
fn development_parts_and_the_test_kit_are_found_in_an_artefact() {
    let graph = graph(&[
        ("strongroom", &["strongroom-api"]),
        (
            "strongroom-api",
            &["strongroom-bus-embedded", "strongroom-sim"],
        ),
        ("strongroom-bus-embedded", &[]),
        ("strongroom-sim", &["strongroom-chain-bitcoin-dev"]),
        ("strongroom-chain-bitcoin-dev", &[]),
    ]);
    let found = forbidden_in(&graph, "strongroom").unwrap();
    assert_eq!(
        found,
        [
            "  strongroom → strongroom-api → strongroom-bus-embedded",
            "  strongroom → strongroom-api → strongroom-sim",
            "  strongroom → strongroom-api → strongroom-sim → strongroom-chain-bitcoin-dev",
        ]
    );
}

#[test]
fn what_another_package_links_is_not_in_the_artefact() {
    let graph = graph(&[
        ("strongroom", &[]),
        ("strongroom-sim", &["bitcoinconsensus"]),
        ("bitcoinconsensus", &[]),
    ]);
    assert_eq!(
        forbidden_in(&graph, "strongroom").unwrap(),
        Vec::<String>::new()
    );
    assert!(forbidden_in(&graph, "strongroom-absent").is_err());
}

#[test]
fn programs_below_crates_are_shipped_and_those_of_the_test_kit_are_not() {
    let crates = workspace(&[]);
    assert_eq!(
        shipped(&crates).unwrap(),
        ["strongroom", "strongroom-signer"]
    );
    assert!(shipped(&[]).is_err(), "nothing would be walked");
}

#[test]
fn a_program_that_is_not_a_root_and_a_root_without_a_program_are_refused() {
    for (name, has_program) in [
        ("strongroom-link", true),
        ("strongroom-store-sqlite", true),
        ("strongroom-signer", false),
    ] {
        let mut crates = workspace(&[]);
        let krate = crates.iter_mut().find(|krate| krate.name == name).unwrap();
        krate.has_program = has_program;
        assert!(shipped(&crates).is_err(), "{name}");
    }

    let mut crates = workspace(&[]);
    crates[0].folder = "crates/without-a-ring".to_owned();
    crates[0].has_program = true;
    assert!(shipped(&crates).is_err());
}

/// A workspace on disk: the program has a development part behind a feature that is off.
fn with_optional_part(root: &Path) {
    let files = [
        (
            "Cargo.toml",
            "[workspace]\nresolver = \"2\"\nmembers = [\"crates/strongroom\", \
             \"crates/adapters/bus-embedded\"]\n",
        ),
        (
            "Cargo.lock",
            "version = 4\n\n[[package]]\nname = \"strongroom\"\nversion = \"0.0.0\"\n\
             dependencies = [\n \"strongroom-bus-embedded\",\n]\n\n\
             [[package]]\nname = \"strongroom-bus-embedded\"\nversion = \"0.0.0\"\n",
        ),
        (
            "crates/strongroom/Cargo.toml",
            "[package]\nname = \"strongroom\"\nversion = \"0.0.0\"\n\n\
             [dependencies.strongroom-bus-embedded]\n\
             path = \"../adapters/bus-embedded\"\noptional = true\n",
        ),
        ("crates/strongroom/src/main.rs", "fn main() {}\n"),
        (
            "crates/adapters/bus-embedded/Cargo.toml",
            "[package]\nname = \"strongroom-bus-embedded\"\nversion = \"0.0.0\"\n",
        ),
        ("crates/adapters/bus-embedded/src/lib.rs", ""),
    ];
    for (file, text) in files {
        let path = root.join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
}

#[test]
fn a_part_behind_a_feature_that_is_off_is_found() {
    let root = std::env::temp_dir().join(format!("xtask-layers-{}", std::process::id()));
    with_optional_part(&root);

    let metadata = metadata_of(&root, Features::Default).unwrap();
    assert_eq!(shipped(&crates_of(&metadata)).unwrap(), ["strongroom"]);

    let [as_built, with_all] = graphs(&root, &metadata).unwrap();
    let found = |graph| forbidden_in(graph, "strongroom").unwrap();
    assert_eq!(found(&as_built), [""; 0]);
    assert_eq!(found(&with_all), ["  strongroom → strongroom-bus-embedded"]);
    std::fs::remove_dir_all(root).unwrap();
}
