//! The command line parses what its help says, and its files are read strictly.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::disallowed_methods
)]

mod end;
mod files;
mod parse;
