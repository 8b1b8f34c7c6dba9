//! Measured figures: threshold signing beside libsecp256k1 and ed25519-dalek, the policy, and the
//! journal's rate.
//!
//! Every figure is a median, and those of one line come from one run: ratios between them hold on
//! other machines, microseconds do not. Run it on a quiet machine, in a release build.
#![allow(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a tool at the outside: it prints, and reads the clock that it measures with"
)]

mod core;
mod journal;
mod measure;

use clap::{Parser, Subcommand};
use serde_json::Value;

#[derive(Parser)]
#[command(name = "bench", about = "Measured figures of this machine")]
struct Options {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Threshold signing beside libsecp256k1 and ed25519-dalek, and the policy with 200 rules.
    Core {
        /// Also 18-of-24.
        #[arg(long)]
        large: bool,
        /// End with one line of JSON.
        #[arg(long)]
        json: bool,
    },
    /// The policy with 200 rules alone.
    Policy {
        /// End with one line of JSON.
        #[arg(long)]
        json: bool,
    },
    /// Journal entries per second: a writer, three replaying signers and a witness, on two threads.
    Journal {
        /// Pre-signed payments in each round.
        #[arg(long, default_value_t = 6_000, value_parser = clap::value_parser!(u32).range(64..=90_000))]
        entries: u32,
        /// Rounds, each on new databases; the median counts.
        #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=25))]
        rounds: u32,
        /// Threads that work the five nodes; one thread waits while a disk does, five wait side by
        /// side.
        #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=5))]
        threads: u32,
        /// Policy guards over a day's sum, which every entry is checked against.
        #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=16))]
        ceilings: u32,
        /// End with one line of JSON.
        #[arg(long)]
        json: bool,
    },
}

fn main() -> anyhow::Result<()> {
    let (figures, json) = match Options::parse().what {
        What::Core { large, json } => (core::run(large)?, json),
        What::Policy { json } => (core::policy::run()?, json),
        What::Journal {
            entries,
            rounds,
            threads,
            ceilings,
            json,
        } => (
            journal::run(&journal::Plan {
                entries,
                rounds,
                threads,
                ceilings,
            })?,
            json,
        ),
    };
    print(&figures, 0);
    if json {
        println!("{figures}");
    }
    Ok(())
}

/// Prints figures by name, indented by depth.
fn print(value: &Value, depth: usize) {
    let Value::Object(members) = value else {
        return;
    };
    for (name, value) in members {
        let indent = depth * 2;
        if value.is_object() {
            println!("{:indent$}{name}", "");
            print(value, depth + 1);
        } else {
            println!("{:indent$}{name:<28} {value}", "");
        }
    }
}
