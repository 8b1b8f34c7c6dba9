//! What does not start, with which exit code, and what it says.

use crate::install::{Install, program, text};
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use strongroom_journal::{Body, Mode};
use strongroom_ports::db::{Db as _, Migration};
use strongroom_store_sqlite::SqliteDb;
use strongroom_types::Digest;
use strongroom_wire::frame::{FromSigner, ToSigner};

fn refused(install: &Install, number: u8, exit: i32, says: &str) {
    let output = install.run_to_end(number);
    assert_eq!(output.status.code(), Some(exit), "{}", text(&output));
    assert!(text(&output).contains(says), "{}", text(&output));
}

#[test]
fn another_genesis_than_the_pinned_one_does_not_start() {
    let mut install = Install::new();
    install.genesis.created.0 += 1;
    std::fs::write(install.path("genesis.bin"), install.genesis.to_bytes()).unwrap();
    refused(&install, 1, 10, "genesis_mismatch");
}

#[test]
fn another_nodes_keys_do_not_start() {
    let install = Install::new();
    for name in ["signing.key", "witness.key", "sealing.key"] {
        std::fs::copy(install.data(2).join(name), install.data(1).join(name)).unwrap();
    }
    refused(&install, 1, 10, "another signing key");
}

/// Taken for an empty store, it would retire this node's key and get tables of ours.
#[test]
fn hole_store_of_another_program_does_not_start_and_is_left_alone() {
    let install = Install::new();
    let path = install.data(1).join("signer.db");
    std::fs::remove_file(&path).unwrap();
    let theirs = SqliteDb::open(&path).unwrap();
    let mut tx = theirs.begin().unwrap();
    tx.execute("CREATE TABLE notes (a INTEGER)", &[]).unwrap();
    tx.commit().unwrap();
    drop(theirs);

    let before = std::fs::read(&path).unwrap();
    refused(&install, 1, 11, "belongs to another program");
    assert!(std::fs::read(&path).unwrap() == before, "touched");
}

/// Tables that no signer has: a role's database says whose it is in `owner`.
const OWNER: [Migration; 1] = [Migration {
    component: "owner",
    version: 1,
    sql: "CREATE TABLE owner (id {i64} PRIMARY KEY) {strict};",
}];

/// Tables of this program at a version of a later build.
const NEWER: &str = "INSERT INTO schema_version (component, version, sql) VALUES ($1, 99, '')";

/// Taken for a store that was put back, it would retire this node's key for good.
#[test]
fn hole_database_of_a_role_does_not_start_and_is_left_alone() {
    let install = Install::new();
    let (path, kept) = (install.data(1).join("signer.db"), install.path("kept.db"));
    std::fs::rename(&path, &kept).unwrap();
    let theirs = SqliteDb::open(&path).unwrap();
    theirs.migrate(strongroom_signer_core::MIGRATIONS).unwrap();
    theirs.migrate(&OWNER).unwrap();
    drop(theirs);

    let before = std::fs::read(&path).unwrap();
    let belongs = "it has tables of owner: it is not a signer's";
    refused(&install, 1, 11, belongs);
    for command in ["stop", "resume-local"] {
        let data = install.data(1).display().to_string();
        let output = program().args([command, "--data", &data]).output().unwrap();
        assert_eq!(output.status.code(), Some(11), "{}", text(&output));
    }
    assert!(std::fs::read(&path).unwrap() == before, "touched");

    // The true store is put back in its place, and the key is as good as before.
    std::fs::rename(&kept, &path).unwrap();
    drop(install.start(1));
}

#[test]
fn store_of_a_newer_build_does_not_start_and_is_left_alone() {
    for component in ["replica", "signer"] {
        let install = Install::new();
        drop(install.start(1));
        let path = install.data(1).join("signer.db");
        let db = SqliteDb::open(&path).unwrap();
        let mut tx = db.begin().unwrap();
        tx.execute(NEWER, &[component.into()]).unwrap();
        tx.commit().unwrap();
        drop(db);

        let before = std::fs::read(&path).unwrap();
        refused(&install, 1, 11, &format!("{component} is at version 99"));
        assert!(std::fs::read(&path).unwrap() == before, "touched");
    }
}

