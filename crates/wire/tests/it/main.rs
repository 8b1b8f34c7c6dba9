//! Golden bytes of every payload, envelope and frame.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::disallowed_methods
)]

mod cases;
mod golden;
mod strict;
