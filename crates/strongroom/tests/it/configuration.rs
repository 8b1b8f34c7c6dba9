//! One TOML in which an unknown member is an error.

use crate::fixture::{Installation, told};
use strongroom::roles::RoleName;

/// The `error` of a configuration, which must have exit code 78 and name what is wrong.
fn refused(installation: &Installation, from: &str, to: &str, names: &str) {
    let (code, text) = told(&installation.refused_config(from, to));
    assert_eq!(code, 78, "{text}");
    assert!(text.contains(names), "{text}");
    assert!(text.contains("changed.toml"), "{text}");
}

#[test]
fn an_unknown_member_is_refused_by_name_in_every_table() {
    let installation = Installation::new(1);
    refused(&installation, "data =", "dat =", "dat");
    refused(
        &installation,
        "secrets =",
        "colour = \"red\"\nsecrets =",
        "colour",
    );
    refused(
        &installation,
        "[bus]\n",
        "[bus]\nbrokers = \"a:1\"\n",
        "brokers",
    );
    refused(&installation, "[store]\n", "[store]\npool = 3\n", "pool");
    refused(
        &installation,
        "kind = \"dev\"",
        "kind = \"dev\"\ntimeout = 1",
        "timeout",
    );
    refused(&installation, "[api]\n", "[api]\ntls = true\n", "tls");
    refused(&installation, "[link]\n", "[link]\nmode = 600\n", "mode");
    refused(&installation, "[link]\n", "[minter]\n", "minter");
}

#[test]
fn a_value_that_is_not_understood_is_refused_by_its_member() {
    let installation = Installation::new(1);
    let hash = installation.genesis.to_string();
    refused(&installation, &hash, "abc", "genesis_hash");
    refused(
        &installation,
        "[gateways.\"bip122:",
        "[gateways.\"bitcoin ",
        "gateways",
    );
    refused(&installation, "127.0.0.1:0", "localhost", "api.listen");
    refused(&installation, "data =", "data ==", "TOML");
}

#[test]
fn the_api_listens_on_loopback_only() {
    let installation = Installation::new(1);
    refused(&installation, "127.0.0.1:0", "0.0.0.0:7600", "loopback");
    refused(&installation, "127.0.0.1:0", "192.0.2.1:7600", "loopback");
}

#[test]
fn a_gateway_of_a_chain_that_genesis_does_not_have_is_refused() {
    let installation = Installation::new(1);
    let chain = installation.world.genesis.chains[0].chain.to_string();
    let text = installation.config_text().replace(&chain, "eip155:1");
    std::fs::write(installation.path("roles.toml"), text).unwrap();
    let (code, text) = told(&installation.refused(&[RoleName::Writer]));
    assert_eq!(code, 78);
    assert!(text.contains("genesis has no chain eip155:1"), "{text}");
}

#[test]
fn a_role_whose_table_is_missing_is_refused_with_the_table() {
    let installation = Installation::new(1);
    let text = installation.config_text();
    let (before, _) = text.split_once("[api]").unwrap();
    std::fs::write(installation.path("roles.toml"), before).unwrap();
    for (role, table) in [(RoleName::Api, "[api]"), (RoleName::Link, "[link]")] {
        // The role is started beside one that lacks nothing and would start before it.
        let (code, text) = told(&installation.refused(&[RoleName::Writer, role]));
        assert_eq!(code, 78);
        assert!(
            text.contains(&format!("role {role} needs `{table}`")),
            "{text}"
        );
    }
    let (before, _) = text.split_once("[gateways").unwrap();
    std::fs::write(installation.path("roles.toml"), before).unwrap();
    let (code, text) = told(&installation.refused(&[RoleName::Transactions]));
    assert_eq!(code, 78);
    assert!(
        text.contains("role transactions needs `[gateways."),
        "{text}"
    );
}

#[test]
fn another_genesis_file_and_a_missing_one_are_refused() {
    let installation = Installation::new(1);
    let other = Installation::new(2);
    std::fs::copy(other.path("genesis.bin"), installation.path("genesis.bin")).unwrap();
    let (code, text) = told(&installation.refused(&[RoleName::Writer]));
    assert_eq!(code, 10);
    assert!(text.contains("genesis.bin is refused"), "{text}");

    std::fs::remove_file(installation.path("genesis.bin")).unwrap();
    let (code, text) = told(&installation.refused(&[RoleName::Writer]));
    assert_eq!(code, 10);
    assert!(text.contains("cannot read genesis"), "{text}");
}

/// Its roles would read other effects, or ask for other keys, than those for which genesis was made.
#[test]
fn a_build_that_reads_a_chain_by_another_row_is_refused() {
    let installation = Installation::with_another_row(1);
    let (code, text) = told(&installation.refused(&[RoleName::Transactions]));
    assert_eq!(code, 10);
    assert!(text.contains("is refused: unsupported"), "{text}");
    assert!(text.contains("run a build"), "{text}");
}

/// The bus itself refuses. Its operator has to change the configuration, as with any other mistake
/// in it.
#[test]
fn a_development_bus_under_a_production_genesis_is_refused() {
    let installation = Installation::for_production(1);
    let (code, text) = told(&installation.refused(&[RoleName::Link]));
    assert_eq!(code, 78, "{text}");
    assert!(text.starts_with("the bus: "), "{text}");
    assert!(text.contains("production"), "{text}");
}

#[test]
fn every_part_that_a_build_lacks_is_named_at_once() {
    let installation = Installation::new(1);
    let roles = [RoleName::Writer, RoleName::Transactions];
    let (code, text) = told(&installation.refused(&roles));
    assert_eq!(code, 78);
    let chain = &installation.world.genesis.chains[0].chain;
    let gateway = format!("role transactions: this build has no gateway for chain {chain}");
    assert!(text.contains(&gateway), "{text}");
    assert!(!text.contains("no bus"), "{text}");

    let kinds = installation
        .config_text()
        .replace("embedded", "kafka")
        .replace("sqlite\"\n[gat", "oracle\"\n[gat");
    std::fs::write(installation.path("roles.toml"), kinds).unwrap();
    let (code, text) = told(&installation.refused(&roles));
    assert_eq!(code, 78);
    for part in [
        "no bus in this build",
        "`kafka`",
        "role writer: no store",
        "`oracle`",
        &gateway,
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
}
