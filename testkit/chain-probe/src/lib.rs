//! A codec for a chain that does not exist: accounts with balances and numbered transactions, as on
//! EVM networks and Solana.
//!
//! It probes two things. The ports must carry a chain that is nothing like Bitcoin: it passes the
//! same conformance suite. And a new chain must be one crate and three lines: a test applies
//! `register.patch` to a copy of the tree, in which this crate lies among the adapters, and checks
//! both programs. Its transactions also have a grant, a call and an expiry, so that each part of an
//! inspection has a user.

pub mod address;
mod build;
mod codec;
pub mod form;
mod probe;
pub mod view;

pub use codec::codecs;
pub use probe::ProbeCodec;
