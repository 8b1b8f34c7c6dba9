//! The signer: decides for itself, from its own replica of the journal and its own decoding of the
//! transaction.
//!
//! A synchronous state machine. Frames go in ([`SignerNode::handle`]), time passes
//! ([`SignerNode::tick`]), the operator asks ([`SignerNode::admin`]); frames come out. No thread,
//! no clock, no socket: the simulator runs the very code that the `strongroom-signer` binary runs.
//! An independent witness is the same node without shares.
//!
//! | module | what |
//! |---|---|
//! | [`setup`] | what a node is made from; whether it fits the pinned genesis |
//! | [`node`] | frames, ticks, the operator |
//! | `journal` | replica and witness on the own disk |
//! | `requests`, `held` | a coordinator's records: answered, or held until the journal covers them |
//! | `judge`, `rules`, `floor`, `evidence` | the check list before any share |
//! | `keys`, `ceremony` | shares: how they come into being, at rest, in use |
//! | [`marks`], `status` | stop mark, status text |

mod ceremony;
mod coverage;
mod evidence;
mod fatal;
mod floor;
mod held;
mod journal;
mod judge;
mod keys;
pub mod marks;
pub mod node;
mod outbox;
mod requests;
mod rules;
mod schema;
pub mod setup;
mod status;

pub use ceremony::{RUN_MS_MAX, RUNS_MAX};
pub use fatal::Fatal;
pub use held::{HELD_MAX, HELD_MS_MAX};
pub use keys::PREPARE_MAX;
pub use marks::{resume_local, stop_local, stopped_since};
pub use node::SignerNode;
pub use rules::LocalRules;
pub use schema::MIGRATIONS;
pub use setup::{NodeSecrets, SignerSetup};
pub use strongroom_replica::Marker;
pub use strongroom_signing::{message_digest, request_digest};
