//! Threads of a process of roles: named, restarted after what may pass, reported when it does not.

use crate::exit::{PartFailure, advice, code_of, with_causes};
use std::any::Any;
use std::error::Error;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;
use strongroom_host::SystemClock;
use strongroom_ports::bus::Bus;
use strongroom_ports::db::Db;
use strongroom_ports::host::Clock as _;
use strongroom_replica::SharedFollower;
use strongroom_stage::{NoFaults, Options, Progress, Shell, Stage, StopFlag};
use strongroom_types::UnixMs;

/// Pause before a part that failed is made again.
const RESTART_PAUSE: Duration = Duration::from_millis(200);
/// How often a waiting role looks for a fresh witnessed head.
const FRESH_POLL: Duration = Duration::from_millis(10);
/// A role that waits for longer says so in the log, once.
const FRESH_PATIENCE: Duration = Duration::from_secs(10);

/// End of one run of a supervised part.
pub enum Ended {
    /// It was stopped as asked.
    Stopped,
    /// It met something that may pass, so it is made again.
    MayPass(String),
    /// It ended for good, and the whole process has failed.
    ForGood {
        /// Reason of the failure, for people.
        why: String,
        /// Exit code of the process.
        code: u8,
    },
}

impl Ended {
    /// The end for good by an error, whose causes give the exit code and what to do about it.
    #[must_use]
    pub fn for_good(error: &(dyn Error + 'static)) -> Self {
        let code = code_of(error);
        let why = with_causes(error);
        Self::ForGood {
            why: advice(code).map_or_else(|| why.clone(), |advice| format!("{why}. {advice}")),
            code,
        }
    }
}

/// The threads of a process, and the first failure for good among them.
#[derive(Default)]
pub struct Supervisor {
    stop: StopFlag,
    failure: FirstFailure,
    threads: Vec<JoinHandle<()>>,
    on_stop: Vec<Box<dyn FnOnce() + Send>>,
}

/// The first failure for good.
#[derive(Clone, Default)]
struct FirstFailure(Arc<Mutex<Option<PartFailure>>>);

impl FirstFailure {
    fn set(&self, what: String, code: u8) {
        // Later failures are mostly consequences of the first one, so that is the one reported.
        let mut first = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        first.get_or_insert(PartFailure { what, code });
    }

    fn get(&self) -> Option<PartFailure> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

/// A stage to be run.
pub struct StageRun {
    /// Name of the role, its thread and its log lines.
    pub name: &'static str,
    /// The stage's database.
    pub db: Arc<dyn Db>,
    /// Bus whose topics the stage consumes and fills.
    pub bus: Arc<dyn Bus>,
    /// Replica whose first fresh witnessed head the stage waits for; the writer, which makes the
    /// heads, waits for none.
    pub after_fresh_head: Option<Arc<SharedFollower>>,
    /// Called when the stage's tables are there and its memory is loaded.
    pub on_open: Box<dyn Fn() + Send>,
    /// Called after each round that handled records or ticked.
    pub on_progress: Box<dyn Fn() + Send>,
}

impl Supervisor {
    /// The flag that every part watches.
    #[must_use]
    pub fn stop_flag(&self) -> StopFlag {
        self.stop.clone()
    }

    /// First part that ended for good, with its reason.
    #[must_use]
    pub fn failure(&self) -> Option<PartFailure> {
        self.failure.get()
    }

    /// Runs `work` on a named thread until the stop. A part that ends before, or panics, is the
    /// failure of the process: the other roles would go on without it.
    pub fn spawn(&mut self, name: &str, work: impl FnOnce() -> Ended + Send + 'static) {
        let (stop, failure, part) = (self.stop.clone(), self.failure.clone(), name.to_owned());
        self.threads.push(spawn_thread(name, move || {
            // A panic is caught, because no state of the part is used again, and what it shares
            // bears a thread that panicked.
            let ended = catch_unwind(AssertUnwindSafe(work));
            let (why, code) = match ended {
                Ok(Ended::Stopped) if stop.is_set() => return,
                Ok(Ended::Stopped) => ("ended, and was not stopped".to_owned(), 1),
                Ok(Ended::MayPass(why)) => (why, 1),
                Ok(Ended::ForGood { why, code }) => (why, code),
                Err(panic) => (format!("panicked: {}", words_of(panic.as_ref())), 1),
            };
            tracing::error!(part, "{why}");
            failure.set(format!("{part}: {why}"), code);
        }));
    }

