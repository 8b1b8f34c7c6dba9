//! The bus port inside one process: a durable log in one SQLite file, for development and
//! demonstrations.
//!
//! There is no writer thread. One of the publishing threads writes the records of all that wait
//! (group commit), so a publish needs no thread switch on an idle bus, and a single-threaded caller
//! is deterministic. Readers get recent records from a tail in memory and only older ones from the
//! file.

mod bus;
mod log;
mod options;
mod state;

pub use bus::EmbeddedBus;
pub use options::Options;
