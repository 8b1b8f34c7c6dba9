//! Records that services and signers exchange: signed envelopes around borsh payloads.
//!
//! Signatures are verified over the bytes as received; every decoder then checks that the decoded
//! value encodes to the same bytes. The broker is not trusted.

pub mod codec;
pub mod envelope;
pub mod frame;
pub mod life;
pub mod marks;
pub mod records;
pub mod topics;

pub use codec::{EncodeError, Payload, Schema, decode, encode, try_encode};
pub use envelope::{Envelope, NodeKey, Role, Senders, open, seal};
pub use life::{TransactionState, Who, ended_as};
pub use marks::{Layer, Marks};
pub use records::*;