    /// Runs `work` on a named thread, again after what may pass, until it was stopped or failed for
    /// good.
    pub fn repeat(
        &mut self,
        name: &str,
        mut work: impl FnMut(&StopFlag) -> Ended + Send + 'static,
    ) {
        let (stop, part) = (self.stop.clone(), name.to_owned());
        self.spawn(name, move || {
            while !stop.is_set() {
                match work(&stop) {
                    Ended::MayPass(why) => {
                        tracing::warn!(part, "{why}; starting it again");

                        // A part that fails at once, again and again, must not take a whole core.
                        let _ = stop.wait(RESTART_PAUSE);
                    }

                    // A failure for good is not tried again: a forked journal or a damaged table is
                    // the same at the next try.
                    ended @ (Ended::Stopped | Ended::ForGood { .. }) => return ended,
                }
            }
            Ended::Stopped
        });
    }

    /// Runs a stage on its own thread; after a failure that may pass, `make` makes it again and it
    /// goes on from its database.
    pub fn run_stage<S: Stage + 'static>(
        &mut self,
        run: StageRun,
        make: impl Fn() -> anyhow::Result<S> + Send + 'static,
    ) {
        self.run_checked_stage(run, |_| Ok(()), move |()| make());
    }

    /// The same for a stage that cannot be made without what a check before each start finds. The
    /// check is done on the stage's thread and watches the stop flag; an end that it gives takes the
    /// start's place.
    pub fn run_checked_stage<C, S: Stage + 'static>(
        &mut self,
        run: StageRun,
        check: impl Fn(&StopFlag) -> Result<C, Ended> + Send + 'static,
        make: impl Fn(C) -> anyhow::Result<S> + Send + 'static,
    ) {
        self.repeat(run.name, move |stop| {
            // The fresh head is awaited before every start: the replica may have become stale while
            // the stage was down.
            if let Some(journal) = &run.after_fresh_head
                && !wait_for_fresh_head(run.name, journal, stop)
            {
                return Ended::Stopped;
            }

            let checked = match check(stop) {
                Ok(checked) => checked,
                Err(ended) => return ended,
            };

            // Each try makes a new stage: after a commit whose outcome is unknown the memory of the
            // old one may differ from its tables.
            match make(checked) {
                Ok(stage) => shell_until_stopped(&run, stage, stop),
                Err(error) => Ended::for_good(error.as_ref()),
            }
        });
    }

    /// Adds a call for the begin of the stop, for a part that does not watch the flag.
    pub fn on_stop(&mut self, stop: impl FnOnce() + Send + 'static) {
        self.on_stop.push(Box::new(stop));
    }

    /// Stops everything and waits for it.
    pub fn stop(self) {
        self.stop.set();

        // These calls come first: a part that does not watch the flag would otherwise be waited for
        // without end.
        self.on_stop.into_iter().for_each(|stop| stop());
        for thread in self.threads {
            let _ = thread.join();
        }
    }
}

fn shell_until_stopped<S: Stage>(run: &StageRun, stage: S, stop: &StopFlag) -> Ended {
    let (db, bus) = (Arc::clone(&run.db), Arc::clone(&run.bus));
    let opened = Shell::new(stage, db, bus, Options::default(), Box::new(NoFaults));

    let ended = opened.and_then(|mut shell| {
        (run.on_open)();
        let mut notify = |progress: &Progress| {
            // Most rounds do nothing, and each would wake every waiting request for nothing.
            if progress.records > 0 || progress.ticked {
                (run.on_progress)();
            }
        };
        shell.run(&SystemClock, stop, &mut notify)
    });

    match ended {
        Ok(()) => Ended::Stopped,
        Err(error) if error.may_restart() => Ended::MayPass(with_causes(&error)),
        Err(error) => Ended::for_good(&error),
    }
}

/// Services answer from the replica, so a service that starts with an old one would deny what the
/// journal has. A fresh head proves that the replica is as new as the witnesses' clocks. Gives
/// `false` when the process stops first.
fn wait_for_fresh_head(role: &str, journal: &SharedFollower, stop: &StopFlag) -> bool {
    let is_fresh = || journal.read(|f| f.size() > 0 && f.fresh(now()).is_ok());
    let mut waited = Duration::ZERO;
    while !is_fresh() {
        // `==` and not `>=`: the warning is logged once.
        if waited == FRESH_PATIENCE {
            tracing::warn!(
                role,
                "no fresh witnessed head yet: do signers and witnesses run?"
            );
        }
        if stop.wait(FRESH_POLL) {
            return false;
        }
        waited += FRESH_POLL;
    }
    true
}

/// Message of a panic.
fn words_of(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
    text.unwrap_or("without a message")
}

/// The host's time.
pub(crate) fn now() -> UnixMs {
    UnixMs(SystemClock.now_ms())
}

/// A named thread of the composition root.
#[expect(
    clippy::disallowed_methods,
    reason = "the composition root starts the threads"
)]
#[expect(
    clippy::expect_used,
    reason = "a process that cannot start its threads must stop"
)]
pub fn spawn_thread(name: &str, work: impl FnOnce() + Send + 'static) -> JoinHandle<()> {
    let thread = std::thread::Builder::new()
        .name(name.to_owned())
        .spawn(work);
    thread.expect("a thread can be started")
}
