//! A development chain: an in-process stand-in for a Bitcoin node, for demos and tests.
//!
//! It has no proof of work, no peers, and no mempool policy except replacement by a higher fee. It
//! checks what matters to a signer: Bitcoin Core's script interpreter verifies every spend
//! (`bitcoinconsensus`, all flags up to Taproot, all spent outputs), every input must exist and be
//! unspent, and a transaction must not create value. One file per concern: [`interpreter`],
//! `ledger` (the SQLite file), [`chain`].

pub mod chain;
mod gateway;
pub mod interpreter;
mod ledger;

pub use chain::{Confirm, DevChain, DevChainError};
pub use gateway::FEE_RATE;
pub use interpreter::{ScriptError, SpentOutput, check_spend};
