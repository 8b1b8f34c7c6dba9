//! `strongroom-sim`: runs seeds, prints a summary; exits 1 when a property does not hold.

#![allow(clippy::print_stdout, reason = "a program for the terminal")]
#![allow(
    clippy::disallowed_methods,
    reason = "a composition root of the test kit: threads, wall clock for progress"
)]

#[cfg(mutants)]
mod mutants;
mod slices;
mod step;

use clap::Parser;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;
use strongroom_sim::cases::{self, Case};
use strongroom_sim::run::run_plan;
use strongroom_sim::walk::Until;
use strongroom_sim::{Outcome, Plan, Settings, Summary, run_seed};

/// Simulates all services and signers, everything from one number per run.
#[derive(Parser)]
struct Arguments {
    /// How many seeds.
    #[arg(long, default_value_t = 200)]
    seeds: u64,
    /// The first seed.
    #[arg(long, default_value_t = 1)]
    from: u64,
    /// Only this seed, with its hash.
    #[arg(long)]
    seed: Option<u64>,
    /// Only this case, a plan made by hand (--list-cases shows all).
    #[arg(long, value_name = "NAME", conflicts_with = "seed")]
    case: Option<Case>,
    /// Prints the name and meaning of every case.
    #[arg(long)]
    list_cases: bool,
    /// Prints every event (with --seed or --case).
    #[arg(long)]
    trace: bool,
    /// Walks a seed or case event by event (with --seed or --case): Enter goes to the next turn in
    /// which something happens, `s` shows the state of every part, `c` goes on to the end, `q`
    /// quits.
    #[arg(long)]
    step: bool,
    /// Runs to this event without asking, prints the state of every part after the turn in which it
    /// happened and exits 0 (with --step). EVENT is a number or a name; a wrong name prints all
    /// names. Exits 1 when the seed ends before it.
    #[arg(long, value_name = "EVENT", requires = "step")]
    until: Option<Until>,
    /// The last line is JSON only; no tables.
    #[arg(long)]
    json: bool,
    /// Intents of each seed's workload.
    #[arg(long, default_value_t = 8)]
    intents: usize,
    /// No faults, no attacks: every intent is paid.
    #[arg(long)]
    quiet: bool,
    /// Keeps a line of JSON per slice of --slice seeds in this file, and does not run again what it
    /// has of the same --from and --intents by this very build: a long run goes on where it was
    /// interrupted.
    #[arg(long, value_name = "FILE")]
    resume: Option<PathBuf>,
    /// Seeds of a slice (with --resume).
    #[arg(long, value_name = "N", default_value_t = 1_000, requires = "resume")]
    slice: u64,
    /// Runs every case; the last line is JSON.
    #[arg(long, conflicts_with_all = ["seed", "case", "step"])]
    cases: bool,
    /// Begins no seed after the first violation.
    #[arg(long, conflicts_with_all = ["seed", "case", "resume"])]
    first_violation: bool,
    /// Switches one guard after the other off and looks for the first seed that breaks a property;
    /// keeps a line of JSON per guard in this file, and does not run again what it has.
    #[cfg(mutants)]
    #[arg(long, value_name = "FILE", conflicts_with_all = ["seed", "case", "cases", "resume"])]
    mutants: Option<PathBuf>,
    /// Only this guard (with --mutants; may be repeated).
    #[cfg(mutants)]
    #[arg(long, value_name = "NAME", requires = "mutants")]
    guard: Vec<String>,
    /// Threads over seeds.
    #[arg(long, default_value_t = 2)]
    threads: u64,
}

impl Arguments {
    /// The one plan that is asked for; none for many seeds.
    fn plan(&self) -> Option<Plan> {
        match (&self.case, self.seed) {
            (Some(case), _) => Some(case.plan()),
            (None, Some(seed)) if self.quiet => Some(Plan::quiet(seed, self.intents)),
            (None, Some(seed)) => Some(Plan::new(seed, self.intents)),
            (None, None) => None,
        }
    }

    /// How the same plan is asked for again.
    fn again(&self, seed: u64) -> String {
        match &self.case {
            Some(case) => format!("--case {}", case.name),
            None => format!("--seed {seed}"),
        }
    }
}

fn show(arguments: &Arguments, outcome: &Outcome) {
    if let Some((violation, newest)) = &outcome.violation {
        let (seed, property) = (outcome.seed, violation.property);
        eprintln!(
            "seed {seed} breaks property {property} at turn {}:",
            outcome.turns
        );
        eprintln!("  it says: {}", property.meaning());
        eprintln!("  but: {}", violation.detail);

        // With the command that leads there: a report is read on another machine.
        eprintln!("last events:");
        newest.iter().for_each(|logged| eprintln!("  {logged}"));
        let again = arguments.again(seed);
        eprintln!("again: ./x sim {again} --step --until violated");
    }
}

