//! Integration tests: honest runs, hostile runs, vectors, and faults of the library that the crate
//! must stop.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout
)]

mod cluster;
mod dkg;
mod dkg_hostile;
mod formats;
mod secrets;
mod sharp_edges;
mod signing;
mod signing_hostile;
mod vectors;
