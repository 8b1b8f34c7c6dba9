use crate::cli::{Command, show};
use clap::{CommandFactory as _, Parser};
use std::time::Duration;
use strongroom_types::{AssetId, UnixMs};

#[derive(Parser, Debug)]
#[command(name = "strongroom")]
pub(super) struct Line {
    #[command(subcommand)]
    pub(super) command: Command,
}

pub(super) fn parse(line: &str) -> Result<Line, clap::Error> {
    Line::try_parse_from(std::iter::once("strongroom").chain(line.split(' ')))
}

const ID: &str = "00112233445566778899aabbccddeeff";

#[test]
fn the_definitions_hold_together() {
    Line::command().debug_assert();
}

#[test]
fn every_documented_command_parses() {
    let hash = "ab".repeat(32);
    for line in [
        format!("keys create --out a.json --user usr_{ID} --class key"),
        "keys create --out a.json --class program".to_owned(),
        "keys show a.json".to_owned(),
        "genesis create --config g.toml --out genesis.bin".to_owned(),
        "genesis show genesis.bin".to_owned(),
        format!("genesis verify genesis.bin --hash {hash}"),
        "tenant show --json".to_owned(),
        format!("tenant show tnt_{ID} --url http://127.0.0.1:1"),
        "act sign --file act.json --key a.json --key b.json --yes".to_owned(),
        "act submit --file act.json.signed --wait 30s".to_owned(),
        format!("act show {hash} --json"),
        "vault list --json".to_owned(),
        format!("address vlt_{ID} --branch 0 --index 7"),
        format!(
            "tx create --vault vlt_{ID} --to bcrt1x --amount 1 --fee-max 2 --external-id x --key k --wait"
        ),
        format!(
            "tx create --vault vlt_{ID} --to vlt_{ID} --amount 1 --fee-max 2 --external-id x --key k --expires-in 15m --purpose p --memo m"
        ),
        "tx list --limit 5 --cursor c".to_owned(),
        format!("tx show tx_{ID} --wait 30s"),
        format!("tx timeline tx_{ID}"),
        format!("tx cancel tx_{ID} --key k --out no.json"),
        "approvals list".to_owned(),
        format!("approvals approve tx_{ID} --key k --reason checked --yes"),
        format!("approvals reject tx_{ID} --key k --yes --json"),
        format!("approvals reject tx_{ID} --key k --out no.json"),
        format!("status --genesis g.bin --genesis-hash {hash} --api-key-file k"),
        format!("verify dir --hash {hash}"),
        "tx --url http://127.0.0.1:1 list".to_owned(),
        "doctor --key a --key b --dir /".to_owned(),
    ] {
        assert!(
            parse(&line).is_ok(),
            "{line}: {}",
            parse(&line).unwrap_err()
        );
    }
}

/// Full names of the commands that do something: `tx list`, not `tx`.
fn commands(of: &clap::Command, path: &str) -> Vec<String> {
    let below = of.get_subcommands();
    let names: Vec<String> = below
        .flat_map(|command| commands(command, &format!("{path} {}", command.get_name())))
        .collect();
    if names.is_empty() {
        vec![path.trim_start().to_owned()]
    } else {
        names
    }
}

#[test]
fn the_manual_names_every_command() {
    let manual = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/cli.md");
    let manual = std::fs::read_to_string(manual).unwrap();
    let all = commands(&Line::command(), "");
    assert!(all.len() > 20, "{all:?}");
    for name in all {
        let is_named =
            manual.contains(&format!("strongroom {name}")) || manual.contains(&format!("`{name}"));
        assert!(is_named, "docs/cli.md lacks `{name}`");
    }
}

