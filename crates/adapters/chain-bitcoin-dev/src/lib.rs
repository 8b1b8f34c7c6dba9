//! A development chain: an in-process stand-in for a Bitcoin node, for demos and tests.
//!
//! It is named as what it is: no proof of work, no peers, no mempool policy beyond replacement by a
//! higher fee. What it does check is what matters to a signer: every spend is judged by Bitcoin
//! Core's own script interpreter (`bitcoinconsensus`, all flags up to Taproot, all spent outputs),
//! every input must exist unspent, and no value is made. One file per concern: [`interpreter`],
//! `ledger` (the SQLite file), [`chain`].

pub mod chain;
mod gateway;
pub mod interpreter;
mod ledger;

pub use chain::{Confirm, DevChain, DevChainError};
pub use gateway::FEE_RATE;
pub use interpreter::{ScriptError, SpentOutput, check_spend};
