//! Attacks that must fail, each against real processes, and each shown to need its guard.
//!
//! [`ground`] is an installation whose services, log and network are the attacker's. A [`row`] of
//! `docs/attacks.md` is a file in [`rows`].

#![allow(
    clippy::disallowed_methods,
    reason = "a test kit: it starts processes, waits, and lives in real time"
)]
#![allow(clippy::print_stdout, reason = "its results are what it prints")]

pub mod direct;
pub mod evidence;
pub mod ground;
pub mod ids;
pub mod pages;
pub mod results;
pub mod row;
pub mod rows;
pub mod run;
pub mod suite;
pub mod tell;
pub mod unmade;
