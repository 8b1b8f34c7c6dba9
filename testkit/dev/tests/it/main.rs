//! Roles as processes, and the bus that they share.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::disallowed_methods,
    missing_docs,
    reason = "tests"
)]

mod dev;
mod processes;
mod put_back;
mod shared_bus;
mod transfer;
