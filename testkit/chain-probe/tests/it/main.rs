//! The probe chain: the codec's contract, each part of an inspection, and its registration.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::disallowed_methods,
    missing_docs,
    reason = "tests: every failed expectation is a failed test"
)]

mod codec;
mod register;