/// What a build wrote whose state had other keys: its tables are the same but for this comment.
const OTHER_KEYS: &str = "UPDATE schema_version SET sql = REPLACE(sql, '-- keys: ', '-- other: ')
    WHERE component = 'replica' AND version = 1 AND sql LIKE '%-- keys: %'";

/// Its rows would be read as something else, and nothing would notice it.
#[test]
fn store_whose_state_has_other_keys_does_not_start_and_is_left_alone() {
    let install = Install::new();
    drop(install.start(1));
    let path = install.data(1).join("signer.db");
    let db = SqliteDb::open(&path).unwrap();
    let mut tx = db.begin().unwrap();
    assert_eq!(tx.execute(OTHER_KEYS, &[]).unwrap(), 1);
    tx.commit().unwrap();
    drop(db);

    let before = std::fs::read(&path).unwrap();
    let changed = "migration replica 1: its text changed after it was applied";
    refused(&install, 1, 11, changed);
    assert!(std::fs::read(&path).unwrap() == before, "touched");
}

/// This build would make other keys, or read other effects, than that for which genesis was made.
#[test]
fn a_build_that_reads_a_chain_by_another_row_does_not_start() {
    let mut install = Install::new();
    install.genesis.chains[0].row = Digest([7; 32]);
    std::fs::write(install.path("genesis.bin"), install.genesis.to_bytes()).unwrap();
    install.configure(1, "");
    refused(&install, 1, 10, "[unsupported]");
}

#[test]
fn a_production_genesis_refuses_software_keys() {
    let mut install = Install::new();
    install.genesis.mode = Mode::Production;
    install.genesis.bounds = strongroom_journal::Bounds::production();
    std::fs::write(install.path("genesis.bin"), install.genesis.to_bytes()).unwrap();
    install.configure(1, "");
    refused(
        &install,
        1,
        1,
        "software key protection is for development only",
    );
}

/// Files of a node's database.
struct DatabaseCopy {
    data: PathBuf,
    files: Vec<(std::ffi::OsString, Vec<u8>)>,
}

impl DatabaseCopy {
    fn of(install: &Install, number: u8) -> Self {
        let data = install.data(number);
        let names = Self::names(&data);
        let read =
            |name: std::ffi::OsString| (name.clone(), std::fs::read(data.join(name)).unwrap());
        let files = names.into_iter().map(read).collect();
        Self { data, files }
    }

    fn names(data: &Path) -> Vec<std::ffi::OsString> {
        let entries = std::fs::read_dir(data).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name());
        names
            .filter(|name| name.to_str().unwrap().starts_with("signer.db"))
            .collect()
    }

    fn put_back(&self) {
        for name in Self::names(&self.data) {
            std::fs::remove_file(self.data.join(name)).unwrap();
        }
        for (name, bytes) in &self.files {
            std::fs::write(self.data.join(name), bytes).unwrap();
        }
    }
}

/// Nothing on this machine tells it from a restart: what the link shows first does.
#[test]
fn hole_a_database_that_was_put_back_with_its_marker_ends_by_its_own_cosignature() {
    let mut install = Install::new();
    let (one, two) = (install.order(Body::Tick), install.order(Body::Tick));
    let mut running = install.start(1);
    running.next();
    running.send(&ToSigner::Batch(one));
    assert!(matches!(running.next(), FromSigner::Cosignature(_)));
    drop(running);
    let (copy, marker) = (
        DatabaseCopy::of(&install, 1),
        std::fs::read(install.path("node-1.marker")).unwrap(),
    );

    let mut running = install.start(1);
    running.next();
    running.send(&ToSigner::Batch(two.clone()));
    let FromSigner::Cosignature(forgotten) = running.next() else {
        panic!("a cosignature")
    };
    drop(running);
    copy.put_back();
    std::fs::write(install.path("node-1.marker"), marker).unwrap();

    // The entries that follow are not cosigned a second time, and a service manager is told not to
    // start it again.
    let mut running = install.start(1);
    assert_eq!(running.next(), FromSigner::Hello { next_seq: 2 });
    running.send(&ToSigner::Cosignature(forgotten));
    running.send(&ToSigner::Batch(two));
    assert_eq!(running.end(), (Some(12), Vec::new()));
    let log = std::fs::read_to_string(install.log(1)).unwrap();
    assert!(log.contains("[signer_retired]"), "{log}");
    refused(&install, 1, 12, "signer_retired");
}

