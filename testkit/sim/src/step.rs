//! `--step`: a seed event by event at the terminal, or straight to one event.

use std::io::{self, BufRead as _, Write as _};
use std::process::ExitCode;
use strongroom_sim::run::run_watched;
use strongroom_sim::walk::{Flow, ToEvent, Turned, Until, Watch};
use strongroom_sim::{Outcome, Plan, Settings};

/// Walks a plan.
pub(crate) fn step(plan: Plan, settings: &Settings, until: Option<Until>) -> ExitCode {
    match until {
        Some(until) => to_event(plan, settings, until),
        None => by_hand(plan, settings),
    }
}

fn to_event(plan: Plan, settings: &Settings, until: Until) -> ExitCode {
    let mut watch = ToEvent::new(until);
    let outcome = run_watched(plan, settings, &mut watch);
    match watch.found {
        Some((event, state)) => {
            println!("{event}\n\n{state}");
            ExitCode::SUCCESS
        }
        None => {
            println!("{}; the event did not happen", ended(&outcome));
            ExitCode::FAILURE
        }
    }
}

fn by_hand(plan: Plan, settings: &Settings) -> ExitCode {
    let mut watch = Terminal { asks: true };
    let outcome = run_watched(plan, settings, &mut watch);
    println!("{}", ended(&outcome));
    if outcome.violation.is_some() {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    }
}

fn ended(outcome: &Outcome) -> String {
    let (seed, events) = (outcome.seed, outcome.events);
    match &outcome.violation {
        _ if outcome.stopped => format!("seed {seed}: left after {events} events"),
        Some((violation, _)) => format!("seed {seed}: {events} events, violated {violation}"),
        None => format!("seed {seed}: {events} events, every property holds"),
    }
}

/// A person at a terminal.
struct Terminal {
    /// Whether each turn waits for a command.
    asks: bool,
}

impl Watch for Terminal {
    fn on_turn(&mut self, turned: &Turned<'_>) -> Flow {
        for event in turned.events {
            println!("{event}");
        }
        while self.asks {
            print!("> ");
            let _ = io::stdout().flush();
            let mut line = String::new();
            // The end of the input quits: a script that ran out of commands must not run on.
            let read = io::stdin().lock().read_line(&mut line).unwrap_or(0);
            if read == 0 {
                return Flow::Stop;
            }

            match line.trim() {
                "" => return Flow::Go,
                "s" => println!("{}", turned.state()),
                "c" => self.asks = false,
                "q" => return Flow::Stop,
                _ => println!("Enter: next; s: state of every part; c: on to the end; q: quit"),
            }
        }
        Flow::Go
    }
}
