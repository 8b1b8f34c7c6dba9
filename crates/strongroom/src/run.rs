//! The `run` command: some roles of an installation in this process.

use crate::config::{Config, FORM};
use crate::exit::{EXIT_CODES, PartFailure, RunError};
use crate::harden::keep_memory_private;
use crate::parts::{Adapters, Parts};
use crate::roles::{RoleName, Starting, start_all};
use crate::supervise::Supervisor;
use clap::Args;
use std::collections::BTreeSet;
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;
use strongroom_stage::StopFlag;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

/// Longest time for the bus to finish what it accepted.
const BUS_SHUTDOWN: Duration = Duration::from_secs(5);
/// How often a running process looks for a failure.
const FAILURE_POLL: Duration = Duration::from_millis(500);

/// Options of `run`.
#[derive(Args, Clone, Debug)]
pub struct RunArguments {
    /// Roles, separated by commas: link, writer, approvals, coordinator, transactions, api.
    #[arg(long, value_name = "ROLE,…", required = true, value_delimiter = ',')]
    pub roles: Vec<RoleName>,
    /// The configuration file.
    #[arg(long, value_name = "FILE")]
    pub config: PathBuf,
    /// The bus was lost: these roles begin at the start of a new, empty one, and the writer
    /// publishes the journal again from its database.
    #[arg(long)]
    pub new_bus: bool,
}

/// Text after the options in `run --help`.
pub static HELP: std::sync::LazyLock<String> =
    std::sync::LazyLock::new(|| format!("{FORM}\n\n{EXIT_CODES}\n\n{ENVIRONMENT}"));

const ENVIRONMENT: &str =
    "Environment: STRONGROOM_LOG sets the log levels on stderr (default `info`).";

/// Logs go to stderr; stdout is for what was asked for. `STRONGROOM_LOG` wins over the default
/// level.
pub fn start_log(default: &str) {
    // A filter that cannot be read must not keep a role from starting.
    let filter =
        EnvFilter::try_from_env("STRONGROOM_LOG").unwrap_or_else(|_| EnvFilter::new(default));

    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .init();
}

/// Roles at work in this process.
pub struct Running {
    parts: Parts,
    supervisor: Supervisor,
    address: Option<SocketAddr>,
}

impl Running {
    /// Opens everything that the roles need, then starts them.
    ///
    /// # Errors
    /// See [`RunError`].
    pub fn start(
        config: Config,
        roles: &BTreeSet<RoleName>,
        adapters: &Adapters,
        new_bus: bool,
    ) -> Result<Self, RunError> {
        let parts = Parts::open(config, roles, adapters)?;

        let mut supervisor = Supervisor::default();
        let mut starting = Starting {
            parts: &parts,
            supervisor: &mut supervisor,
            new_bus,
            address: None,
        };
        let started = start_all(&mut starting, roles.iter().copied());
        let address = starting.address;

        // A role that cannot start must not leave the others running.
        if let Err(error) = started {
            supervisor.stop();
            return Err(error);
        }
        Ok(Self {
            parts,
            supervisor,
            address,
        })
    }

    /// Parts on which the roles run.
    #[must_use]
    pub fn parts(&self) -> &Parts {
        &self.parts
    }

    /// Address of the API, when that role runs here.
    #[must_use]
    pub fn address(&self) -> Option<SocketAddr> {
        self.address
    }

    /// First role or part that ended for good, with its reason.
    #[must_use]
    pub fn failure(&self) -> Option<PartFailure> {
        self.supervisor.failure()
    }

    /// Stops every role and closes the bus.
    pub fn stop(self) {
        self.supervisor.stop();

        // The bus is closed after the roles: what they published last is still made durable.
        let _ = self.parts.bus.shutdown(BUS_SHUTDOWN);
    }
}

/// Runs roles until SIGINT or SIGTERM.
pub fn run(arguments: &RunArguments, adapters: &Adapters) -> ExitCode {
    match run_until_signal(arguments, adapters) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => error.report(),
    }
}

fn run_until_signal(arguments: &RunArguments, adapters: &Adapters) -> Result<(), RunError> {
    keep_memory_private().map_err(|error| RunError::part("private memory", error))?;
    let config = Config::read(&arguments.config)?;
    let roles: BTreeSet<RoleName> = arguments.roles.iter().copied().collect();

    // The handlers are installed before anything starts, so that a signal in between stops what has
    // started.
    let stop = stop_on_signal().map_err(|error| RunError::part("signals", error))?;
    let running = Running::start(config, &roles, adapters, arguments.new_bus)?;

    if let Some(address) = running.address() {
        let _ = writeln!(std::io::stdout(), "API: http://{address}");
    }

    // Roles are stopped also after a failure: the other roles must not be cut off within a commit.
    let ended = wait_for_end(&running, &stop);
    running.stop();
    ended
}

fn wait_for_end(running: &Running, stop: &StopFlag) -> Result<(), RunError> {
    while !stop.wait(FAILURE_POLL) {
        if let Some(failure) = running.failure() {
            return Err(RunError::Stopped(failure));
        }
    }
    Ok(())
}

/// A flag that SIGINT and SIGTERM set.
///
/// # Errors
/// The operating system's, when a handler cannot be installed.
pub fn stop_on_signal() -> std::io::Result<StopFlag> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;

    // The handler is installed before this returns and not on the waiting thread: a signal in
    // between would end the process without stopping its roles.
    let (mut interrupt, mut terminate) = runtime.block_on(async {
        std::io::Result::Ok((
            signal(SignalKind::interrupt())?,
            signal(SignalKind::terminate())?,
        ))
    })?;

    let stop = StopFlag::new();
    let flag = stop.clone();
    let wait = move || {
        runtime.block_on(async {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
        });
        flag.set();
    };

    // The thread is detached on purpose: it waits for a signal that may never come.
    drop(crate::supervise::spawn_thread("signals", wait));
    Ok(stop)
}