/// What it would cosign then would be the newest record under its key, in place of one that it has
/// forgotten.
#[test]
fn a_node_cosigns_nothing_before_the_link_has_shown_it_its_newest_cosignature() {
    let mut install = Install::new();
    let batch = install.order(Body::Tick);
    let mut running = install.start(1);
    running.next();
    running.send(&ToSigner::Batch(batch));
    assert!(matches!(running.next(), FromSigner::Cosignature(_)));
    drop(running);

    // A cosignature is due at its first tick.
    let db = SqliteDb::open(&install.data(1).join("signer.db")).unwrap();
    let mut tx = db.begin().unwrap();
    tx.execute(
        "UPDATE journal_witness SET cosigned_s = cosigned_s - 60",
        &[],
    )
    .unwrap();
    tx.commit().unwrap();
    drop(db);

    let mut running = install.start(1);
    assert_eq!(running.next(), FromSigner::Hello { next_seq: 2 });
    assert!(running.is_silent_for(std::time::Duration::from_millis(500)));
    running.send(&ToSigner::Cosignature(b"any frame".to_vec()));
    assert!(matches!(running.next(), FromSigner::Cosignature(_)));
}

#[test]
fn a_restored_data_folder_is_retired() {
    let mut install = Install::new();
    let batch = install.order(Body::Tick);
    let mut running = install.start(1);
    running.next();
    running.send(&ToSigner::Batch(batch));
    assert!(matches!(running.next(), FromSigner::Cosignature(_)));
    drop(running);
    let copy = DatabaseCopy::of(&install, 1);
    drop(install.start(1));
    copy.put_back();
    refused(&install, 1, 12, "signer_retired");
    refused(&install, 1, 12, "signer_retired");
}

#[test]
fn a_lost_database_is_retired() {
    let install = Install::new();
    drop(install.start(1));
    std::fs::remove_file(install.data(1).join("signer.db")).unwrap();
    let _ = std::fs::remove_file(install.data(1).join("signer.db-wal"));
    let _ = std::fs::remove_file(install.data(1).join("signer.db-shm"));
    refused(&install, 1, 12, "signer_retired");
}

#[test]
fn hole_1_7_a_lost_database_with_a_lost_marker_is_not_a_first_start() {
    let install = Install::new();
    drop(install.start(1));
    for name in ["signer.db", "signer.db-wal", "signer.db-shm"] {
        let _ = std::fs::remove_file(install.data(1).join(name));
    }
    std::fs::remove_file(install.path("node-1.marker")).unwrap();
    refused(&install, 1, 12, "signer_retired");
    refused(&install, 1, 12, "signer_retired");
}

#[test]
fn a_node_whose_marker_is_missing_at_its_first_start_is_retired() {
    let install = Install::new();
    std::fs::remove_file(install.path("node-1.marker")).unwrap();
    refused(&install, 1, 12, "signer_retired");
}

/// `init` in the installation's folder, with paths relative to it.
fn init(install: &Install, data: &str, marker: &str) -> std::process::Output {
    program()
        .current_dir(install.folder.path())
        .args(["init", "--data", data, "--marker", marker])
        .output()
        .unwrap()
}

