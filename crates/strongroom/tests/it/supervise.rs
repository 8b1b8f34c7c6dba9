//! Threads of a process: what may pass is tried again, what does not is the process's failure.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use strongroom::supervise::{Ended, Supervisor};
use strongroom_stage::StopFlag;

/// Waits until `held` holds.
fn until(held: impl Fn() -> bool) {
    let pause = StopFlag::new();
    let held = (0..1_000).any(|_| held() || pause.wait(Duration::from_millis(10)));
    assert!(held, "not within 10 s");
}

#[test]
fn a_part_that_may_recover_is_made_again_and_is_not_a_failure() {
    let mut supervisor = Supervisor::default();
    let runs = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&runs);
    supervisor.repeat("part", move |_| {
        match counted.fetch_add(1, Ordering::Relaxed) {
            0 | 1 => Ended::MayPass("the disk was busy".to_owned()),
            _ => Ended::Stopped,
        }
    });
    until(|| runs.load(Ordering::Relaxed) == 3);
    assert_eq!(supervisor.failure(), None);
    supervisor.stop();
}

#[test]
fn the_first_failure_for_good_is_kept_with_the_name_of_its_part() {
    let mut supervisor = Supervisor::default();
    supervisor.repeat("first", |_| Ended::ForGood("the journal forked".to_owned()));
    until(|| supervisor.failure().is_some());
    supervisor.repeat("second", |_| Ended::ForGood("fenced".to_owned()));
    supervisor.repeat("third", |stop| {
        while !stop.wait(Duration::from_secs(1)) {}
        Ended::Stopped
    });
    assert_eq!(
        supervisor.failure().as_deref(),
        Some("first: the journal forked")
    );
    supervisor.stop();
}

#[test]
fn stopping_reaches_parts_that_do_not_watch_the_flag() {
    let mut supervisor = Supervisor::default();
    let (send, receive) = std::sync::mpsc::channel::<()>();
    supervisor.on_stop(move || drop(send));
    supervisor.spawn("deaf", move || assert!(receive.recv().is_err()));
    supervisor.stop();
}
