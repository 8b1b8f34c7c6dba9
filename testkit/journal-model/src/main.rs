//! `strongroom-model`: searches scenarios, prints what each showed; exits 1 unless every one of them
//! ended as expected.

#![allow(clippy::print_stdout, reason = "a program for the terminal")]

use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};

use clap::Parser;
use strongroom_journal_model::report::{Outcome, Summary};
use strongroom_journal_model::scenarios::{self, Scenario};
use strongroom_journal_model::search::Bounds;

/// Searches the models of the journal: what must hold, and what must break with one rule removed.
#[derive(Parser)]
struct Options {
    /// Only scenarios whose names contain this.
    filter: Option<String>,
    /// Prints the names and what is expected, and searches nothing.
    #[arg(long)]
    list: bool,
    /// The last line is JSON.
    #[arg(long)]
    json: bool,
    /// Scenarios searched at a time; each takes one core and up to 2 GB.
    #[arg(long, default_value_t = 2)]
    threads: usize,
    /// Seconds after which a search ends unfinished.
    #[arg(long, default_value_t = Bounds::default().seconds_max)]
    seconds_max: u64,
    /// Generated states after which a search ends unfinished.
    #[arg(long, default_value_t = Bounds::default().states_max)]
    states_max: usize,
}

fn main() -> ExitCode {
    let options = Options::parse();
    let filter = options.filter.as_deref().unwrap_or("");
    let chosen: Vec<Scenario> = scenarios::all()
        .into_iter()
        .filter(|scenario| scenario.name.contains(filter))
        .collect();
    if chosen.is_empty() {
        eprintln!("no scenario's name contains '{filter}': --list prints them");
        return ExitCode::from(2);
    }
    if options.list {
        for scenario in &chosen {
            println!("{:<58} {}", scenario.name, scenario.expected);
        }
        return ExitCode::SUCCESS;
    }

    let bounds = Bounds {
        states_max: options.states_max,
        seconds_max: options.seconds_max,
    };
    let summary = run(&chosen, bounds, options.threads);
    if options.json {
        println!("{}", summary.json());
    }
    if summary.is_good() {
        ExitCode::SUCCESS
    } else {
        eprintln!("not every scenario ended as expected: {}", summary.json());
        ExitCode::FAILURE
    }
}

/// Scenarios that wait for a thread, and outcomes that wait to be printed in order.
struct Progress<'a> {
    waiting: std::iter::Enumerate<std::slice::Iter<'a, Scenario>>,
    outcomes: Vec<Option<Outcome>>,
    printed: usize,
    summary: Summary,
}

impl Progress<'_> {
    /// Prints every outcome whose predecessors are printed.
    fn on_outcome(&mut self, index: usize, outcome: Outcome) {
        self.summary.add(&outcome);
        if let Some(place) = self.outcomes.get_mut(index) {
            *place = Some(outcome);
        }
        while let Some(Some(outcome)) = self.outcomes.get(self.printed) {
            println!("{outcome}");
            self.printed += 1;
        }
    }
}

fn run(chosen: &[Scenario], bounds: Bounds, threads: usize) -> Summary {
    let progress = Mutex::new(Progress {
        waiting: chosen.iter().enumerate(),
        outcomes: vec![None; chosen.len()],
        printed: 0,
        summary: Summary::default(),
    });
    let progress = &progress;
    let lock = || progress.lock().unwrap_or_else(PoisonError::into_inner);
    let work = || loop {
        // The lock is not held while a scenario is searched.
        let next = lock().waiting.next();
        let Some((index, scenario)) = next else {
            return;
        };
        let outcome = Outcome::of(scenario, bounds);
        lock().on_outcome(index, outcome);
    };
    std::thread::scope(|scope| {
        for _ in 0..threads.max(1) {
            scope.spawn(work);
        }
    });
    let progress = lock();
    progress.summary
}
