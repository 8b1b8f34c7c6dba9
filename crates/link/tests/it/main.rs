//! A link between an embedded bus and a socket that a test plays the signer on.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::disallowed_methods,
    missing_docs,
    reason = "tests"
)]

mod carrying;
mod fixture;
mod stopping;