#[test]
fn wrong_usage_is_exit_code_2() {
    for line in [
        "keys create --out a.json --class robot",
        "tx create --vault vlt_00 --to x --amount 1 --fee-max 2 --external-id x --key k",
        &format!(
            "tx create --vault vlt_{ID} --to x --amount -1 --fee-max 2 --external-id x --key k"
        ),
        &format!(
            "tx create --vault vlt_{ID} --to x --amount 1.5 --fee-max 2 --external-id x --key k"
        ),
        &format!(
            "tx create --vault vlt_{ID} --to x --amount 1 --fee-max 2 --external-id x --key k --expires-in 1w"
        ),
        &format!("approvals approve tx_{ID} --key k"),
        &format!("approvals approve vlt_{ID} --key k --reason r"),
        &format!("address vlt_{ID} --branch 2"),
        &format!(
            "tx create --vault vlt_{ID} --to x --amount 1 --fee-max 2 --external-id x --key k --attempts-max 0"
        ),
        "tx list --limit 0",
        "tx list --cursor a&limit=9",
        "tx list --cursor a\u{a0}b",
        "genesis verify genesis.bin --hash 00",
        "act sign --file a.json",
        "verify dir --profile p.toml",
        "journal verify dir",
        "keys show a.json --url http://127.0.0.1:1",
        "no-such-command",
    ] {
        assert_eq!(parse(line).expect_err(line).exit_code(), 2, "{line}");
    }
}

#[test]
fn every_command_has_help() {
    fn walk(command: &clap::Command, path: &str) {
        assert!(command.get_about().is_some(), "{path} has no help");
        for argument in command
            .get_arguments()
            .filter(|a| !["help", "version"].contains(&a.get_id().as_str()))
        {
            assert!(
                argument.get_help().is_some(),
                "{path} {} has no help",
                argument.get_id()
            );
        }
        for child in command
            .get_subcommands()
            .filter(|child| child.get_name() != "help")
        {
            walk(child, &format!("{path} {}", child.get_name()));
        }
    }
    for child in Line::command().get_subcommands() {
        walk(child, child.get_name());
    }
}

#[test]
fn durations_have_a_unit() {
    assert_eq!(show::duration("90s"), Ok(Duration::from_secs(90)));
    assert_eq!(show::duration("2d"), Ok(Duration::from_secs(172_800)));
    for bad in [
        "",
        "h",
        "0s",
        "1",
        "1.5h",
        "-1h",
        "1y",
        "99999999999999999999d",
        "1ü",
    ] {
        assert!(show::duration(bad).is_err(), "{bad}");
    }
}

#[test]
fn times_are_rfc_3339() {
    assert_eq!(show::time(UnixMs(0)), "1970-01-01T00:00:00.000Z");
    assert_eq!(
        show::time(UnixMs(951_782_400_123)),
        "2000-02-29T00:00:00.123Z"
    );
    assert_eq!(
        show::time(UnixMs(1_767_225_599_999)),
        "2025-12-31T23:59:59.999Z"
    );
    assert_eq!(
        show::time(UnixMs(4_107_542_400_000)),
        "2100-03-01T00:00:00.000Z"
    );
}

#[test]
fn amounts_are_shown_in_both_units() {
    let bitcoin: AssetId = "bip122:000000000019d6689c085ae165831e93/slip44:0"
        .parse()
        .unwrap();
    let shown = |amount: u64| show::amount(&bitcoin, amount.into()).unwrap();
    assert_eq!(shown(5_000_000), "5000000 sat (0.05000000 BTC)");
    let large = "2100000000000001 sat (21000000.00000001 BTC)";
    assert_eq!(shown(2_100_000_000_000_001), large);
    let fee = show::fee(&bitcoin.chain(), 1.into()).unwrap();
    assert_eq!(fee, "1 sat (0.00000001 BTC)");
}

#[test]
fn an_amount_on_a_chain_without_codec_is_shown_in_base_units() {
    let ether: AssetId = "eip155:1/slip44:60".parse().unwrap();
    let shown = show::amount(&ether, 7.into()).unwrap();
    assert_eq!(shown, "7 base units of eip155:1/slip44:60");
    let fee = show::fee(&ether.chain(), 7.into()).unwrap();
    assert_eq!(fee, "7 base units of the native asset of eip155:1");
}
