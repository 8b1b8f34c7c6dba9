//! Approvals: evaluates the policy early, collects people's answers, and says when an intent is
//! complete.
//!
//! Everything here is a hint: `journal::apply` evaluates the policy again at the entry's position
//! and counts the approvals itself. The stage calls the same functions on its replica, so honest
//! answers agree.

mod assign;
mod schema;
mod stage;
mod store;

pub use assign::assign;
pub use stage::ApprovalsStage;
