//! The bus port inside one process: a durable log in one SQLite file, for development and
//! demonstrations.
//!
//! There is no writer thread. Of the threads that publish, one writes the records of all that wait
//! (group commit), so an idle bus costs no change of threads and a single-threaded caller is
//! deterministic.
//! Readers are served from a tail in memory and go to the file only for old records.

mod bus;
mod log;
mod options;
mod state;

pub use bus::EmbeddedBus;
pub use options::Options;
