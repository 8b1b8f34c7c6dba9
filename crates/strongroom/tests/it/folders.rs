//! A role's folder belongs to one process, and its database to one installation and role.

use crate::fixture::{Installation, SERVICES, adapters, told};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use strongroom::folder::{Claim, check_database, claim_database};
use strongroom::roles::{RoleName, seats, socket_path};
use strongroom_ports::db::{Db as _, Migration};
use strongroom_store_sqlite::SqliteDb;

#[test]
fn a_second_process_on_a_roles_folder_is_refused() {
    let installation = Installation::new(1);
    let running = installation.start(&[RoleName::Approvals]).unwrap();
    let error = installation
        .start(&[RoleName::Writer, RoleName::Approvals])
        .err()
        .unwrap();
    let (code, text) = told(&error);
    assert_eq!(code, 15);
    assert!(
        text.contains("role approvals: another process runs on"),
        "{text}"
    );
    assert!(
        !installation.path("roles/writer/store.sqlite").exists(),
        "no database was opened"
    );

    // The lock ends with the process that holds it.
    running.stop();
    installation.start(&[RoleName::Approvals]).unwrap().stop();
}

/// It would unlink the sockets of the first, whose signers would then speak to the second bus.
#[test]
fn hole_second_process_on_the_socket_folder_is_refused() {
    let installation = Installation::new(1);
    let running = installation.start(&[RoleName::Link]).unwrap();
    let inode = |path: &Path| path.metadata().unwrap().ino();
    let (seat, _) = seats(&running.parts().genesis).remove(0);
    let socket = socket_path(&installation.path("run"), &seat);
    let before = inode(&socket);

    // Another configuration with folders and a bus of its own, and the same sockets.
    let text = installation.config_text();
    let text = text.replace("\"roles\"", "\"others\"");
    let text = text.replace("\"bus.sqlite\"", "\"other-bus.sqlite\"");
    std::fs::write(installation.path("roles.toml"), text).unwrap();
    let roles = [RoleName::Link, RoleName::Writer];
    let (code, text) = told(&installation.refused(&roles));
    assert_eq!(code, 15);
    let run = installation.path("run").display().to_string();
    let named = format!("role link: another process runs on {run}");
    assert!(text.starts_with(&named), "{text}");
    assert_eq!(inode(&socket), before, "the socket was replaced");

    running.stop();
    installation.start(&roles).unwrap().stop();
}

#[test]
fn a_database_of_another_installation_is_refused_and_left_alone() {
    let (ours, theirs) = (Installation::new(1), Installation::new(2));
    for installation in [&ours, &theirs] {
        installation.start(&[RoleName::Approvals]).unwrap().stop();
    }
    let database = "roles/approvals/store.sqlite";
    std::fs::copy(theirs.path(database), ours.path(database)).unwrap();
    let (code, text) = told(&ours.refused(&[RoleName::Approvals]));
    assert_eq!(code, 11);
    let owner = format!(
        "belongs to another installation, genesis {}",
        theirs.genesis
    );
    assert!(text.contains(&owner), "{text}");
}

#[test]
fn a_database_of_another_role_is_refused_and_left_alone() {
    let installation = Installation::new(1);
    installation.start(&[RoleName::Approvals]).unwrap().stop();
    std::fs::create_dir_all(installation.path("roles/coordinator")).unwrap();
    std::fs::copy(
        installation.path("roles/approvals/store.sqlite"),
        installation.path("roles/coordinator/store.sqlite"),
    )
    .unwrap();
    let (code, text) = told(&installation.refused(&[RoleName::Coordinator]));
    assert_eq!(code, 11);
    assert!(
        text.contains("role coordinator: its database belongs to role approvals"),
        "{text}"
    );
}

/// Tables of a component that rows may be in.
const JOURNAL: [Migration; 1] = [Migration {
    component: "journal",
    version: 1,
    sql: "CREATE TABLE entry (seq {i64} PRIMARY KEY) {strict};",
}];

fn components(db: &SqliteDb) -> Vec<String> {
    let mut tx = db.begin().unwrap();
    let sql = "SELECT component FROM schema_version ORDER BY component";
    let rows = tx.query(sql, &[]).unwrap();
    let names = rows.iter().map(|row| row.text(0).unwrap().to_owned());
    names.collect()
}

/// Claimed, its rows would count as this installation's, whatever they were made for.
#[test]
fn hole_database_with_tables_and_no_owner_is_refused_and_left_alone() {
    let installation = Installation::new(1);
    std::fs::create_dir_all(installation.path("roles/approvals")).unwrap();
    let path = installation.path("roles/approvals/store.sqlite");
    let db = SqliteDb::open(&path).unwrap();
    db.migrate(&JOURNAL).unwrap();
    drop(db);

    let (code, text) = told(&installation.refused(&[RoleName::Approvals]));
    assert_eq!(code, 11);
    let owner =
        "role approvals: its database belongs to an unknown owner: it has tables of journal";
    assert!(text.contains(owner), "{text}");
    let db = SqliteDb::open(&path).unwrap();
    assert_eq!(components(&db), ["journal"]);
}

