//! A node at work: hello, entries, cosignatures, the operator.

use crate::install::{Install, program, text};
use std::io::Write as _;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::sync::atomic::{AtomicBool, Ordering};
use strongroom_journal::Body;
use strongroom_wire::frame::{FromSigner, ToSigner, write_frame};
use strongroom_wire::{Role, WitnessCosignature, encode, open};

#[test]
fn a_node_says_hello_follows_cosigns_and_goes_on_after_a_kill() {
    let mut install = Install::new();
    let batch = install.order(Body::Tick);
    for number in [1, 3] {
        let mut running = install.start(number);
        assert_eq!(running.next(), FromSigner::Hello { next_seq: 0 });
        running.send(&ToSigner::Batch(batch.clone()));
        let FromSigner::Cosignature(sealed) = running.next() else {
            panic!("a cosignature")
        };
        let registered = install.writer.state().registered().clone();
        let envelope = open(&sealed, registered.as_ref(), &[Role::Signer, Role::Witness]).unwrap();
        let cosignature: WitnessCosignature = envelope.payload().unwrap();
        assert_eq!(cosignature.body, install.writer.tip().body);
        running.reconnect();
        assert_eq!(running.next(), FromSigner::Hello { next_seq: 2 });
        running.child.kill().unwrap();
        drop(running);
        let mut again = install.start(number);
        assert_eq!(again.next(), FromSigner::Hello { next_seq: 2 });
    }
}

#[test]
fn entries_with_a_gap_make_it_connect_again_and_ask() {
    let mut install = Install::new();
    let (first, second) = (install.order(Body::Tick), install.order(Body::Tick));
    let mut running = install.start(1);
    assert_eq!(running.next(), FromSigner::Hello { next_seq: 0 });
    running.send(&ToSigner::Batch(second.clone()));
    running.reconnect();
    assert_eq!(running.next(), FromSigner::Hello { next_seq: 0 });
    running.send(&ToSigner::Batch(first));
    running.send(&ToSigner::Batch(second));
    assert!(matches!(running.next(), FromSigner::Cosignature(_)));
}

#[test]
fn bytes_that_are_not_a_frame_end_the_connection_and_not_the_node() {
    let install = Install::new();
    let mut running = install.start(1);
    assert_eq!(running.next(), FromSigner::Hello { next_seq: 0 });
    running.stream.write_all(&[0, 0, 0, 2, 0xff, 0xff]).unwrap();
    running.reconnect();
    assert_eq!(running.next(), FromSigner::Hello { next_seq: 0 });
    running.send(&ToSigner::Batch(vec![1, 2, 3]));
    running.send(&ToSigner::Inbox(vec![]));
    let status = install.local(1, &["status"]);
    assert!(
        status.status.success() && text(&status).contains("role: signer 1"),
        "{}",
        text(&status)
    );
}

#[test]
fn status_stop_and_resume_work_at_the_admin_socket_and_without_it() {
    let install = Install::new();
    let mut running = install.start(2);
    running.next();
    let socket = std::fs::metadata(install.data(2).join("admin.sock")).unwrap();
    assert!(socket.file_type().is_socket());
    assert_eq!(socket.mode() & 0o777 & 0o077, 0, "no one else");
    let words = strongroom_types::words::words(&install.genesis.hash()).join(" ");
    let status = text(&install.local(2, &["status"]));
    assert!(
        status.contains(&format!("genesis_words: {words}")) && status.contains("stopped: no"),
        "{status}"
    );
    assert!(install.local(2, &["stop"]).status.success());
    assert!(text(&install.local(2, &["status"])).contains("stopped: yes"));
    let resume = install.local(2, &["resume-local"]);
    assert_eq!(
        resume.status.code(),
        Some(15),
        "not while it runs: {}",
        text(&resume)
    );
    drop(running);
    assert!(
        !install.local(2, &["status"]).status.success(),
        "no node runs"
    );
    assert!(text(&install.local(2, &["resume-local"])).contains("resumed"));
    assert!(text(&install.local(2, &["resume-local"])).contains("was not stopped"));
    assert!(text(&install.local(2, &["stop"])).contains("while not running"));
    let mut running = install.start(2);
    running.next();
    assert!(text(&install.local(2, &["status"])).contains("stopped: yes"));
}

/// An operator who was told that it is stopped would look no further, while it gives shares.
#[test]
fn stop_at_a_wrong_socket_does_not_claim_that_a_running_node_is_stopped() {
    let install = Install::new();
    let mut running = install.start(1);
    running.next();
    let elsewhere = install.path("elsewhere.sock");
    let wrong = install.local(1, &["stop", "--socket", elsewhere.to_str().unwrap()]);
    assert_eq!(wrong.status.code(), Some(15), "{}", text(&wrong));
    assert!(text(&wrong).contains("use --socket"), "{}", text(&wrong));
    assert!(text(&install.local(1, &["status"])).contains("stopped: no"));
}