/// Runs seeds from one on.
fn many(arguments: &Arguments, settings: &Settings, (from, seeds): (u64, u64)) -> Summary {
    // Each thread takes the next number, since seeds differ in length.
    let (next, summary) = (AtomicU64::new(0), Mutex::new(Summary::new()));
    let is_over = AtomicBool::new(false);
    let began = Instant::now();
    let work = || loop {
        let number = next.fetch_add(1, Ordering::Relaxed);
        if number >= seeds || is_over.load(Ordering::Relaxed) {
            return;
        }

        let outcome = run_seed(from + number, settings);
        show(arguments, &outcome);

        // Smaller numbers were begun before: the smallest one that violates does not depend on how
        // the threads took turns.
        if arguments.first_violation && outcome.violation.is_some() {
            is_over.store(true, Ordering::Relaxed);
        }

        let mut summary = summary.lock().unwrap_or_else(PoisonError::into_inner);
        summary.add(&outcome);
        if summary.seeds.is_multiple_of(20) {
            let (seeds, violations) = (summary.seeds, summary.violations.len());
            let seconds = began.elapsed().as_secs();
            eprintln!("{seeds} seeds, {violations} violations, {seconds} s");
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..arguments.threads.max(1) {
            scope.spawn(work);
        }
    });
    summary.into_inner().unwrap_or_else(PoisonError::into_inner)
}

/// Why a case does not hold, or shows nothing.
fn wrong_with(case: &Case, arguments: &Arguments, settings: &Settings) -> Option<String> {
    let violated = |outcome: &Outcome| {
        show(arguments, outcome);
        let violation = outcome.violation.as_ref();
        violation.map(|(violation, _)| violation.property.name())
    };

    // A case whose history is another than it is about shows nothing, and so fails, too.
    let outcome = run_plan(case.plan(), settings);
    if let Some(wrong) = violated(&outcome).or_else(|| case.missing(&outcome)) {
        return Some(wrong.to_owned());
    }

    // The same without its faults holds every property as well, and is not the case.
    let outcome = run_plan(case.harmless()?, settings);
    match (violated(&outcome), case.missing(&outcome)) {
        (Some(property), _) => Some(format!("{property}, without its faults")),
        (None, None) => Some("shown without its faults as well".to_owned()),
        (None, Some(_)) => None,
    }
}

/// Runs every case; says whether all hold.
fn run_cases(arguments: &Arguments, settings: &Settings) -> bool {
    let (next, failed) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let work = || loop {
        let Some(case) = cases::all().nth(next.fetch_add(1, Ordering::Relaxed)) else {
            return;
        };
        let wrong = wrong_with(case, arguments, settings);
        eprintln!("{}: {}", case.name, wrong.as_deref().unwrap_or("holds"));
        if wrong.is_some() {
            failed
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(case.name);
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..arguments.threads.max(1) {
            scope.spawn(work);
        }
    });

    let failed = failed.into_inner().unwrap_or_else(PoisonError::into_inner);
    println!(
        "{}",
        serde_json::json!({ "cases": cases::all().count(), "violated": failed })
    );
    failed.is_empty()
}

/// Runs one plan; says whether its history is the one that its case is about.
fn one(arguments: &Arguments, plan: Plan, settings: &Settings) -> (Summary, u64, bool) {
    let outcome = run_plan(plan, settings);
    show(arguments, &outcome);
    let seed = outcome.seed;
    eprintln!(
        "seed {seed}: {} events, hash {}",
        outcome.events, outcome.hash
    );
    let missing = arguments.case.and_then(|case| case.missing(&outcome));
    if let Some(missing) = missing {
        eprintln!("this is another situation than the case's: {missing} did not happen");
    }
    let mut summary = Summary::new();
    summary.add(&outcome);
    (summary, seed, missing.is_none())
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if arguments.list_cases {
        for case in cases::all() {
            println!("{}\n    {}", case.name, case.meaning);
        }
        return ExitCode::SUCCESS;
    }

    let settings = Settings {
        intents: arguments.intents,
        trace: arguments.trace,
    };
    #[cfg(mutants)]
    if let Some(file) = &arguments.mutants {
        return mutants::run(&arguments, file);
    }
    if arguments.cases {
        return if run_cases(&arguments, &settings) {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        };
    }
    let (summary, from, is_meant) = match arguments.plan() {
        Some(plan) if arguments.step => return step::step(plan, &settings, arguments.until),
        Some(plan) => one(&arguments, plan, &settings),
        None if arguments.step => {
            eprintln!("--step walks one seed or case: give --seed or --case");
            return ExitCode::from(2);
        }
        None => match slices::run(&arguments, &settings) {
            Ok(summary) => (summary, arguments.from, true),
            Err(error) => {
                eprintln!("the file of kept lines: {error}");
                return ExitCode::from(2);
            }
        },
    };
    if !arguments.json {
        println!("{}", summary.to_text());
    }
    let line = summary.to_json(from);
    #[cfg(mutants)]
    let line = mutants::with_counts(line);
    println!("{line}");
    if summary.is_good() && is_meant {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
