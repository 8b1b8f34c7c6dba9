//! A fuzz target per decoder: every way in which bytes from outside become values of ours.
//!
//! A target is a plain function. It must not panic, must not take memory that the input did not pay
//! for ([`memory_max`]), and whatever it accepts must encode back to the very bytes it was given, or
//! keep the other property that its function names where a value has no encoding of its own.
//!
//! - `cargo test` (part of `./x test`) drives each target through its valid seeds, the committed
//!   corpus and a bounded number of mutations, the same ones on every run;
//!   `STRONGROOM_FUZZ_ROUNDS=1000000` makes it a long run.
//! - `./x fuzz` is a [`campaign`]: the same functions under libFuzzer, guided by coverage, on the
//!   stable compiler. `libfuzzer/` is the program that it runs.
//!
//! A new decoder is one line in [`targets`]; a test fails for a type that can be decoded and that no
//! target reaches.

pub mod broken;
pub mod campaign;
pub mod generate;
pub mod mutate;
pub mod targets;

pub use targets::{Target, all};

use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;

/// Valid inputs of a target, the same ones each time.
#[must_use]
pub fn generate_seeds(target: &Target) -> Vec<Vec<u8>> {
    (target.seeds)(&mut ChaCha20Rng::seed_from_u64(1))
}

/// The target of this name, a broken one too.
#[must_use]
pub fn find(name: &str) -> Option<Target> {
    let mut targets = all().into_iter().chain(broken::all());
    targets.find(|target| target.name == name)
}

/// Memory that any run may take beyond what its input pays for, bytes: the largest record, and the
/// state of the machine that is given it.
const MEMORY_FREE: usize = 4 * 1024 * 1024;
/// Memory that each byte of an input pays for, bytes. The widest are objects of JSON: six bytes of
/// text become a map with a node of its own.
const MEMORY_PER_BYTE: usize = 256;

/// Largest memory that a run on an input of so many bytes may hold at once, bytes.
#[must_use]
pub const fn memory_max(input: usize) -> usize {
    MEMORY_FREE.saturating_add(input.saturating_mul(MEMORY_PER_BYTE))
}