#[test]
fn the_marker_is_made_by_init_where_it_says_and_never_inside_of_the_data_folder() {
    let install = Install::new();
    let made = init(&install, "node-8", "boot/marker-8");
    assert!(made.status.success(), "{}", text(&made));
    assert_eq!(
        std::fs::read(install.path("boot/marker-8")).unwrap().len(),
        16
    );

    std::os::unix::fs::symlink(install.path("node-9"), install.path("link-9")).unwrap();
    let data = install.path("node-9");
    for (relative, marker) in [
        ("node-9", "./node-9/m"),
        ("./node-9", "node-9/m"),
        ("node-9", "boot/../node-9/m"),
        ("node-9", data.join("m").to_str().unwrap()),
        ("node-9", "link-9/m"),
        ("link-9", "node-9/m"),
    ] {
        // Nothing is written; the second time the folder is there already.
        for there in [false, true] {
            if there {
                std::fs::create_dir(&data).unwrap();
                std::fs::set_permissions(&data, Permissions::from_mode(0o700)).unwrap();
            }
            let refused = init(&install, relative, marker);
            assert!(!refused.status.success(), "{relative}, {marker}");
            let is_left = std::fs::read_dir(&data).is_ok_and(|mut files| files.next().is_some());
            assert!(!is_left && data.exists() == there, "{relative}, {marker}");
            if there {
                assert!(text(&refused).contains("outside"), "{}", text(&refused));
                std::fs::remove_dir(&data).unwrap();
            }
        }
    }
}

#[test]
fn the_marker_of_another_node_is_not_taken_by_init() {
    let install = Install::new();
    let before = std::fs::read(install.path("node-1.marker")).unwrap();
    let refused = init(&install, "node-9", "node-1.marker");
    assert!(!refused.status.success());
    assert!(
        text(&refused).contains("another node needs"),
        "{}",
        text(&refused)
    );
    assert!(!install.path("node-9").exists());
    assert_eq!(
        std::fs::read(install.path("node-1.marker")).unwrap(),
        before
    );
    drop(install.start(1));
}

#[test]
fn a_damaged_store_does_not_start() {
    let mut install = Install::new();
    let batch = install.order(Body::Tick);
    let mut running = install.start(1);
    running.next();
    running.send(&ToSigner::Batch(batch));
    running.next();
    drop(running);
    let path = install.data(1).join("signer.db");
    std::fs::write(&path, vec![0x5a; 16_384]).unwrap();
    let _ = std::fs::remove_file(install.data(1).join("signer.db-wal"));
    refused(&install, 1, 11, "store_corrupt");
}

#[test]
fn a_second_process_on_one_folder_does_not_start() {
    let install = Install::new();
    let mut running = install.start(1);
    running.next();
    refused(&install, 1, 15, "another process");
}

#[test]
fn files_that_others_can_read_are_refused() {
    let install = Install::new();
    let set = |path: &Path, mode| {
        std::fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    };
    let key = install.data(1).join("witness.key");
    for mode in [0o640, 0o620, 0o604, 0o602] {
        set(&key, mode);
        refused(&install, 1, 1, "others can read it");
    }
    for mode in [0o755, 0o770, 0o750, 0o720, 0o705, 0o701] {
        set(&install.data(2), mode);
        refused(&install, 2, 1, "others can enter it");
    }
}

/// Keys would be made where another user can replace them.
#[test]
fn init_makes_no_keys_in_a_folder_that_others_can_enter() {
    let install = Install::new();
    let data = install.path("node-9");
    std::fs::create_dir(&data).unwrap();
    std::fs::set_permissions(&data, Permissions::from_mode(0o755)).unwrap();
    let refused = init(&install, "node-9", "node-9.marker");
    assert!(!refused.status.success());
    assert!(text(&refused).contains("others can enter it"));
    assert_eq!(std::fs::read_dir(&data).unwrap().count(), 0);
}

#[test]
fn a_configuration_that_is_not_understood_is_refused() {
    let install = Install::new();
    install.configure(1, "unknown = 1\n");
    refused(&install, 1, 14, "unknown");
    install.configure(1, "network = \"mainnet\"\n");
    refused(&install, 1, 14, "network");
    for marker in ["node-1/marker", "boot/../node-1/marker", "link-1/marker"] {
        let _ = std::os::unix::fs::symlink(install.data(1), install.path("link-1"));
        install.configure(1, &format!("marker = \"{marker}\"\n"));
        refused(&install, 1, 14, "outside");
    }
    std::fs::remove_file(install.path("node-1.toml")).unwrap();
    refused(&install, 1, 14, "cannot read");
}
