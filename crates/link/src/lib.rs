//! The link: carries sealed envelopes between the bus and one signer or witness, over its Unix
//! socket.
//!
//! It is trusted with nothing: every record is signed end to end and bound to genesis, so a link
//! can drop or delay records but neither read, make nor change one. A signer connects to its link;
//! nothing else listens, and only the owner of the socket file can open it.

mod error;
mod link;
mod opening;
mod session;

pub use error::LinkError;
pub use link::{Link, Spawn};
