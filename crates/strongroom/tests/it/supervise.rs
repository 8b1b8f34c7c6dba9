//! Threads of a process: what may pass is tried again, what does not is the process's failure.

use crate::fixture::told;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use strongroom::exit::RunError;
use strongroom::supervise::{Ended, Supervisor};
use strongroom_ports::db::{DbError, DbErrorKind};
use strongroom_stage::{StageError, StopFlag};

/// Waits until `held` holds.
fn until(held: impl Fn() -> bool) {
    let pause = StopFlag::new();
    let held = (0..1_000).any(|_| held() || pause.wait(Duration::from_millis(10)));
    assert!(held, "not within 10 s");
}

fn for_good(why: &'static str) -> Ended {
    Ended::for_good(&StageError::fatal(why))
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
    supervisor.repeat("first", |_| for_good("the journal forked"));
    until(|| supervisor.failure().is_some());
    supervisor.repeat("second", |_| for_good("fenced"));
    supervisor.repeat("third", |stop| {
        while !stop.wait(Duration::from_secs(1)) {}
        Ended::Stopped
    });
    let failure = supervisor.failure().unwrap();
    assert_eq!(
        (failure.what.as_str(), failure.code),
        ("first: the journal forked", 1)
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

/// An operator's supervisor goes by the code: what is damaged is not started again.
#[test]
fn damage_that_a_running_role_meets_has_the_exit_code_of_damage() {
    let mut supervisor = Supervisor::default();
    supervisor.repeat("part", |_| {
        let damage = DbError::new(DbErrorKind::Corrupt, "page 7");
        Ended::for_good(&StageError::fatal("its tables").because(damage))
    });
    until(|| supervisor.failure().is_some());
    let failure = supervisor.failure().unwrap();
    supervisor.stop();
    let (code, text) = told(&RunError::Stopped(failure));
    assert_eq!(code, 11);
    assert!(text.starts_with("stopped: part: its tables: "), "{text}");
    assert!(text.ends_with("page 7"), "{text}");
}
