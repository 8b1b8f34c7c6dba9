#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic
)]

use super::*;

fn crate_with(name: &str, depends_on: &[&str]) -> Crate {
    Crate {
        name: name.to_owned(),
        depends_on: depends_on.iter().map(ToString::to_string).collect(),
    }
}

fn refused(name: &str, depends_on: &str) -> bool {
    !violations(&[crate_with(name, &[depends_on])]).is_empty()
}

#[test]
fn the_intended_shape_passes() {
    let shape = [
        crate_with("strongroom-types", &["sha2"]),
        crate_with(
            "strongroom-journal",
            &["strongroom-types", "strongroom-wire", "strongroom-policy"],
        ),
        crate_with(
            "strongroom-stage",
            &["strongroom-replica", "strongroom-ports"],
        ),
        crate_with("strongroom-api", &["strongroom-stage", "axum", "tokio"]),
        crate_with(
            "strongroom-chain-bitcoin-dev",
            &["strongroom-chain-bitcoin", "rusqlite"],
        ),
        crate_with("strongroom", &["strongroom-api", "strongroom-store-sqlite"]),
        crate_with(
            "strongroom-sim",
            &["strongroom-signer-core", "strongroom-store-sqlite"],
        ),
    ];
    assert_eq!(violations(&shape), Vec::<String>::new());
}

#[test]
fn a_violation_names_both_crates_and_the_ring() {
    let found = violations(&[crate_with("strongroom-api", &["strongroom-writer"])]);
    assert_eq!(
        found,
        ["  strongroom-api (Application) must not depend on strongroom-writer"]
    );
}

#[test]
fn applications_see_neither_each_other_nor_an_adapter() {
    assert!(refused("strongroom-coordinator", "strongroom-transactions"));
    assert!(refused("strongroom-client", "strongroom-api"));
    assert!(refused("strongroom-signer-core", "strongroom-store-sqlite"));
    assert!(refused("strongroom-approvals", "rusqlite"));
}

#[test]
fn pure_crates_look_inwards_only() {
    assert!(refused("strongroom-types", "strongroom-wire"));
    assert!(refused("strongroom-policy", "strongroom-journal"));
    assert!(refused("strongroom-tlog", "strongroom-ports"));
    assert!(refused("strongroom-journal", "tokio"));
    assert!(refused("strongroom-mpc-core", "getrandom"));
}

#[test]
fn the_signer_does_not_link_the_main_binary_and_nothing_ships_test_code() {
    assert!(refused("strongroom-signer", "strongroom"));
    assert!(refused("strongroom", "strongroom-signer"));
    assert!(refused("strongroom", "strongroom-sim"));
    assert!(refused("strongroom-store-sqlite", "strongroom-conformance"));
}

#[test]
fn adapters_do_not_see_each_other_or_an_application() {
    assert!(refused(
        "strongroom-bus-embedded",
        "strongroom-store-sqlite"
    ));
    assert!(refused(
        "strongroom-chain-bitcoin",
        "strongroom-chain-bitcoin-dev"
    ));
    assert!(refused("strongroom-store-postgres", "strongroom-stage"));
}

#[test]
fn a_crate_that_nobody_placed_is_refused() {
    assert!(refused("strongroom-new-thing", "strongroom-types"));
    assert!(refused("strongroom-api", "strongroom-new-thing"));
}
