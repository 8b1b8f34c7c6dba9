//! The REST API: accepts signed intents, approvals and acts; shows what became of them.
//!
//! It holds no keys and decides nothing: it checks form early so that clients get a clear answer,
//! and everything it lets through is judged again by the journal and by every signer. Errors are
//! RFC 9457 problems with a stable code.

mod access;
mod body;
mod follow;
mod handlers;
mod journal;
mod problem;
mod ready;
mod schema;
mod server;
mod stage;
mod store;
mod submit;

pub use access::{AccessKey, Keyring, hash_key};
pub use follow::Changes;
pub use ready::Ready;
pub use server::{Api, ApiParts, router, serve};
pub use stage::ApiStage;
