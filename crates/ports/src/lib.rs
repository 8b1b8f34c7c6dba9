//! The traits through which applications reach the outside world.
//!
//! Every port is synchronous: services are single-threaded state machines, so that the simulator
//! can run the same code on a virtual clock. Each port documents its contract; each sentence of a
//! contract is a case of `testkit/conformance`.

pub mod bus;
pub mod chain;
pub mod db;
pub mod host;
pub mod keys;
