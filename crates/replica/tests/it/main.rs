//! The replica on a real SQLite database.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs
)]

mod boot;
mod fixture;
mod shared;
mod statement;
mod store;
mod witness;
