//! The writer's stage in its shell, on a real database and the embedded bus.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs
)]

mod buses;
mod clock;
mod fixture;
mod other_history;
mod republish;
mod service;
mod start;
mod submitters;
