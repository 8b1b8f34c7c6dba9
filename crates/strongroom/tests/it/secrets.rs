//! A secrets file per role, of this installation and this role alone.

use crate::fixture::{Installation, SERVICES, told};
use serde_json::{Value, json};
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use strongroom::roles::RoleName;
use strongroom::secrets::{RoleSecrets, file_of};

/// Changes a role's secrets file; what starting the role is then told.
fn refused(role: RoleName, change: impl Fn(&mut Value)) -> String {
    let installation = Installation::new(1);
    let path = file_of(&installation.path("secrets"), role);
    let mut file: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    change(&mut file);
    std::fs::write(&path, file.to_string()).unwrap();
    let (code, text) = told(&installation.refused(&[role]));
    assert_eq!(code, 16, "{text}");
    assert!(
        text.starts_with(&format!("role {role}: secrets file ")),
        "{text}"
    );
    text
}

#[test]
fn every_role_reads_back_what_was_saved() {
    let installation = Installation::new(1);
    for (role, _) in SERVICES {
        let folder = installation.path("secrets");
        let opened = RoleSecrets::open(&folder, role, installation.genesis).unwrap();
        let saved = installation.secrets_of(role);
        assert_eq!((opened.node, *opened.seed), (saved.node, *saved.seed));
        let mode = file_of(&folder, role)
            .metadata()
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
        assert!(
            saved.save(&folder, role, installation.genesis).is_err(),
            "never overwritten"
        );
    }
}

#[test]
fn a_missing_file_and_one_that_others_can_read_are_refused() {
    let installation = Installation::new(1);
    let path = file_of(&installation.path("secrets"), RoleName::Approvals);
    std::fs::set_permissions(&path, Permissions::from_mode(0o640)).unwrap();
    let (code, text) = told(&installation.refused(&[RoleName::Approvals]));
    assert_eq!(code, 16);
    assert!(
        text.contains("mode 640") && text.contains("chmod 600"),
        "{text}"
    );

    std::fs::remove_file(&path).unwrap();
    let (code, text) = told(&installation.refused(&[RoleName::Approvals]));
    assert_eq!(code, 16);
    assert!(text.contains("approvals.json: No such file"), "{text}");
}

#[test]
fn a_file_of_another_installation_is_refused() {
    let other = Installation::new(2).genesis.to_string();
    let text = refused(RoleName::Approvals, |file| file["genesis"] = json!(other));
    assert!(
        text.contains(&format!("another installation, genesis {other}")),
        "{text}"
    );
}

#[test]
fn a_file_of_another_role_is_refused() {
    let text = refused(RoleName::Approvals, |file| {
        file["role"] = json!("coordinator")
    });
    assert!(text.contains("belongs to role coordinator"), "{text}");
}

#[test]
fn the_log_key_is_in_the_writers_file_and_in_no_other() {
    let text = refused(RoleName::Writer, |file| {
        drop(file.as_object_mut().unwrap().remove("log"))
    });
    assert!(text.contains("`log` is missing"), "{text}");
    for role in [RoleName::Api, RoleName::Approvals, RoleName::Coordinator] {
        let text = refused(role, |file| file["log"] = json!("ab".repeat(32)));
        assert!(
            text.contains("`log` belongs into the writer's file only"),
            "{text}"
        );
    }
}

#[test]
fn bearer_keys_are_in_the_apis_file_and_in_no_other() {
    let remove = |file: &mut Value| drop(file.as_object_mut().unwrap().remove("bearer_keys"));
    assert!(refused(RoleName::Api, remove).contains("`bearer_keys` is missing"));
    let text = refused(RoleName::Api, |file| {
        file["bearer_keys"][0]["sha256"] = json!("short")
    });
    assert!(text.contains("`bearer_keys`: not a SHA-256"), "{text}");
    for role in [RoleName::Writer, RoleName::Approvals] {
        let text = refused(role, |file| file["bearer_keys"] = json!([]));
        assert!(
            text.contains("`bearer_keys` belongs into the api's file only"),
            "{text}"
        );
    }
}

#[test]
fn no_error_and_no_debug_text_shows_a_value_of_the_file() {
    let secret = "5ec4e7".repeat(10);
    for change in [
        json!({"seed": secret.clone()}),
        json!({"seed": [secret.clone()]}),
        json!({"node": secret.clone()}),
        json!({"role": secret.clone()}),
        json!({"unknown": secret.clone()}),
    ] {
        let (member, value) = change.as_object().unwrap().iter().next().unwrap();
        let text = refused(RoleName::Approvals, |file| file[member] = value.clone());
        assert!(!text.contains("5ec4e7"), "{text}");
    }
    for (role, _) in SERVICES {
        let secrets = Installation::new(1).secrets_of(role);
        let shown = format!("{secrets:?}");
        assert!(
            !shown.contains(&hex::encode(secrets.seed.as_slice())),
            "{shown}"
        );
        assert!(shown.ends_with(", ..)"), "{shown}");
    }
}
