//! A small world made from one number: an installation with its signers and services, a tenant with
//! its people, and short ways to write down and sign what they want.
//!
//! | type | what a test gets from it |
//! |---|---|
//! | [`World`] | genesis, keys of services, signers and people; signed intents, approvals, acts |
//! | [`Ledger`] | a journal as a state: `apply` and commit |
//! | [`Log`] | the same journal as its writer publishes it, and a service's replica of it |
//! | [`Sender`], [`Letter`] | sealed records of any service, signer or forger, and reading them |
//! | [`Gateway`] | a chain's network by script |
//! | [`ScriptedBus`], [`Crashes`] | a bus and a process that fail when told to |
//! | [`small`] | one world for tests that only need some genesis |
//!
//! The same seed gives the same keys, ids and texts, whatever else is called. Made for tests,
//! simulation and measurements; no key of it is ever worth anything.
//!
//! ```
//! use strongroom_world::{AuthorizationExt as _, FRIEND, Ledger, Who, World, WorldOptions};
//!
//! let mut ledger = Ledger::ready(World::new(1, WorldOptions::default()));
//! let intent = ledger.world.intent(ledger.now, 2_000_000, FRIEND);
//! let authorization = ledger.authorization(&intent, &[Who::Approver(0)]);
//! ledger.push(authorization.into_body(), ledger.now).unwrap();
//! ```

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test kit: every failed expectation is a failed test"
)]

mod ceremony;
mod documents;
mod faults;
mod gateway;
mod ledger;
mod log;
mod options;
mod parties;
mod policies;
mod records;
mod reports;
mod seed;
pub mod small;
mod tenant;
mod world;

pub use ceremony::Ceremony;
pub use documents::{AuthorizationExt, FEE_MAX, INTENT_LIFE_MS, forge};
pub use faults::{Crashes, ScriptedBus};
pub use gateway::{Asked, Gateway};
pub use ledger::Ledger;
pub use log::{Log, offer, scope_of};
pub use options::{PolicyOptions, WorldOptions};
pub use parties::{Person, ServiceKeys, SignerKeys, Who, WitnessKeys};
pub use policies::{AUTO_MAX, ONE_OF_N_MAX};
pub use records::{Letter, ROLES, Sender, delivered};
pub use seed::Seed;
pub use tenant::Tenant;
pub use world::{CHAIN, FRIEND, NATIVE, START, STRANGER, World};
