//! The log signs two trees of one size: what an operator of the shipped program sees, and does.

use crate::install::{Install, Running, text};
use std::time::Duration;
use strongroom_journal::Body;
use strongroom_types::Digest;
use strongroom_wire::frame::{FromSigner, ToSigner};

/// Value of a line of `status`.
fn status(install: &Install, number: u8, name: &str) -> String {
    let shown = text(&install.local(number, &["status"]));
    let mut lines = shown.lines().filter_map(|line| line.split_once(": "));
    let line = lines.find(|(line, _)| *line == name);
    line.map_or_else(|| panic!("no {name} in {shown}"), |line| line.1.to_owned())
}

/// Starts a node that has `size` entries.
fn start(install: &Install, number: u8, size: u64) -> Running {
    let mut running = install.start(number);
    assert_eq!(running.next(), FromSigner::Hello { next_seq: size });
    running
}

fn cosigns(running: &mut Running, batch: &[u8]) {
    running.send(&ToSigner::Batch(batch.to_vec()));
    assert!(matches!(running.next(), FromSigner::Cosignature(_)));
}

/// A node that follows one line and is shown the other; gives its evidence.
fn split(install: &Install, number: u8, ours: &[u8], theirs: &[u8]) -> (Running, String) {
    let mut running = start(install, number, 0);
    cosigns(&mut running, ours);
    assert_eq!(status(install, number, "frozen"), "no");
    running.send(&ToSigner::Batch(theirs.to_vec()));

    // The request may come before the frame.
    for _ in 0..200 {
        let evidence = status(install, number, "frozen");
        if evidence != "no" {
            return (running, evidence);
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    panic!("node {number} does not freeze");
}

/// `unfreeze` with this evidence: exit code, and what it says.
fn unfreeze(install: &Install, evidence: &str) -> (Option<i32>, String) {
    let output = install.local(1, &["unfreeze", "--evidence", evidence]);
    (output.status.code(), text(&output))
}

#[test]
fn hole_a_freeze_outlasts_restarts_and_only_its_own_evidence_lifts_it() {
    let mut install = Install::new();
    let (ours, theirs) = (install.order(Body::Tick), install.fork());
    let (mut running, evidence) = split(&install, 1, &ours, &theirs);
    let (other, foreign) = split(&install, 3, &theirs, &ours);
    drop(other);
    assert_ne!(evidence, foreign, "each names its own line first");

    // Started again it is frozen as before, and follows nothing.
    let next = install.order(Body::Tick);
    for _ in 0..2 {
        drop(running);
        running = start(&install, 1, 2);
        running.send(&ToSigner::Batch(next.clone()));
        running.reconnect();
        assert_eq!(running.next(), FromSigner::Hello { next_seq: 2 });
        assert_eq!(status(&install, 1, "frozen"), evidence);
        let halted = status(&install, 1, "halted");
        assert!(halted.starts_with("conflict: frozen"), "{halted}");
    }

    // Any other evidence lifts nothing: its operator has not looked at this contradiction.
    for wrong in [foreign, Digest([7; 32]).to_string()] {
        let (code, said) = unfreeze(&install, &wrong);
        let says = format!("the node refused: not_found: no freeze by {wrong} is in force");
        assert!(code == Some(1) && said.contains(&says), "{code:?} {said}");
    }
    for malformed in ["", "no", &evidence[1..], &evidence.to_uppercase()] {
        let (code, said) = unfreeze(&install, malformed);
        assert_eq!(code, Some(2), "{malformed}: {said}");
    }
    assert_eq!(install.local(1, &["unfreeze"]).status.code(), Some(2));
    drop(running);
    let (code, said) = unfreeze(&install, &evidence);
    let is_asked_for = said.contains("no node is running at");
    assert!(code == Some(1) && is_asked_for, "{code:?} {said}");
    running = start(&install, 1, 2);
    assert_eq!(status(&install, 1, "frozen"), evidence);

    // The evidence itself lifts the freeze: once, on the record, and from the next start on.
    let (code, said) = unfreeze(&install, &evidence);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("restart the node"), "{said}");
    let log = std::fs::read_to_string(install.log(1)).unwrap();
    let mut lines = log.lines();
    let line = lines.find(|line| line.contains("the operator lifted a freeze"));
    assert!(line.unwrap().contains(&evidence), "{line:?}");
    assert_eq!(unfreeze(&install, &evidence).0, Some(1));
    assert_eq!(status(&install, 1, "frozen"), evidence);

    drop(running);
    running = start(&install, 1, 2);
    assert_eq!(status(&install, 1, "frozen"), "no");
    running.send(&ToSigner::Batch(theirs));
    cosigns(&mut running, &next);
    assert_eq!(status(&install, 1, "frozen"), "no");
}
