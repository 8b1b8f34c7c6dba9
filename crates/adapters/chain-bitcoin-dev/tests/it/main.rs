//! Tests of the development chain through its public interface, with a plain secp256k1 key instead
//! of a threshold key.

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
