//! The journal replica of a process: in the process's database, or in memory alone.
//!
//! - [`Replica`]: the [`Follower`](strongroom_journal::follower::Follower) with its tables. Log,
//!   state, root and position of a batch go into one transaction; a signer sends its cosignature
//!   only after that transaction.
//! - [`install()`], [`boot()`]: they tell a restarted disk from a restored, cloned or lost one.
//! - [`WitnessStatements`]: the size that each witness has cosigned, for a process that has no
//!   replica yet.
//! - [`SharedFollower`] and [`Feed`]: a replica in memory for services that can replay the bus.

mod boot;
mod error;
mod feed;
mod freeze;
mod incoming;
mod memory;
mod replica;
mod rows;
mod schema;
mod shared;
mod statement;
mod vaults;
mod witness;

pub use boot::{Marker, boot, install};
pub use error::ReplicaError;
pub use feed::{Feed, first_position, journal_topics};
pub use incoming::{Incoming, open_incoming};
pub use replica::{Replica, StoredHead, StoredTip};
pub use schema::MIGRATIONS;
pub use shared::SharedFollower;
pub use statement::{WitnessStatement, WitnessStatements};
pub use vaults::{TenantVaults, vault_key};
