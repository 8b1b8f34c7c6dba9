//! Roles at work: order, readiness, and what happens when one of them cannot start.

use crate::fixture::{Installation, get, told};
use std::net::TcpListener;
use std::time::Duration;
use strongroom::roles::{RoleName, seats, socket_path};
use strongroom_stage::StopFlag;

#[test]
fn without_witnesses_the_api_listens_and_is_not_ready() {
    let installation = Installation::new(1);
    let roles = [
        RoleName::Link,
        RoleName::Writer,
        RoleName::Approvals,
        RoleName::Api,
    ];
    let running = installation.start(&roles).unwrap();
    let address = running.address().unwrap();

    // The replica has entry 0, and no witness has said that it is the newest.
    let pause = StopFlag::new();
    let has_entry = (0..1_000).any(|_| {
        let (status, body) = get(address, "/v1/status");
        assert_eq!(status, 200, "{body}");
        assert!(body.contains("\"fresh\":null"), "{body}");
        !body.contains("\"size\":0") || pause.wait(Duration::from_millis(10))
    });
    assert!(has_entry, "the writer made entry 0");
    let _ = pause.wait(Duration::from_millis(200));
    let (status, body) = get(address, "/v1/vaults");
    assert_eq!(status, 503, "{body}");
    assert!(body.contains("\"code\":\"not_ready\""), "{body}");

    // A signer finds its socket; without one there would never be a head.
    for (seat, _) in seats(&running.parts().genesis) {
        assert!(
            socket_path(&installation.path("run"), &seat).exists(),
            "{seat}"
        );
    }
    assert_eq!(running.failure(), None);
    running.stop();
}

#[test]
fn a_role_that_waits_touches_neither_its_tables_nor_another_roles_database() {
    let installation = Installation::new(1);
    let running = installation
        .start(&[RoleName::Approvals, RoleName::Coordinator])
        .unwrap();
    let _ = StopFlag::new().wait(Duration::from_millis(100));
    let services: Vec<_> = running.parts().services().collect();
    assert_eq!(services.len(), 2);
    for service in services {
        // The list of components, and the table and the row that say whose database it is: nothing
        // of the role yet.
        assert_eq!(service.db.commits(), 3, "{}", service.role);
    }
    assert!(!installation.path("roles/writer").exists());
    running.stop();
}

#[test]
fn a_role_that_cannot_start_leaves_no_other_running() {
    let installation = Installation::new(1);
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let text = installation.config_text().replace("127.0.0.1:0", &address);
    std::fs::write(installation.path("roles.toml"), text).unwrap();

    let error = installation
        .start(&[RoleName::Writer, RoleName::Api])
        .err()
        .unwrap();
    let (code, text) = told(&error);
    assert_eq!(code, 1);
    assert!(
        text.contains(&format!("cannot listen on {address}")),
        "{text}"
    );

    // The writer's lock is free again, so the writer has ended.
    drop(taken);
    installation
        .start(&[RoleName::Writer, RoleName::Api])
        .unwrap()
        .stop();
}

#[test]
fn a_writer_whose_log_key_is_not_the_one_of_genesis_fails_for_good() {
    let installation = Installation::new(1);
    let path = installation.path("secrets/writer.json");
    let mut file: serde_json::Value =
        serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    file["log"] = "ab".repeat(32).into();
    std::fs::write(&path, file.to_string()).unwrap();

    let running = installation.start(&[RoleName::Writer]).unwrap();
    let waiting = StopFlag::new();
    for _ in 0..500 {
        if running.failure().is_some() || waiting.wait(Duration::from_millis(10)) {
            break;
        }
    }
    let failure = running.failure().expect("the writer failed");
    assert!(failure.what.starts_with("writer: "), "{failure}");
    assert_eq!(failure.code, 1);
    running.stop();
}
