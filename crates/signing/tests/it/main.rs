//! Coordinator and signer compute the same bytes, and those bytes do not change.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "tests"
)]

mod aggregate;
mod golden;
mod kit;
mod package;
