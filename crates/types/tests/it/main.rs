//! Golden texts and bytes: whatever is signed or hashed has one encoding, and it does not change.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::disallowed_methods
)]

mod acts;
mod borsh_bytes;
mod credentials;
mod golden;
mod hidden;
mod texts;
