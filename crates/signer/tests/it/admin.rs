//! An operator at their own signer.

use crate::cluster::Cluster;
use strongroom_signer_core::{resume_local, stopped_since};
use strongroom_types::Code;
use strongroom_wire::frame::{AdminReply, AdminRequest};

#[test]
fn a_local_stop_refuses_everything_over_restarts_until_it_is_resumed() {
    let mut cluster = Cluster::ready();
    let payment = cluster.authorized(300_000, &[]);
    cluster.assert_signs(1, &payment);
    let request = cluster.request(&payment, &[1, 2]);
    let now = cluster.now;
    assert_eq!(
        cluster.signer(1).node().admin(AdminRequest::Stop, now),
        AdminReply::Done
    );
    assert_eq!(cluster.ask(1, &request).code(), Code::StoppedLocally);
    assert_eq!(cluster.refused_commitments(1), Code::StoppedLocally);
    cluster.signer(1).start(now).unwrap();
    cluster.wait(15_000);
    assert_eq!(cluster.ask(1, &request).code(), Code::StoppedLocally);
    assert_eq!(cluster.status(1)["stopped"], "yes");
    assert_eq!(
        cluster.status(1)["silent"],
        "no",
        "a stopped signer is still a witness"
    );
    cluster.assert_signs(2, &payment);
    let disk = cluster.signer(1).disk.clone();
    assert_eq!(stopped_since(disk.as_ref()).unwrap(), Some(now));
    assert!(resume_local(disk.as_ref()).unwrap());
    assert!(
        !resume_local(disk.as_ref()).unwrap(),
        "there was nothing more to remove"
    );
    assert_eq!(
        cluster.ask(1, &request).code(),
        Code::StoppedLocally,
        "a running process stays stopped"
    );
    let now = cluster.now;
    cluster.signer(1).start(now).unwrap();
    cluster.wait(15_000);
    cluster.assert_signs(1, &payment);
}

#[test]
fn a_stop_that_cannot_be_stored_stops_all_the_same() {
    let mut cluster = Cluster::ready();
    let now = cluster.now;
    cluster
        .signer(1)
        .disk
        .full
        .store(true, std::sync::atomic::Ordering::Relaxed);
    let reply = cluster.signer(1).node().admin(AdminRequest::Stop, now);
    let AdminReply::Refused(text) = reply else {
        panic!("not durable")
    };
    assert!(text.starts_with("disk_full"), "{text}");
    assert!(cluster.signer(1).node().tick(now).is_err());
}

#[test]
fn the_status_says_where_the_signer_stands() {
    let mut cluster = Cluster::ready();
    let words = strongroom_types::words::words(&cluster.world.genesis.hash()).join(" ");
    let (size, status) = (cluster.size().to_string(), cluster.status(2));
    let wanted = [
        ("role", "signer 2"),
        ("genesis_words", words.as_str()),
        ("tip", size.as_str()),
        ("witnessed", size.as_str()),
        ("cosigned", size.as_str()),
        ("keys_active", "1"),
        ("keys_candidate", "0"),
        ("held", "0"),
        ("stopped", "no"),
        ("retired", "no"),
        ("halted", "no"),
    ];
    for (name, value) in wanted {
        assert_eq!(status[name], value, "{name}");
    }
    assert_eq!(status["fresh"], format!("yes, up to {size}"));
}
