//! The signer with a scripted coordinator: real journal, real codec, real key generation, SQLite in
//! memory.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "tests"
)]

mod admin;
mod ceremony;
mod ceremony_end;
mod ceremony_turns;
mod cluster;
mod coordinator;
mod disk;
mod effects;
mod evidence;
mod freeze;
mod handed;
mod heads;
mod journal;
mod machine;
mod open;
mod packages;
mod path;
mod records;
mod rules;
mod time;
