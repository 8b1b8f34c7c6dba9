//! The simulation watches itself: seeds hold and replay exactly, and every property can fail.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic
)]

mod bus;
mod cases;
mod doctored;
mod refusals;
mod sabotage;
mod seeds;
mod slices;
mod step;
