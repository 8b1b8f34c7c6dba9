//! The approvals service: records in, records out, over a journal that moves.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic
)]

mod again;
mod answers;
mod counting;
mod desk;
mod endings;
mod intents;
mod life_cycle;
mod matrix;
mod records;
