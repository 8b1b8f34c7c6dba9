//! What a coordinator and a signer must agree on to the bit, once for both.
//!
//! | module | shared result |
//! |---|---|
//! | [`digest`] | the digest by which an answer names the message it answers |
//! | [`commitment`] | the two encodings of a published nonce commitment |
//! | [`package`] | the FROST signing packages of a request, one per slot |
//! | [`aggregate`] | the signatures that the quorum's shares add up to, or the culprits |
//!
//! Pure functions. A signer calls them on its own decoding of a transaction, a coordinator on the
//! slots it was told: if the two differ, the shares do not add up and nothing is signed.

#![deny(clippy::wildcard_enum_match_arm)]

pub mod aggregate;
pub mod commitment;
pub mod digest;
pub mod package;

pub use aggregate::{SharesFault, aggregate};
pub use commitment::{commitment_from_wire, commitment_to_wire};
pub use digest::{message_digest, request_digest};
pub use package::{packages, slots_from_wire};
