//! The rules of the journal as models that a checker searches exhaustively (stateright), before and
//! beside the code that follows them. `docs/model.md` says what they show and what they do not.
//!
//! - [`journal`]: writer, witnesses, signers and a hostile rest
//! - [`time`]: time that witnesses vouch for, one line of entries
//! - [`recovery`]: a writer's failover after a crash or an equivocation
//! - [`nonce`]: one signer's nonces
//! - [`scenarios`]: every situation that is searched, and what is expected of it
//! - [`rules`]: which scenario shows that a rule is needed
//! - [`search`], [`report`]: one search, and what is said of all
//!
//! When the journal's rules change, change the model first.
#![allow(
    clippy::indexing_slicing,
    reason = "states are arrays by seat and by size; an index out of bounds is a defect of the model and must stop the run"
)]

pub mod journal;
pub mod log;
pub mod nonce;
pub mod property;
pub mod recovery;
pub mod report;
pub mod rules;
pub mod scenarios;
pub mod search;
pub mod seats;
pub mod time;
