//! A fuzz target per decoder: every way in which bytes from outside become values of ours.
//!
//! A target is a plain function. It must not panic, must not take memory that the input did not pay
//! for, and whatever it accepts must encode back to the very bytes it was given.
//!
//! - `cargo test -p strongroom-fuzz` (part of `./x test`) drives each target through its valid
//!   seeds and a bounded number of mutations of them, the same ones on every run;
//!   `STRONGROOM_FUZZ_ROUNDS=1000000` makes it a long run.
//! - `libfuzzer/` hands the same functions to cargo-fuzz, for coverage-guided runs on a nightly
//!   compiler.
//!
//! A new decoder is one line in [`targets`].

pub mod generate;
pub mod mutate;
pub mod targets;

pub use targets::{Target, all};
