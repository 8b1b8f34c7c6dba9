//! The Bitcoin codec from outside: vectors, golden bytes, properties, hostile input.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs
)]

mod assembly;
mod building;
mod conformance;
mod facts;
mod hostile;
mod intents;
mod properties;
mod replacing;
mod setup;
mod vectors;
