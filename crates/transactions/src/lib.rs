//! Transactions of one chain: builds them, offers them to the journal and the coordinator,
//! assembles, broadcasts.
//!
//! It holds no keys and decides nothing: signers decode what it builds and compare with the
//! journal. Its tables (coins, states) cost liveness when they lie, never money.

mod facts;
mod flow;
mod reservations;
mod schema;
mod stage;
mod store;
mod watcher;

pub use stage::{TransactionsParts, TransactionsStage};
