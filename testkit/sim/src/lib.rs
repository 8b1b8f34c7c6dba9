//! The simulation: the real state machines of all services, signers and the witness on virtual
//! clocks, in one thread, everything from one number.
//!
//! Nothing here is a model of the product: the services are the very stages, the signers the very
//! nodes that the binaries run. What is simulated is the world around them: clocks, disks, the bus,
//! the link between bus and signers, the people, and hostile parts that hold real service keys.
//!
//! | module | what |
//! |---|---|
//! | [`plan`], [`kinds`] | what a seed does: workload, faults, hostile parts; their names |
//! | `hub`, [`bus`], `trace` | time, randomness, counters, the deterministic bus, the event log with its hash |
//! | `disk`, `clock`, `host` | per-node database, clock, entropy, boot marker, key protector |
//! | `service`, `client`, `signer`, `link` | the nodes |
//! | `workload`, `chaos`, `hostile` | people, faults, attacks |
//! | [`history`], [`properties`], `observe`, `facts` | what happened, and what must hold of it |
//! | [`run`], [`report`] | a seed from start to end; many seeds |

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test kit: every failed expectation is a failed run"
)]

pub mod bus;
mod chaos;
mod client;
mod clock;
mod disk;
mod facts;
pub mod history;
mod host;
mod hostile;
pub mod hub;
pub mod kinds;
mod link;
mod observe;
pub mod plan;
pub mod properties;
pub mod report;
pub mod run;
mod service;
mod signer;
mod trace;
mod workload;

pub use kinds::{Fault, Hostile, NodeName, WritePoint};
pub use plan::Plan;
pub use report::Summary;
pub use run::{Outcome, Settings, run_seed};
