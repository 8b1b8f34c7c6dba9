//! The report on a scenario, and on all of them.

use std::fmt;

use crate::property::Goal;
use crate::scenarios::{Expected, Scenario};
use crate::search::{Bounds, Found, StopAt};

/// A search beside what was expected of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// Every property holds in every state, and the expected goals are reached.
    Held,
    /// What had to break broke.
    BrokeAsExpected,
    /// Anything else happened.
    Unexpected(String),
    /// A bound ended the search before it could tell.
    Unfinished,
}

/// A scenario that was searched.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Name of the scenario.
    pub name: &'static str,
    /// Result of the search.
    pub found: Found,
    /// The result beside what was expected.
    pub verdict: Verdict,
}

impl Outcome {
    /// Searches a scenario.
    pub fn of(scenario: &Scenario, bounds: Bounds) -> Outcome {
        let stop_at = match scenario.expected {
            Expected::Holds(_) => StopAt::Nothing,
            Expected::Breaks(_) => StopAt::FirstBroken,
        };
        let found = scenario.model.search(stop_at, bounds);
        let verdict = judge(scenario.expected, &found);
        Outcome {
            name: scenario.name,
            found,
            verdict,
        }
    }
}

/// Compares a result with what was expected.
pub fn judge(expected: Expected, found: &Found) -> Verdict {
    let broken: Vec<&str> = found.broken.iter().map(|one| one.property).collect();
    match expected {
        Expected::Holds(_) if !broken.is_empty() => {
            Verdict::Unexpected(format!("must hold, but breaks {}", broken.join(", ")))
        }
        Expected::Holds(_) if !found.is_exhausted => Verdict::Unfinished,
        Expected::Holds(goals) => judge_goals(goals, found),
        Expected::Breaks(_) if broken.is_empty() && !found.is_exhausted => Verdict::Unfinished,
        Expected::Breaks(properties) => {
            let names: Vec<&str> = properties.iter().map(|one| one.name()).collect();
            let breaks_first = names.first().is_some_and(|first| broken.contains(first));
            // Others may fall with the first, but only those that the scenario names.
            if breaks_first && broken.iter().all(|name| names.contains(name)) {
                Verdict::BrokeAsExpected
            } else if broken.is_empty() {
                Verdict::Unexpected(format!("must break {}, but holds", names.join(", ")))
            } else {
                let (names, broken) = (names.join(", "), broken.join(", "));
                Verdict::Unexpected(format!("must break {names}, but breaks {broken}"))
            }
        }
    }
}

/// Exactly the expected goals are reached: a scenario in which nothing is signed holds for nothing.
fn judge_goals(goals: &[Goal], found: &Found) -> Verdict {
    let mut expected: Vec<&str> = goals.iter().map(|goal| goal.name()).collect();
    expected.sort_unstable();
    let reached: Vec<&str> = found.reached.iter().map(|one| one.goal).collect();
    if reached == expected {
        return Verdict::Held;
    }
    let (expected, reached) = (expected.join("; "), reached.join("; "));
    Verdict::Unexpected(format!("must reach [{expected}], but reaches [{reached}]"))
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let found = &self.found;
        let broken: Vec<&str> = found.broken.iter().map(|one| one.property).collect();
        let result = if self.verdict == Verdict::Unfinished {
            "NOT EXHAUSTED".to_owned()
        } else if broken.is_empty() {
            "holds".to_owned()
        } else {
            format!("breaks {}", broken.join(", "))
        };
        write!(
            f,
            "{:<58} {:>9} states {:>6.1} s  {result}",
            self.name, found.states, found.seconds
        )?;

        for one in &found.broken {
            write!(f, "\n    {}: {}", one.property, one.trace.join(" -> "))?;
        }
        if !found.reached.is_empty() {
            let goal =
                |one: &crate::search::Reached| format!("{} ({} steps)", one.goal, one.trace.len());
            let goals: Vec<String> = found.reached.iter().map(goal).collect();
            write!(f, "\n    reached: {}", goals.join("; "))?;
        }
        // Two goals are faults, so their traces are printed, too.
        for one in &found.reached {
            if [Goal::Wedged.name(), Goal::Ambiguous.name()].contains(&one.goal) {
                write!(f, "\n    {}: {}", one.goal, one.trace.join(" -> "))?;
            }
        }
        if let Verdict::Unexpected(reason) = &self.verdict {
            write!(f, "\n    ** not as expected: {reason}")?;
        }
        Ok(())
    }
}

/// Numbers of scenarios by the way in which they ended.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Summary {
    /// Scenarios that were searched.
    pub scenarios: usize,
    /// Those that hold, as they must.
    pub held: usize,
    /// Those that break, as they must.
    pub broke_as_expected: usize,
    /// Those that did anything else.
    pub unexpected: usize,
    /// Those that a bound ended.
    pub unfinished: usize,
}

impl Summary {
    /// Counts one scenario.
    pub fn add(&mut self, outcome: &Outcome) {
        self.scenarios += 1;
        let count = match outcome.verdict {
            Verdict::Held => &mut self.held,
            Verdict::BrokeAsExpected => &mut self.broke_as_expected,
            Verdict::Unexpected(_) => &mut self.unexpected,
            Verdict::Unfinished => &mut self.unfinished,
        };
        *count += 1;
    }

    /// Did every search finish as expected? A run without a scenario shows nothing.
    pub fn is_good(&self) -> bool {
        self.scenarios > 0 && self.held + self.broke_as_expected == self.scenarios
    }

    /// One line, with the members that CI reads.
    pub fn json(&self) -> serde_json::Value {
        serde_json::json!({
            "scenarios": self.scenarios,
            "held": self.held,
            "broke_as_expected": self.broke_as_expected,
            "unexpected": self.unexpected,
            "unfinished": self.unfinished,
        })
    }
}
