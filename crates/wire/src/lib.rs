//! Records that services and signers exchange: signed envelopes around borsh payloads.
//!
//! Payload bytes are verified as received and never re-encoded to verify; every decoder then checks
//! that decode → re-encode gives the same bytes. The broker is untrusted.

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
