//! The signer: decides for itself, from its own replica of the journal and its own decoding of the
//! transaction.
//!
//! A synchronous state machine. Frames go in ([`SignerNode::handle`]), time passes
//! ([`SignerNode::tick`]), the operator asks ([`SignerNode::admin`]); frames come out. No thread,
//! no clock, no socket: the simulator runs the very code that the `strongroom-signer` binary runs.
//! An independent witness is the same node without shares.
//!
//! | module | contents |
//! |---|---|
//! | [`setup`] | what a node is made from; whether it fits the pinned genesis |
//! | [`node`], `operator` | frames and ticks; what the operator asks |
//! | `follow`, `journal` | entries and cosignatures; replica and witness on this node's disk |
//! | `requests`, `held`, `answers`, `refusals` | a coordinator's records: answered, or held until the journal covers them |
//! | `judge`, `verdict`, `rules`, `floor`, `evidence` | the checks before any share, which change nothing |
//! | `keys` | key shares: at rest and in use |
//! | `join`, `generation`, `ceremonies`, `early` | key shares: how they come into being |
//! | [`marks`], `status` | stop mark, status text |

#![deny(clippy::wildcard_enum_match_arm)]

mod answers;
mod ceremonies;
mod coverage;
mod early;
mod evidence;
mod fatal;
mod floor;
mod follow;
mod gap;
mod generation;
mod held;
mod join;
mod journal;
mod judge;
mod keys;
pub mod marks;
pub mod node;
mod operator;
mod refusals;
mod requests;
mod rules;
mod schema;
mod sealer;
pub mod setup;
mod status;
mod store;
mod verdict;

pub use ceremonies::RUN_MS_MAX;
pub use fatal::Fatal;
pub use held::{HELD_MAX, HELD_MS_MAX};
pub use keys::PREPARE_MAX;
pub use marks::{resume_local, stop_local, stopped_since};
pub use node::SignerNode;
pub use refusals::{ANSWERED_PER_SECOND, LOGGED_PER_SECOND};
pub use rules::LocalRules;
pub use schema::MIGRATIONS;
pub use setup::{NodeSecrets, SignerSetup};
pub use store::check_store;
pub use strongroom_replica::{Marker, install};
pub use strongroom_signing::{message_digest, request_digest};
