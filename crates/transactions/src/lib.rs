//! Transactions of one chain: builds them, offers them to the journal and the coordinator,
//! assembles, broadcasts.
//!
//! It holds no keys and decides nothing: signers decode what it builds and compare with the
//! journal. Its tables cost liveness when they lie, never money.
//!
//! | file | holds |
//! |---|---|
//! | `payment` | the life cycle: states, events, `apply`; the table is `life-cycle.txt` |
//! | `on_decided`, `on_journal_result`, `on_signatures`, `on_network`, `on_reminder` | one event each |
//! | `inbox`, `stage` | topics, whom it believes there, and the handler of each record |
//! | `build`, `publish` | from an intent to an offered transaction; records that are sent |
//! | `after_refusal` | step after a refusal, by its code; the list is `snapshots/cures.txt` |
//! | `node`, `watcher`, `facts` | the chain node and its time, what it says, and what is kept of it |
//! | `reservations`, `store`, `schema` | which coin belongs to whom; payments; tables |

#![deny(clippy::wildcard_enum_match_arm)]

mod after_refusal;
mod build;
mod facts;
mod inbox;
mod node;
mod on_decided;
mod on_journal_result;
mod on_network;
mod on_reminder;
mod on_signatures;
mod payment;
mod publish;
mod reservations;
mod schema;
mod stage;
mod step;
mod store;
mod watcher;

pub use schema::MIGRATIONS;
pub use stage::{TransactionsParts, TransactionsStage};
