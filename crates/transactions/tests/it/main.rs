//! The transactions service in its shipped shell: records in, records out, on an in-memory SQLite
//! store, with the real Bitcoin codec, real signatures and a chain node by script.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic
)]

mod anchors;
mod decided;
mod entries;
mod fixture;
mod flawed_codec;
mod invented;
mod journal_result;
mod life_cycle;
mod matrix;
mod network;
mod quorum;
mod refused;
mod reminder;
mod signatures;
mod tenants;
mod watcher;
