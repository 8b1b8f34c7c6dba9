//! The checker is checked: what is not as expected, or not finished, makes the run fail; and every
//! rule has the scenario that shows it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic
)]

mod docs;
mod program;
mod rules;
mod verdicts;
