//! `strongroom-sim`: runs seeds, prints a summary; exits 1 when a property does not hold.

#![allow(clippy::print_stdout, reason = "a program for the terminal")]
#![allow(
    clippy::disallowed_methods,
    reason = "a composition root of the test kit: threads, wall clock for progress"
)]

use clap::Parser;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;
use strongroom_sim::run::run_plan;
use strongroom_sim::{Outcome, Plan, Settings, Summary, run_seed};

/// Simulates all services and signers from one number a run.
#[derive(Parser)]
struct Options {
    /// How many seeds.
    #[arg(long, default_value_t = 200)]
    seeds: u64,
    /// The first seed.
    #[arg(long, default_value_t = 1)]
    from: u64,
    /// Only this seed, with its hash.
    #[arg(long)]
    seed: Option<u64>,
    /// Prints every event (with --seed).
    #[arg(long)]
    trace: bool,
    /// The last line is JSON only; no tables.
    #[arg(long)]
    json: bool,
    /// Intents of each seed's workload.
    #[arg(long, default_value_t = 8)]
    intents: usize,
    /// No faults, no attacks: every intent is paid.
    #[arg(long)]
    quiet: bool,
    /// Threads over seeds.
    #[arg(long, default_value_t = 2)]
    threads: u64,
}

fn show(outcome: &Outcome) {
    if let Some((violation, tail)) = &outcome.violation {
        eprintln!(
            "seed {} breaks property {} at step {}:",
            outcome.seed, violation.property, outcome.steps
        );
        eprintln!("  {}", violation.detail);
        eprintln!("last events:");
        tail.iter().for_each(|line| eprintln!("  {line}"));
        eprintln!("again: strongroom-sim --seed {} --trace", outcome.seed);
    }
}

fn many(options: &Options, settings: &Settings) -> Summary {
    let (next, summary) = (AtomicU64::new(0), Mutex::new(Summary::new()));
    let began = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..options.threads.max(1) {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= options.seeds {
                        return;
                    }
                    let outcome = run_seed(options.from + number, settings);
                    show(&outcome);
                    let mut summary = summary
                        .lock()
                        .unwrap_or_else(std::sync::PoisonError::into_inner);
                    summary.add(&outcome);
                    if summary.seeds.is_multiple_of(20) {
                        let seconds = began.elapsed().as_secs();
                        eprintln!(
                            "{} seeds, {} violations, {seconds} s",
                            summary.seeds,
                            summary.violations.len()
                        );
                    }
                }
            });
        }
    });
    summary
        .into_inner()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}

fn main() -> ExitCode {
    let options = Options::parse();
    let settings = Settings {
        intents: options.intents,
        trace: options.trace,
    };
    let (summary, from) = match options.seed {
        Some(seed) => {
            let plan = if options.quiet {
                Plan::quiet
            } else {
                Plan::new
            };
            let outcome = run_plan(plan(seed, settings.intents), &settings);
            show(&outcome);
            eprintln!(
                "seed {seed}: {} events, hash {}",
                outcome.lines, outcome.hash
            );
            let mut summary = Summary::new();
            summary.add(&outcome);
            (summary, seed)
        }
        None => (many(&options, &settings), options.from),
    };
    if !options.json {
        println!("{}", summary.to_text());
    }
    println!("{}", summary.to_json(from));
    if summary.is_good() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
