//! The coordinator: picks the quorum, relays, aggregates, retries with another quorum, names
//! culprits.
//!
//! It holds public keys and nonce commitments only, and no part trusts it: signers derive the
//! message themselves, and every user of a signature verifies it. Everything here is memory: a
//! restart asks the signers for new commitments and is asked again for open signing runs.
//!
//! | module | contents |
//! |---|---|
//! | [`stage`], `inbox`, `send` | records in, one handler per kind; records out |
//! | `on_signing_requested`, `on_commitments`, `on_shares`, `on_refusal` | a signing run, input by input |
//! | `on_ceremony_message`, `on_certificate` | a key generation, input by input |
//! | `on_tick` | deadlines, silent quorums, stock, next runs of ceremonies |
//! | `ask`, `quorum`, `stock` | asking t signers with a nonce commitment of each |
//! | `run`, `ceremony`, `life_cycle` | the two life cycles; each table is the `life-cycle.txt` beside its `state.rs` |

#![deny(clippy::wildcard_enum_match_arm)]

mod ask;
mod ceremony;
mod inbox;
mod life_cycle;
mod on_ceremony_message;
mod on_certificate;
mod on_commitments;
mod on_refusal;
mod on_shares;
mod on_signing_requested;
mod on_tick;
mod quorum;
mod run;
mod send;
pub mod stage;
mod stock;

pub use stage::{CoordinatorStage, Pace};
