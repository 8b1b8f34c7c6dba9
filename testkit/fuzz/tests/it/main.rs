//! Drives every target for a bounded time, the same way on every run, and replays what campaigns have
//! found.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout
)]
#![allow(
    clippy::disallowed_methods,
    reason = "a longer run is asked for by environment variable"
)]

mod corpus;
mod reached;
mod versions;

use rand_chacha::ChaCha20Rng;
use rand_core::{RngCore as _, SeedableRng as _};
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use strongroom_fuzz::mutate::mutate;
use strongroom_fuzz::targets::SLOW;
use strongroom_fuzz::{Target, all, find};

const ROUNDS: u32 = 8_000;
/// Of a slow target's rounds one in so many is run.
const SLOW_SHARE: u32 = 32;

/// Root of the repository.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn rounds() -> u32 {
    std::env::var("STRONGROOM_FUZZ_ROUNDS").map_or(ROUNDS, |text| {
        text.parse().expect("STRONGROOM_FUZZ_ROUNDS is a number")
    })
}

fn rounds_of(target: &Target) -> u32 {
    if SLOW.contains(&target.name) {
        rounds() / SLOW_SHARE
    } else {
        rounds()
    }
}

fn run(target: &Target, input: &[u8]) -> bool {
    catch_unwind(AssertUnwindSafe(|| (target.run)(input))).unwrap_or_else(|_| {
        let hex: String = input.iter().map(|byte| format!("{byte:02x}")).collect();
        panic!("target `{}` fails on {hex}", target.name)
    })
}

#[test]
fn every_target_accepts_its_own_seeds() {
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    for target in all() {
        let seeds = (target.seeds)(&mut rng);
        assert!(!seeds.is_empty(), "target `{}` has no seed", target.name);
        for seed in &seeds {
            assert!(
                run(&target, seed),
                "target `{}` refuses its seed {seed:?}",
                target.name
            );
        }
    }
}

/// Mutates the target's seeds; gives how many inputs it accepted.
fn drive(target: &Target, rounds: u32) -> u32 {
    let mut rng = ChaCha20Rng::seed_from_u64(2);
    let seeds = (target.seeds)(&mut rng);
    let pick = |n: u64| &seeds[usize::try_from(n % seeds.len() as u64).unwrap()];
    let mut accepted = 0;
    for _ in 0..rounds {
        let input = mutate(pick(rng.next_u64()), pick(rng.next_u64()), &mut rng);
        accepted += u32::from(run(target, &input));
    }
    accepted
}

#[test]
fn no_mutation_of_a_valid_input_makes_a_decoder_panic_or_accept_a_second_encoding() {
    for target in all() {
        println!(
            "{}: {} inputs, {} accepted",
            target.name,
            rounds_of(&target),
            drive(&target, rounds_of(&target))
        );
    }
}

#[test]
fn the_driver_catches_a_decoder_that_panics_and_one_that_is_lenient() {
    for name in ["broken_panics", "broken_lenient"] {
        let target = find(name).expect(name);
        assert!(
            catch_unwind(AssertUnwindSafe(|| drive(&target, ROUNDS))).is_err(),
            "{}",
            target.name
        );
    }
}

#[test]
fn every_truncation_of_a_seed_is_survived_and_every_trailing_byte_is_refused() {
    let mut rng = ChaCha20Rng::seed_from_u64(3);
    for target in all() {
        let seed = (target.seeds)(&mut rng).swap_remove(0);
        for length in 0..seed.len().min(512) {
            run(&target, &seed[..length]);
        }
        // Only a stream goes on after one frame, and a query's last member takes any character;
        // every other value ends with its bytes.
        if !["frame", "api_query"].contains(&target.name) {
            assert!(
                !run(&target, &[&seed[..], b"\0"].concat()),
                "target `{}` accepts a trailing byte",
                target.name
            );
        }
    }
}

#[test]
fn target_names_are_unique_and_the_slow_ones_are_targets() {
    let names: BTreeSet<&str> = all().iter().map(|target| target.name).collect();
    assert_eq!(names.len(), all().len());
    assert!(SLOW.iter().all(|name| names.contains(name)));
    assert!(!names.iter().any(|name| name.starts_with("broken_")));
}
