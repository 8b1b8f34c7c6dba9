//! The development chain from outside, with a plain secp256k1 key instead of a threshold one.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs
)]

mod chain;
mod interpreter;
mod setup;
