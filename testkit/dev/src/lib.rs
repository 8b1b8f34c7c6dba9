//! Strongroom on one machine, for development: embedded parts, a Bitcoin development chain, signers
//! as child processes, and the demo. Nothing here ships.
//!
//! - [`adapters`]: the parts that the shipped program lacks; [`shared_bus`]: the embedded bus for
//!   several processes.
//! - [`layout`], [`install`]: a development installation on disk.
//! - [`children`], [`platform`]: its signers, and its roles in this process.
//! - [`dev`]: all of it on one folder until Ctrl-C.
//! - [`demo`]: all of it from nothing to signed transfers, with hostile services.

#![allow(
    clippy::print_stdout,
    reason = "programs for developers: they tell a person what happens"
)]

pub mod adapters;
pub mod children;
pub mod demo;
pub mod dev;
pub mod install;
pub mod layout;
pub mod platform;
pub mod shared_bus;
