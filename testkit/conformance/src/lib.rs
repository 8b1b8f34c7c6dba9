//! Behaviour suites of the ports. A macro owns each list of cases, so a new case reaches every
//! adapter.
//!
//! ```text
//! strongroom_conformance::store_suite!(make_db);   // fn make_db() -> (impl Db, impl Sized)
//! strongroom_conformance::bus_suite!(make_bus);    // fn make_bus() -> impl BusFixture
//! strongroom_conformance::keys_suite!(make_pair);  // fn make_pair() -> (protector, another key's, keep-alive)
//! strongroom_conformance::chain_suite!(make_chain); // fn make_chain() -> impl ChainFixture
//! ```

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a test kit: every failed expectation is a failed test"
)]

pub mod bus;
pub mod chain;
pub mod keys;
pub mod postgres;
pub mod store;
mod suites;
