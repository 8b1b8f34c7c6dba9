//! The matrix finds each flaw it is there for, in a small stage with one flaw at a time.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic
)]

mod flaws;
mod toy;
