//! The journal: one ordered, witnessed, fresh record of every decision, replayed by every signer.
//!
//! Pure: [`apply::apply`] takes a state and an entry and gives a delta or a refusal; no clock, no
//! I/O, no float, no map order. A signer releases a share if and only if the request follows from
//! the journal's current witnessed head ([`follower`]), its own decoding of the transaction, and
//! its own local rules ([`share`]).
//!
//! | module | what |
//! |---|---|
//! | [`genesis`] | entry 0: who takes part, pinned by hash |
//! | [`entry`] | entries, leaves, private parts |
//! | `known` | a bounded memory of what was worked out |
//! | [`keyspace`], [`model`], [`state`], [`root`] | the ordered map, its records, its Merkle root |
//! | [`mod@apply`] | the rules of each entry |
//! | `asked` | whether a payment may go out: one function for authorization, attempt and share |
//! | [`share`] | what a signature share needs at the head |
//! | [`prospect`] | what the fresh head proves of an intent that is not signed |
//! | [`overlay`] | views of the past (head) and of what was handed over |
//! | [`follower`], [`witness`], [`writer`] | replica, cosigner, orderer as state machines |

#![deny(clippy::wildcard_enum_match_arm)]

mod asked;

pub mod apply;
mod cosigned;
pub mod entry;
pub mod follower;
pub mod genesis;
pub mod keyspace;
mod known;
pub mod model;
pub mod overlay;
pub mod prospect;
pub mod root;
pub mod share;
pub mod state;
pub mod witness;
pub mod writer;

pub use apply::apply;
pub use entry::{
    Authorization, Body, Entry, Finished, FurtherAttempt, SealedEntry, SeatCosignature, Witnessed,
};
pub use genesis::{Bounds, Genesis, Mode};
pub use state::{Delta, State, View};
