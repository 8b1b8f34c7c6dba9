//! The API over HTTP, on an embedded bus and a journal made in the test, asked by the client
//! library.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic
)]

mod bodies;
mod fixture;
mod journal;
mod ready;
