//! A new chain is one crate and three lines: the probe is registered in a copy of the tree.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Files that exist already and may change for a new chain.
const EXISTING_MAX: usize = 3;
/// Where this crate lies, and where a chain's crate belongs.
const HERE: &str = "testkit/chain-probe/";
const THERE: &str = "crates/adapters/chain-probe/";

fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap().to_path_buf()
}

fn target() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR"))
        .parent()
        .unwrap()
        .to_path_buf()
}

/// Runs a command and gives what it printed.
fn run(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let (out, err) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(output.status.success(), "{command:?}\n{out}\n{err}");
    out.into_owned()
}

/// Copies what git knows, with this crate in an adapter's place. Unchanged files are not written,
/// so that a second run checks only what has changed.
fn copy_to(tree: &Path) -> BTreeSet<String> {
    let listed = run(Command::new("git")
        .current_dir(root())
        .args(["ls-files", "-z"]));
    let mut kept = BTreeSet::new();
    for file in listed.split_terminator('\0') {
        let Ok(bytes) = fs::read(root().join(file)) else {
            // Deleted and not yet committed.
            continue;
        };
        let place = match file.strip_prefix(HERE) {
            Some(inner) => format!("{THERE}{inner}"),
            None => file.to_owned(),
        };
        let to = tree.join(&place);
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        if fs::read(&to).ok().as_ref() != Some(&bytes) {
            fs::write(&to, bytes).unwrap();
        }
        kept.insert(place);
    }
    assert!(
        kept.iter().any(|file| file.starts_with(THERE)),
        "run `git add` first"
    );
    remove_others(tree, tree, &kept);
    kept
}

fn remove_others(tree: &Path, folder: &Path, kept: &BTreeSet<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            remove_others(tree, &path, kept);
            // Cargo reads a folder of the workspace's patterns as a member.
            if fs::read_dir(&path).unwrap().next().is_none() {
                fs::remove_dir(&path).unwrap();
            }
        } else if !kept.contains(path.strip_prefix(tree).unwrap().to_str().unwrap()) {
            fs::remove_file(&path).unwrap();
        }
    }
}

fn git_apply(tree: &Path, mode: &[&str]) -> String {
    run(Command::new("git")
        .current_dir(tree)
        // The copy lies inside of a working tree, which is not to be patched.
        .env("GIT_CEILING_DIRECTORIES", tree.parent().unwrap())
        .arg("apply")
        .args(mode)
        .args(["-C1", &format!("{THERE}register.patch")]))
}

/// Cargo in the copy, on the libraries that are compiled already. A wrapper that does nothing is part
/// of the fingerprint of the workspace's own crates: without it those of the copy would pass for
/// ours, since cargo knows a member by its place below the root.
fn cargo(tree: &Path) -> Command {
    let mut cargo = Command::new(env!("CARGO"));
    cargo
        .current_dir(tree)
        .env("CARGO_TARGET_DIR", target())
        .env("RUSTC_WORKSPACE_WRAPPER", "env")
        .arg("--offline");
    cargo
}

#[test]
fn a_new_chain_is_one_crate_and_at_most_three_existing_files() {
    let tree = target().join("chain-probe-tree");
    fs::create_dir_all(&tree).unwrap();
    let before = copy_to(&tree);

    let numstat = git_apply(&tree, &["--numstat"]);
    let touched: Vec<&str> = numstat
        .lines()
        .map(|line| line.rsplit('\t').next().unwrap())
        .filter(|file| before.contains(*file) && !file.starts_with(THERE))
        .collect();
    println!("existing files that change: {touched:?}");
    assert!((1..=EXISTING_MAX).contains(&touched.len()), "{touched:?}");

    git_apply(&tree, &[]);
    // All of the workspace, as everywhere: what is shared is then compiled already.
    run(cargo(&tree).args(["check", "--workspace", "--all-targets"]));

    // The programs read the new chain, and the rings take its crate for what it is.
    for program in ["strongroom", "strongroom-signer"] {
        let links = run(cargo(&tree).args(["tree", "-p", program, "-e", "normal"]));
        assert!(links.contains("strongroom-chain-probe"), "{program}");
    }
    run(cargo(&tree).args(["build", "--workspace", "--bin", "xtask"]));
    run(Command::new(target().join("debug/xtask"))
        .current_dir(&tree)
        .arg("check-layers"));
}
