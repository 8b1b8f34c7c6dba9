//! The shell that runs every service. The transport delivers a record at least once; the shell
//! makes its effects happen exactly once.
//!
//! A service is a [`Stage`]: it takes a batch of records and a transaction, changes its tables and
//! returns records. The [`Shell`] fetches, removes duplicates, advances positions, keeps the
//! outgoing records in an outbox, commits all of that as *one* transaction, publishes after the
//! commit, isolates poison records and retries what is transient. It is single-threaded and takes
//! time as an argument, so the simulator runs the very same code.

mod dead_letter;
mod faults;
pub mod inbox;
pub mod life_cycle;
pub mod post;
mod schema;
mod shell;
mod stage;
mod stop;

pub use dead_letter::DeadLetter;
pub use faults::{CrashPoint, Faults, NoFaults};
pub use schema::MIGRATIONS;
pub use shell::{Options, Progress, Shell, ShellError, forget_positions};
pub use stage::{Stage, StageError, StageErrorKind};
pub use stop::StopFlag;