#[test]
fn the_operator_is_heard_while_the_link_sends_without_pause() {
    let install = Install::new();
    let mut running = install.start(1);
    running.next();

    let (mut link, done) = (running.stream.try_clone().unwrap(), AtomicBool::new(false));
    std::thread::scope(|threads| {
        threads.spawn(|| {
            let mut frames = Vec::new();
            let frame = encode(&ToSigner::Inbox(Vec::new()));
            (0..1_000).for_each(|_| write_frame(&mut frames, &frame).unwrap());
            let mut sent = Ok(());
            while sent.is_ok() && !done.load(Ordering::Relaxed) {
                sent = link.write_all(&frames);
            }
        });
        let stop = install.local(1, &["stop"]);
        done.store(true, Ordering::Relaxed);
        assert!(stop.status.success(), "{}", text(&stop));
    });
    assert!(text(&install.local(1, &["status"])).contains("stopped: yes"));
}

#[test]
fn a_handed_file_that_is_not_a_tightening_is_refused() {
    let install = Install::new();
    let mut running = install.start(1);
    running.next();
    let file = install.path("act.json");
    std::fs::write(&file, "{\"endorsements\":[],\"text\":\"\"}\n").unwrap();
    let output = install.local(1, &["hand", file.to_str().unwrap()]);
    assert!(!output.status.success());
    assert!(text(&output).contains("malformed"), "{}", text(&output));
}

#[test]
fn keys_and_folders_are_private_and_never_overwritten() {
    let install = Install::new();
    assert_eq!(
        std::fs::metadata(install.data(1)).unwrap().mode() & 0o777,
        0o700
    );
    for name in ["signing.key", "witness.key", "sealing.key", "kek"] {
        let meta = std::fs::metadata(install.data(1).join(name)).unwrap();
        assert_eq!((meta.mode() & 0o777, meta.len()), (0o600, 32), "{name}");
    }
    let before = std::fs::read(install.data(1).join("signing.key")).unwrap();
    assert!(
        !program()
            .args(["init", "--data"])
            .arg(install.data(1))
            .arg("--marker")
            .arg(install.path("another.marker"))
            .output()
            .unwrap()
            .status
            .success()
    );
    assert!(!install.path("another.marker").exists());
    assert_eq!(
        std::fs::read(install.data(1).join("signing.key")).unwrap(),
        before
    );
}

#[test]
fn genesis_is_shown_with_its_words_and_what_weakens_it() {
    let install = Install::new();
    let output = program()
        .arg("show-genesis")
        .arg(install.path("genesis.bin"))
        .output()
        .unwrap();
    let shown = text(&output);
    let words = strongroom_types::words::grid(&install.genesis.hash());
    assert!(
        shown.contains(&words) && shown.contains(&install.genesis.hash().to_string()),
        "{shown}"
    );
    assert!(
        shown.contains("note: development") && shown.contains("quorum: 3 of 3"),
        "{shown}"
    );
}

#[test]
fn every_command_has_help() {
    for command in [
        "init",
        "run",
        "status",
        "stop",
        "resume-local",
        "hand",
        "unfreeze",
        "show-genesis",
    ] {
        let output = program().args([command, "--help"]).output().unwrap();
        assert!(
            output.status.success() && text(&output).contains("Usage"),
            "{command}"
        );
    }
    assert!(text(&program().arg("--help").output().unwrap()).contains("Exit codes"));
}

#[test]
fn the_process_leaves_no_core_gains_no_privileges_and_hides_its_memory() {
    let install = Install::new();
    let mut running = install.start(1);
    running.next();
    let proc = |name: &str| {
        std::fs::read_to_string(format!("/proc/{}/{name}", running.child.id())).unwrap()
    };
    let core = proc("limits")
        .lines()
        .find(|line| line.starts_with("Max core file size"))
        .unwrap()
        .to_owned();
    assert_eq!(
        core.split_whitespace().skip(4).take(2).collect::<Vec<_>>(),
        ["0", "0"]
    );
    assert!(proc("status").lines().any(|line| line == "NoNewPrivs:\t1"));
    // A process that is not dumpable belongs to root in /proc, under any user.
    assert_eq!(
        std::fs::metadata(format!("/proc/{}/environ", running.child.id()))
            .unwrap()
            .uid(),
        0
    );
}
