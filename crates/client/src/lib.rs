//! The client library: what the command line, the demo and client programs use to talk to a
//! Strongroom.
//!
//! It trusts nothing the server says. Digests and words are recomputed from the client's own bytes,
//! addresses are derived here from entries whose proofs were verified against the pinned genesis,
//! and approvers are shown what they sign as this code reads it. No threads, no clock; HTTP on
//! loopback only (it holds a bearer key and speaks no TLS).
//!
//! | module | what |
//! |---|---|
//! | [`api`] | every request and answer as a type |
//! | [`client`] | [`Client`]: a typed call for every endpoint |
//! | [`check`] | comparing answers with what was recomputed |
//! | [`proof`] | entries and addresses proved against genesis, without any server |
//! | [`key_file`] | [`KeyFile`]: a person's or program's signing key, mode 0600 |
//! | [`verify`] | recomputing every claim of a folder of artefacts |

pub mod check;
pub mod client;
mod error;
#[cfg(test)]
mod fixture;
mod http;
pub mod key_file;
mod member;
mod plain;
pub mod proof;
#[cfg(mutants)]
mod told;
pub mod verify;

pub use client::{Client, ProvedAddress};
pub use error::{ClientError, SourceError, with_causes};
pub use key_file::KeyFile;
pub use strongroom_api_types as api;
