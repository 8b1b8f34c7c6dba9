//! A role's folder belongs to one process, and its database to one installation and role.

use crate::fixture::{Installation, told};
use strongroom::roles::RoleName;

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

#[test]
fn a_damaged_database_is_refused() {
    let installation = Installation::new(1);
    std::fs::create_dir_all(installation.path("roles/approvals")).unwrap();
    std::fs::write(installation.path("roles/approvals/store.sqlite"), [7; 8192]).unwrap();
    let (code, text) = told(&installation.refused(&[RoleName::Approvals]));
    assert_eq!(code, 11, "{text}");
    assert!(text.contains("role approvals: its database"), "{text}");
}
