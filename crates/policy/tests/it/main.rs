//! The policy against small worlds: tables for every condition and guard, properties for what must
//! never happen.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "tests"
)]

mod conditions;
mod edits;
mod errors;
mod evidence;
mod form;
mod guards;
mod hours;
mod load;
mod obligations;
mod properties;
mod random;
mod tighter;
mod velocity;
mod world;
