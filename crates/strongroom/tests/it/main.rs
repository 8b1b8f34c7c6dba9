//! Roles on embedded parts, and the shipped program: what starts, and what is refused how.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::disallowed_methods,
    missing_docs,
    reason = "tests"
)]

mod configuration;
mod fixture;
mod folders;
mod program;
mod running;
mod secrets;
mod supervise;
mod writer_start;
