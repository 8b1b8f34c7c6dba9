//! The shipped program, as a process.

use crate::fixture::Installation;
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Output};
use strongroom::config::FORM;
use strongroom::exit::EXIT_CODES;

fn strongroom(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_strongroom"))
        .args(arguments)
        .output()
        .unwrap()
}

fn run(installation: &Installation, roles: &str) -> (Option<i32>, String) {
    let config = installation.path("roles.toml");
    let before = installation.files();
    let output = strongroom(&[
        "run",
        "--roles",
        roles,
        "--config",
        config.to_str().unwrap(),
    ]);
    assert_eq!(installation.files(), before, "nothing was touched");
    (
        output.status.code(),
        String::from_utf8(output.stderr).unwrap(),
    )
}

#[test]
fn an_unknown_role_is_wrong_usage() {
    let (code, text) = run(&Installation::new(1), "writer,minter");
    assert_eq!(code, Some(2));
    assert!(text.contains("unknown role `minter`"), "{text}");
    assert!(
        text.contains("link, writer, approvals, coordinator, transactions, api"),
        "{text}"
    );
}

#[test]
fn the_shipped_build_names_each_part_that_it_lacks() {
    let installation = Installation::new(1);
    let (code, text) = run(&installation, "api,transactions");
    assert_eq!(code, Some(78), "{text}");
    let chain = &installation.world.genesis.chains[0].chain;
    let gateway = format!("role transactions: this build has no gateway for chain {chain}");
    for part in [
        "no bus in this build",
        "role api: no store in this build",
        &gateway,
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let (code, text) = run(&installation, "link");
    assert_eq!(code, Some(78), "{text}");
    assert!(!text.contains("store"), "{text}");
}

#[test]
fn exit_codes_reach_the_caller() {
    let installation = Installation::new(1);
    std::fs::write(installation.path("genesis.bin"), "other").unwrap();
    assert_eq!(run(&installation, "writer").0, Some(10));
    std::fs::write(installation.path("roles.toml"), "colour = \"red\"").unwrap();
    let (code, text) = run(&installation, "writer");
    assert_eq!(code, Some(78));
    assert!(text.contains("colour"), "{text}");
}

/// The profile that is only found says which genesis is pinned and where the bearer key goes.
#[test]
fn hole_profile_that_others_can_write_to_is_not_taken_for_ones_own() {
    let folder = tempfile::tempdir().unwrap();
    let profile = folder.path().join("strongroom.toml");
    std::fs::write(&profile, "url = \"http://127.0.0.1:1\"\n").unwrap();
    let status = |arguments: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_strongroom"))
            .arg("doctor")
            .args(arguments)
            .current_dir(folder.path())
            .output()
            .unwrap();
        let text = [output.stdout, output.stderr].concat();
        (output.status.code(), String::from_utf8(text).unwrap())
    };

    for mode in [0o620, 0o602, 0o666] {
        std::fs::set_permissions(&profile, Permissions::from_mode(mode)).unwrap();
        let (code, text) = status(&[]);
        assert_eq!(code, Some(2), "{mode:o}: {text}");
        assert!(text.contains("chmod 600"), "{text}");

        // Who names it means it.
        let (code, _) = status(&["--profile", "strongroom.toml"]);
        assert_ne!(code, Some(2), "{mode:o}");
    }
    std::fs::set_permissions(&profile, Permissions::from_mode(0o644)).unwrap();
    assert_ne!(status(&[]).0, Some(2));
}

#[test]
fn help_and_manual_show_the_same_form_and_exit_codes() {
    let help = String::from_utf8(strongroom(&["run", "--help"]).stdout).unwrap();
    let manual = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/cli.md");
    let manual = std::fs::read_to_string(manual).unwrap();
    for line in FORM
        .lines()
        .chain(EXIT_CODES.lines())
        .map(str::trim)
        .filter(|l| !l.is_empty())
    {
        assert!(help.contains(line), "`run --help` lacks: {line}");
        assert!(manual.contains(line), "docs/cli.md lacks: {line}");
    }
}

const SERVER: [&str; 5] = [
    "--profile",
    "--url",
    "--api-key-file",
    "--genesis",
    "--genesis-hash",
];

/// An option that does nothing would be taken for one that has its effect.
#[test]
fn a_command_that_asks_no_server_takes_no_server() {
    for command in ["run", "keys", "genesis", "journal"] {
        let help = strongroom(&[command, "--help"]);
        let help = String::from_utf8(help.stdout).unwrap();
        for option in SERVER {
            assert!(!help.contains(option), "{command}: {help}");
        }
    }
    let hash = "ab".repeat(32);
    for option in SERVER {
        let run = ["run", "--roles", "link", "--config", "roles.toml"];
        let before = [&[option, &hash][..], &run].concat();
        let after = [&run[..], &[option, &hash]].concat();
        for line in [before, after, vec![option, &hash, "keys", "show", "a.json"]] {
            let output = strongroom(&line);
            let text = String::from_utf8(output.stderr).unwrap();
            assert_eq!(output.status.code(), Some(2), "{line:?}: {text}");
            assert!(text.contains(option), "{line:?}: {text}");
        }
    }
}

#[test]
fn a_server_may_be_named_before_or_after_the_command() {
    for line in [
        "--profile absent.toml tx list",
        "tx --profile absent.toml list",
        "tx list --profile absent.toml",
        "--profile other.toml tx list --profile absent.toml",
    ] {
        let output = strongroom(&line.split(' ').collect::<Vec<_>>());
        let text = String::from_utf8(output.stderr).unwrap();
        assert!(text.contains("profile absent.toml"), "{line}: {text}");
    }
    let help = strongroom(&["tx", "list", "--help"]);
    let help = String::from_utf8(help.stdout).unwrap();
    assert!(SERVER.iter().all(|option| help.contains(option)), "{help}");
}