/// Not even the list of components is made in it: the other program would find a table it never
/// made.
#[test]
fn hole_database_of_another_program_is_refused_and_left_alone() {
    let installation = Installation::new(1);
    std::fs::create_dir_all(installation.path("roles/approvals")).unwrap();
    let db = SqliteDb::open(&installation.path("roles/approvals/store.sqlite")).unwrap();
    let mut tx = db.begin().unwrap();
    tx.execute("CREATE TABLE notes (a INTEGER)", &[]).unwrap();
    tx.commit().unwrap();
    drop(db);

    let (code, text) = told(&installation.refused(&[RoleName::Approvals]));
    assert_eq!(code, 11);
    let owner = "it belongs to another program or an older build";
    assert!(text.contains(owner), "{text}");
}

#[test]
fn hole_database_that_lost_the_row_of_its_owner_is_refused() {
    let installation = Installation::new(1);
    installation.start(&[RoleName::Approvals]).unwrap().stop();
    let db = SqliteDb::open(&installation.path("roles/approvals/store.sqlite")).unwrap();
    db.migrate(&JOURNAL).unwrap();
    let mut tx = db.begin().unwrap();
    tx.execute("DELETE FROM owner", &[]).unwrap();
    tx.commit().unwrap();
    drop(db);
    let (code, _) = told(&installation.refused(&[RoleName::Approvals]));
    assert_eq!(code, 11);
}

/// The process may die between the table for the owner and its row.
#[test]
fn database_with_nothing_but_an_empty_owner_table_is_claimed() {
    let installation = Installation::new(1);
    installation.start(&[RoleName::Approvals]).unwrap().stop();
    let db = SqliteDb::open(&installation.path("roles/approvals/store.sqlite")).unwrap();
    let mut tx = db.begin().unwrap();
    tx.execute("DELETE FROM owner", &[]).unwrap();
    tx.execute("DELETE FROM schema_version WHERE component <> 'owner'", &[])
        .unwrap();
    tx.commit().unwrap();
    let claim = || check_database(&db, installation.genesis, RoleName::Approvals).unwrap();
    assert_eq!(claim(), Claim::Open);
    claim_database(&db, installation.genesis, RoleName::Approvals).unwrap();
    assert_eq!(claim(), Claim::Made);
}

#[test]
fn a_damaged_database_is_refused() {
    let installation = Installation::new(1);
    std::fs::create_dir_all(installation.path("roles/approvals")).unwrap();
    std::fs::write(installation.path("roles/approvals/store.sqlite"), [7; 8192]).unwrap();
    let (code, text) = told(&installation.refused(&[RoleName::Approvals]));
    assert_eq!(code, 11, "{text}");
    assert!(text.contains("role approvals: its database"), "{text}");
}

/// A role that went on with rows of a newer build would misread them, and the roles that start
/// before it would have written already.
#[test]
fn tables_of_a_newer_build_are_refused_before_any_role_starts() {
    // It is opened after the databases were looked at, so never.
    let mut adapters = adapters();
    let open = |_: &_, _: &_| anyhow::bail!("the gateway was opened");
    adapters.gateways.insert("dev", Box::new(open));
    let roles = SERVICES.map(|(role, _)| role);

    for (role, component) in [
        (RoleName::Writer, "replica"),
        (RoleName::Writer, "stage"),
        (RoleName::Approvals, "approvals"),
        (RoleName::Coordinator, "stage"),
        (RoleName::Transactions, "transactions"),
        (RoleName::Api, "api"),
        (RoleName::Api, "owner"),
    ] {
        let installation = Installation::new(1);
        for role in roles {
            let path = installation.path(&format!("roles/{role}/store.sqlite"));
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            let db = SqliteDb::open(&path).unwrap();
            claim_database(&db, installation.genesis, role).unwrap();
        }
        let path = installation.path(&format!("roles/{role}/store.sqlite"));
        let db = SqliteDb::open(&path).unwrap();
        let mut tx = db.begin().unwrap();
        let newer = "INSERT INTO schema_version (component, version, sql) VALUES ($1, 99, '')";
        tx.execute(newer, &[component.into()]).unwrap();
        tx.commit().unwrap();
        drop(db);

        let (code, text) = told(&installation.refused_on(&roles, &adapters));
        assert_eq!(code, 11, "{text}");
        let named = format!("role {role}: its database: ");
        assert!(text.starts_with(&named), "{text}");
        assert!(
            text.contains(&format!("{component} is at version 99")),
            "{text}"
        );
    }
}

/// A role that starts before the one that is refused gets no row of its own either.
#[test]
fn no_database_is_claimed_before_all_were_looked_at() {
    let (ours, theirs) = (Installation::new(1), Installation::new(2));
    theirs.start(&[RoleName::Approvals]).unwrap().stop();
    std::fs::create_dir_all(ours.path("roles/approvals")).unwrap();
    let database = "roles/approvals/store.sqlite";
    std::fs::copy(theirs.path(database), ours.path(database)).unwrap();

    let roles = [RoleName::Writer, RoleName::Approvals];
    let (code, _) = told(&ours.start(&roles).err().unwrap());
    assert_eq!(code, 11);
    let db = SqliteDb::open(&ours.path("roles/writer/store.sqlite")).unwrap();
    assert!(components(&db).is_empty(), "claimed");
}
