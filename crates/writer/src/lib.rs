//! The journal writer as a service: orders what is submitted, group-commits, publishes entries with
//! their signed checkpoint, and answers each submitter. Scopes have their turns.
//!
//! - [`StartCheck`]: what a start must know before it appends, namely that its database was not put
//!   back; entry 0 of a new journal.
//! - [`Writer`]: the stage, made of a [`ReadyStart`]; [`BoundedWriter`]: the same under a clock that
//!   the witnesses' bound.
//! - [`republish()`]: fills an entries topic that lacks batches (a bus that was deleted) from the
//!   writer's database.

#![deny(clippy::wildcard_enum_match_arm)]

mod bounded;
mod clocks;
mod error;
mod ready;
mod republish;
mod start;
mod submitted;
mod turns;
mod writer;

pub use bounded::BoundedWriter;
pub use clocks::AHEAD_MAX_MS;
pub use error::StartError;
pub use ready::ReadyStart;
pub use republish::{Places, Republished, republish};
pub use start::{Start, StartCheck, StartParts};
/// Tables of the writer: its replica's.
pub use strongroom_replica::MIGRATIONS;
pub use writer::Writer;
