//! Threads of a process: what may pass is tried again, what does not is the process's failure.

use crate::fixture::told;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use strongroom::exit::RunError;
use strongroom::supervise::{Ended, StageRun, Supervisor};
use strongroom_bus_embedded::{EmbeddedBus, Options};
use strongroom_ports::bus::{Delivered, Mode, Record, Topic};
use strongroom_ports::db::{DbError, DbErrorKind, Migration, Tx};
use strongroom_stage::{Stage, StageError, StopFlag};
use strongroom_store_sqlite::SqliteDb;
use strongroom_writer::StartError;

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
    supervisor.repeat("part", move |stop| {
        match counted.fetch_add(1, Ordering::Relaxed) {
            0 | 1 => Ended::MayPass("the disk was busy".to_owned()),
            _ => {
                while !stop.wait(Duration::from_secs(1)) {}
                Ended::Stopped
            }
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
    supervisor.spawn("deaf", move || {
        assert!(receive.recv().is_err());
        Ended::Stopped
    });
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

/// A copy that was put back while the role ran is as little to be started again as one before it.
#[test]
fn a_running_writer_whose_database_was_put_back_ends_with_a_code_of_its_own_and_the_cure() {
    let mut supervisor = Supervisor::default();
    supervisor.repeat("writer", |_| {
        let put_back = StartError::WitnessesAhead { witnesses: 2 };
        Ended::for_good(&StageError::fatal("nothing more is appended").because(put_back))
    });
    until(|| supervisor.failure().is_some());
    let failure = supervisor.failure().unwrap();
    supervisor.stop();
    assert_eq!(failure.code, 12);
    assert!(failure.what.contains("2 witnesses vouch"), "{failure}");
    assert!(failure.what.contains("Put the newest copy"), "{failure}");
}

/// As the HTTP server, were its listener to close: the process would run on with no one to answer.
#[test]
fn a_part_that_ends_unasked_is_the_failure_of_the_process() {
    let mut supervisor = Supervisor::default();
    supervisor.spawn("http", || Ended::Stopped);
    until(|| supervisor.failure().is_some());
    let what = supervisor.failure().unwrap().what;
    assert_eq!(what, "http: ended, and was not stopped");
    supervisor.stop();
}

/// A stage with a defect that only its first tick meets.
struct Defective;

impl Stage for Defective {
    fn name(&self) -> &'static str {
        "defective"
    }

    fn topics(&self) -> Vec<Topic> {
        Vec::new()
    }

    fn migrations(&self) -> &'static [Migration] {
        &[]
    }

    fn handle(
        &mut self,
        _: u64,
        _: &mut dyn Tx,
        _: &[Delivered],
    ) -> Result<Vec<Record>, StageError> {
        Ok(Vec::new())
    }

    fn tick(&mut self, _: u64, _: &mut dyn Tx) -> Result<Vec<Record>, StageError> {
        panic!("index {} of 3", 7)
    }

    fn tick_every_ms(&self) -> u64 {
        1
    }
}

/// The process would live on without the role: the API would take intents that nothing handles.
#[test]
fn a_stage_that_panics_is_the_failure_of_the_process() {
    let mut supervisor = Supervisor::default();
    let bus = EmbeddedBus::open_in_memory(Mode::Dev, Options::default(), [1; 16]).unwrap();
    let run = StageRun {
        name: "defective",
        db: Arc::new(SqliteDb::open_in_memory().unwrap()),
        bus: Arc::new(bus),
        after_fresh_head: None,
        on_open: Box::new(|| {}),
        on_progress: Box::new(|| {}),
    };
    supervisor.run_stage(run, || Ok(Defective));
    until(|| supervisor.failure().is_some());
    let failure = supervisor.failure().unwrap();
    supervisor.stop();
    let (code, text) = told(&RunError::Stopped(failure));
    assert_eq!(code, 1);
    assert_eq!(text, "stopped: defective: panicked: index 7 of 3");
}
