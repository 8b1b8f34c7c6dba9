//! The coordinator beside scripted signers: record in, records out. The journal, the key and the
//! shares are real; the signers sign what they are told, or misbehave as a test wants.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

mod answers;
mod ceremonies;
mod matrix;
mod records;
mod restart;
mod runs;
mod senders;
mod signers;
mod site;
mod states;
mod strangers;
mod tries;
