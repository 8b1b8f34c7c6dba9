//! The coordinator: picks the quorum, relays, aggregates, retries with another quorum, names liars.
//!
//! It holds public keys and nonce commitments only, and nobody trusts it: signers derive the
//! message themselves, and whoever uses a signature verifies it. Everything here is memory: a
//! restart asks the signers for fresh commitments and is asked again for open signing runs.

mod ceremony;
mod quorum;
mod run;
mod stage;
mod stock;

pub use stage::{CoordinatorStage, Pace};
