//! Approvals: evaluates the policy early, collects people's answers, and says when an intent is
//! complete.
//!
//! Everything here is a hint: `journal::apply` evaluates the policy again at the entry's position
//! and counts the approvals itself. The stage calls the same functions on its replica, so honest
//! answers agree.
//!
//! | file | content |
//! |---|---|
//! | `inbox.rs` | the records it consumes, parsed once |
//! | `pending.rs` | the life cycle of an intent here: states, events, the one `apply` |
//! | `on_*.rs` | one file per input: submitted and returned intents, answers, payments, time |
//! | `outlook.rs` | the policy's early answer |
//! | `ballot.rs`, `assign.rs` | which answers count, and for which group |
//! | `publish.rs` | the records it makes |
//! | `store.rs`, `schema.rs` | its tables |

#![deny(clippy::wildcard_enum_match_arm)]

mod assign;
mod ballot;
mod inbox;
mod on_approval;
mod on_changed;
mod on_returned;
mod on_submitted;
mod on_tick;
mod outlook;
mod pending;
mod publish;
mod schema;
mod stage;
mod step;
mod store;

pub use assign::assign;
pub use schema::MIGRATIONS;
pub use stage::ApprovalsStage;
