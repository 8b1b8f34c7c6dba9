//! Functions whose results must be equal, bit for bit, at coordinator and signer. Both use this
//! code.
//!
//! | module | shared result |
//! |---|---|
//! | [`digest`] | the digest by which an answer names the message that it answers |
//! | [`commitment`] | the two encodings of a published nonce commitment |
//! | [`package`] | the FROST signing packages of a request, one per slot |
//! | [`runs`] | the earliest time at which the runs of a ceremony can follow each other |
//! | [`mod@aggregate`] | the signatures that the quorum's shares add up to, or the culprits |
//!
//! All functions are pure. A signer calls them with its own decoding of a transaction, a
//! coordinator with the slots that it was given. If the two differ, the shares make no valid
//! signature.

#![deny(clippy::wildcard_enum_match_arm)]

pub mod aggregate;
pub mod commitment;
pub mod digest;
pub mod package;
pub mod runs;

pub use aggregate::{SharesFault, aggregate};
pub use commitment::{commitment_from_wire, commitment_to_wire, is_commitment};
pub use digest::{message_digest, request_digest};
pub use package::{packages, slots_from_wire};
