//! Every scenario: a situation with a name, and what is expected of it.

mod failover;
mod loosenings;
mod nonces;
mod payments;
mod tightenings;
mod time_acts;
mod time_delays;
mod witness_sets;

use std::fmt;

use crate::journal::JournalModel;
use crate::nonce::NonceModel;
use crate::property::{Goal, Property};
use crate::recovery::RecoveryModel;
use crate::search::{Bounds, Found, StopAt, search};
use crate::time::TimeModel;

/// Expected result of a search.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Expected {
    /// Every property holds, in every state. Exactly these goals are reached.
    Holds(&'static [Goal]),
    /// The first of these is broken; the others may be broken with it, and nothing else.
    Breaks(&'static [Property]),
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Expected::Holds(_) => f.write_str("holds"),
            Expected::Breaks(properties) => {
                let names: Vec<&str> = properties.iter().map(|one| one.name()).collect();
                write!(f, "breaks {}", names.join(", "))
            }
        }
    }
}

/// A model in one situation.
#[derive(Clone, PartialEq, Debug)]
pub enum Situation {
    /// Journal, witnesses and signers.
    Journal(JournalModel),
    /// A signer's nonces.
    Nonce(NonceModel),
    /// Failover of the writer.
    Recovery(RecoveryModel),
    /// Time that witnesses vouch for.
    Time(TimeModel),
}

impl Situation {
    /// Searches it.
    pub fn search(&self, stop_at: StopAt, bounds: Bounds) -> Found {
        match self {
            Situation::Journal(model) => search(model, stop_at, bounds),
            Situation::Nonce(model) => search(model, stop_at, bounds),
            Situation::Recovery(model) => search(model, stop_at, bounds),
            Situation::Time(model) => search(model, stop_at, bounds),
        }
    }

    /// Names of the rules that are switched off.
    pub fn off(&self) -> Vec<&'static str> {
        match self {
            Situation::Journal(model) => model.off(),
            Situation::Nonce(model) => model.off(),
            Situation::Recovery(model) => model.off(),
            Situation::Time(model) => model.rules.off(),
        }
    }
}

/// A situation and what is expected of it.
#[derive(Clone, PartialEq, Debug)]
pub struct Scenario {
    /// Unique name of the scenario.
    pub name: &'static str,
    /// Model in the situation that is searched.
    pub model: Situation,
    /// Result that the search must have.
    pub expected: Expected,
}

impl Scenario {
    fn journal(name: &'static str, model: JournalModel, expected: Expected) -> Scenario {
        // Half of the states are enough where everything must be searched. A counterexample is
        // easier to read when it renames nothing.
        let model = match expected {
            Expected::Holds(_) => model.with_signers_alike(),
            Expected::Breaks(_) => model,
        };
        let model = Situation::Journal(model);
        Scenario {
            name,
            model,
            expected,
        }
    }

    fn nonce(name: &'static str, model: NonceModel, expected: Expected) -> Scenario {
        let model = Situation::Nonce(model);
        Scenario {
            name,
            model,
            expected,
        }
    }

    fn recovery(name: &'static str, model: RecoveryModel, expected: Expected) -> Scenario {
        let model = Situation::Recovery(model);
        Scenario {
            name,
            model,
            expected,
        }
    }

    fn time(name: &'static str, model: TimeModel, expected: Expected) -> Scenario {
        let model = Situation::Time(model);
        Scenario {
            name,
            model,
            expected,
        }
    }
}

/// Every scenario, by subject.
pub fn all() -> Vec<Scenario> {
    [
        payments::quorums(),
        payments::rules(),
        tightenings::heads(),
        tightenings::handed(),
        witness_sets::scenarios(),
        loosenings::scenarios(),
        nonces::scenarios(),
        failover::scenarios(),
        time_delays::delays(),
        time_delays::releases(),
        time_acts::locks(),
        time_acts::vetoes(),
        time_acts::staleness(),
    ]
    .concat()
}
