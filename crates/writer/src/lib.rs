//! The journal writer as a service: orders what is submitted, group-commits, publishes entries with
//! their signed checkpoint, and answers each submitter.
//!
//! - [`Writer`]: the stage.
//! - [`republish()`]: fills an entries topic that lacks batches (a bus that was deleted) from the
//!   writer's database.

#![deny(clippy::wildcard_enum_match_arm)]

mod republish;
mod submitted;
mod writer;

pub use republish::{RepublishError, republish};
pub use writer::Writer;
