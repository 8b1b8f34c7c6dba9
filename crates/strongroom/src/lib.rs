//! Strongroom's services as a library: the roles, what a process of some of them is made of, and
//! the command line.
//!
//! A program passes the parts that it links ([`parts::Adapters`]: kinds of bus, store and chain
//! gateway) and gets the roles of a configuration running on them. The shipped `strongroom` passes
//! only what may carry real value; `strongroom-dev` of the test kit adds the embedded bus, SQLite
//! and the development chain.
//!
//! - [`run`]: the `run` command, and a running set of roles.
//! - [`config`], [`secrets`], [`folder`]: what an operator writes and a role owns on disk.
//! - [`parts`]: opening all of it, before anything starts.
//! - [`roles`]: a file per role, saying what it is made of; `http`, `sockets` and `start_check` are
//!   what the roles `api`, `link` and `writer` alone need.
//! - `harden`: what a process that reads keys gives up first.
//! - [`supervise`]: threads, restarts, failures.
//! - [`exit`]: every way in which that fails, with its exit code.
//! - [`cli`]: what people and scripts use against a running Strongroom, and on its files.

pub mod cli;
pub mod config;
pub mod exit;
pub mod folder;
mod harden;
mod http;
pub mod parts;
mod role_name;
pub mod roles;
pub mod run;
pub mod secrets;
mod sockets;
mod start_check;
pub mod supervise;

// A shipped program verifies every signature each time: features unify in a build of several
// packages, and the simulator's must not come in that way.
const _: () = assert!(!strongroom_ed25519::REMEMBERS);
