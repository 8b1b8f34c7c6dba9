//! Reasons for which roles did not start, or ended: one message each, and a stable exit code.

use crate::role_name::RoleName;
use crate::secrets::SecretsError;
use std::error::Error;
use std::fmt;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
pub use strongroom_client::with_causes;
use strongroom_ports::bus::BusError;
use strongroom_ports::db::{DbError, DbErrorKind};
use strongroom_types::Refusal;
use strongroom_writer::StartError;

/// The exit codes of `run`, as `--help` and `docs/cli.md` show them.
pub const EXIT_CODES: &str = "\
Exit codes:
   0  ended by SIGINT or SIGTERM
   1  a role stopped for good, or anything not listed (the message says what)
   2  wrong command line, an unknown role among it
  10  the genesis file is missing, is not the one whose hash is pinned, or has a chain that this
      build reads by another row
  11  a role's database is damaged, of another installation, role or program, or of another build
  12  the writer's database was put back: it lacks entries that were published
  13  the disk is full
  15  another process runs on the folder of one of the roles, or on that of the sockets
  16  a role's secrets file is missing, readable by others, or of another installation or role
  78  the configuration cannot be used, or names a part that this build lacks
With 10, 11, 15, 16 and 78 nothing was started, and nothing that was there before was changed.
With 12 nothing more is appended until the newest copy of that database is there again.
Only with 11 it may also be that a role stopped for good on a database that was damaged while it
ran; the message then begins with `stopped`.";

/// Exit code of a writer whose database was put back; a signer's of the same number means the same.
const PUT_BACK: u8 = 12;

/// Reasons for which roles did not start, or ended.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The configuration cannot be read, or says something that this program does not understand.
    #[error("configuration {}", path.display())]
    Config {
        /// Path of the configuration file.
        path: PathBuf,
        /// The line, member or rule.
        #[source]
        why: anyhow::Error,
    },
    /// The configuration names kinds of parts that are not linked here, one line each.
    #[error("this build lacks parts that the roles need:\n  {}", .0.join("\n  "))]
    Lacking(Vec<String>),
    /// The genesis file cannot be read.
    #[error("cannot read genesis {}", path.display())]
    GenesisFile {
        /// Path of the genesis file.
        path: PathBuf,
        /// The operating system's answer.
        #[source]
        source: std::io::Error,
    },
    /// The genesis file is not the pinned one, breaks a rule, or does not fit this build.
    #[error("genesis {} is refused", path.display())]
    Genesis {
        /// Path of the genesis file.
        path: PathBuf,
        /// Rule that the file breaks.
        #[source]
        source: Refusal,
    },
    /// A role's secrets cannot be used.
    #[error("role {role}")]
    Secrets {
        /// Role whose file it is.
        role: RoleName,
        /// Reason for which the file cannot be used.
        #[source]
        source: SecretsError,
    },
    /// A role's folder cannot be made or locked.
    #[error("role {role}: folder {}", path.display())]
    Folder {
        /// Role whose folder it is.
        role: RoleName,
        /// Path of that folder.
        path: PathBuf,
        /// The operating system's answer.
        #[source]
        source: std::io::Error,
    },
    /// Another process holds the lock of a role's folder.
    #[error("role {role}: another process runs on {}", path.display())]
    InUse {
        /// Role whose folder is held.
        role: RoleName,
        /// Path of that folder.
        path: PathBuf,
    },
    /// A role's database was made for something else.
    #[error("role {role}: its database belongs to {owner}")]
    ForeignStore {
        /// Role that was to open it.
        role: RoleName,
        /// The other installation or role.
        owner: String,
    },
    /// A role's database fails.
    #[error("role {role}: its database")]
    Store {
        /// Role whose database it is.
        role: RoleName,
        /// The database's answer.
        #[source]
        source: DbError,
    },
    /// The bus refuses.
    #[error("the bus")]
    Bus(#[from] BusError),
    /// A part of the build could not be opened or started.
    #[error("{what}")]
    Part {
        /// Name of the part, for people.
        what: String,
        /// Cause that the part gives.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A role ended for good while running.
    #[error("stopped: {0}")]
    Stopped(PartFailure),
}

/// A part of the process that ended for good.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PartFailure {
    /// Name of the part, with the reason.
    pub what: String,
    /// Exit code of the process.
    pub code: u8,
}

impl fmt::Display for PartFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

/// Exit code of an error that ends the process: that of a database among its causes which was put
/// back, or which fails.
pub(crate) fn code_of(error: &(dyn Error + 'static)) -> u8 {
    let start: Option<&StartError> = error.downcast_ref();
    if start.is_some_and(StartError::proves_restore) {
        return PUT_BACK;
    }

    match (error.downcast_ref(), error.source()) {
        (Some(of_db), _) => code_of_db(of_db),
        (None, Some(cause)) => code_of(cause),
        (None, None) => 1,
    }
}

/// Cure of an end that the same start would meet again, for people.
pub(crate) const fn advice(code: u8) -> Option<&'static str> {
    // What was published shows which copy is the newest one, so the bus is not to be emptied.
    if code == PUT_BACK {
        Some(
            "Put the newest copy of this database in its place and leave the bus as it is: with an \
             older one the writer does not start, since it would fork the journal",
        )
    } else {
        None
    }
}

/// These are told apart because the cures differ: space can be made, a damaged or foreign database
/// needs people.
fn code_of_db(error: &DbError) -> u8 {
    match error.kind() {
        DbErrorKind::Corrupt | DbErrorKind::Schema => 11,
        DbErrorKind::Full => 13,
        DbErrorKind::Constraint
        | DbErrorKind::Busy
        | DbErrorKind::Io
        | DbErrorKind::Poisoned
        | DbErrorKind::BadValue
        | DbErrorKind::Type
        | DbErrorKind::Other => 1,
    }
}

impl RunError {
    /// A part of the build that could not be opened or started.
    pub fn part(
        what: impl Into<String>,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        Self::Part {
            what: what.into(),
            source: source.into(),
        }
    }

    /// The stable exit code, as in [`EXIT_CODES`].
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::GenesisFile { .. } | Self::Genesis { .. } => 10,
            Self::ForeignStore { .. } => 11,
            Self::Store { source, .. } => code_of_db(source),
            Self::Stopped(failure) => failure.code,
            Self::InUse { .. } => 15,
            Self::Secrets { .. } => 16,
            // A development bus under a production genesis is a mistake in the configuration, not a
            // bus that fails.
            Self::Config { .. } | Self::Lacking(_) | Self::Bus(BusError::RefusedInProduction) => 78,
            Self::Folder { .. } | Self::Bus(_) | Self::Part { .. } => 1,
        }
    }

    /// Prints the error with its causes to stderr, and gives the exit code.
    pub fn report(&self) -> ExitCode {
        // The result is dropped, because nothing can be done about a closed stderr.
        let _ = writeln!(std::io::stderr(), "error: {}", with_causes(self));
        ExitCode::from(self.exit_code())
    }
}
