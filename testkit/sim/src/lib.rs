//! The simulation: the real state machines of all services, signers and the witness on virtual
//! clocks, in one thread, everything from one number.
//!
//! Nothing here is a model of the product: the services are the very stages, the signers the very
//! nodes that the binaries run, and people's requests go through the API's own intake into its own
//! tables. What is simulated is the world around them: clocks, disks, the bus, the link between bus
//! and signers, the people, and hostile parts that hold real service keys.
//!
//! Two pieces of the product are not run: the API's HTTP layer (routes, bodies, bearer keys,
//! readiness, waiting, the journal's mirror), whose tests are in `crates/api`, and the carrier
//! between bus and signer (`crates/link`), in whose place `link` loses and delays frames.
//!
//! | module | contents |
//! |---|---|
//! | [`plan`], `script`, [`kinds`] | what a seed does: workload, faults, hostile parts; their names |
//! | [`cases`] | plans made by hand, each for one situation |
//! | `dice`, `clock`, `wakes` | randomness, true time and each node's own, who is due when |
//! | [`event`], [`trace`] | what happened, as numbered values with stable names, and their hash |
//! | `wire`, [`bus`], `link` | records on their way: the log per topic, one node's connection to it, frames to a signer |
//! | `rig` | the parts above, as all nodes share them |
//! | `disk`, `host` | per-node database, entropy, boot marker, key protector |
//! | `service`, `api`, `signer`, `nodes`, `gateway` | the nodes; where requests come in; the chain's node |
//! | `people`, `chaos`, `hostile` | people, faults, attacks |
//! | [`history`], [`properties`], `observe` | what the observer saw, and what must hold of it |
//! | `sim`, [`run`], [`walk`], [`report`] | a seed turn by turn, from start to end, under a debugger; many seeds |

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test kit: every failed expectation is a failed run"
)]

mod api;
pub mod bus;
pub mod cases;
mod chaos;
mod clock;
mod dice;
mod disk;
pub mod event;
mod gateway;
pub mod history;
mod host;
mod hostile;
pub mod kinds;
mod link;
mod nodes;
mod observe;
mod people;
pub mod plan;
pub mod properties;
mod reading;
pub mod report;
mod rig;
pub mod run;
mod script;
mod service;
mod signer;
mod sim;
pub mod trace;
mod wakes;
pub mod walk;
mod wire;

pub use event::{Counts, Event};
pub use kinds::{Fault, Hostile, NodeName, Situation, WritePoint};
pub use plan::Plan;
pub use properties::Property;
pub use report::Summary;
pub use run::{Outcome, Settings, run_seed};
