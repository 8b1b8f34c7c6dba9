//! The shell on SQLite in memory and the embedded bus.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic
)]

mod exactly_once;
mod failures;
mod identity;
mod kit;
mod post;
mod stateless;
