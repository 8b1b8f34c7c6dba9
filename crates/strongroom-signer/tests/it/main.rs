//! The shipped program as an operator meets it: real processes, real files, a link held by the
//! test.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "tests"
)]

mod freeze;
mod install;
mod process;
mod refusals;
