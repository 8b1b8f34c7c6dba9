//! Which faults strike and which processes die: at random, every number drawn here, or as a plan
//! says.

use crate::event::Event;
use crate::kinds::{Fault, NodeName, WritePoint};
use crate::plan::{Death, Plan};
use crate::trace::Trace;
use rand_chacha::ChaCha20Rng;
use rand_core::RngCore;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A number below `n` (0 for 0).
pub(crate) fn below(rng: &mut impl RngCore, n: u64) -> u64 {
    if n == 0 { 0 } else { rng.next_u64() % n }
}

/// A number from `range`, both ends included.
pub(crate) fn between(rng: &mut impl RngCore, from: u64, to: u64) -> u64 {
    from + below(rng, to - from + 1)
}

/// Share of the plan's fault rates that is in force.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Level {
    /// No faults.
    Calm,
    /// A third of the rates.
    Light,
    /// The whole rates.
    Full,
}

impl Level {
    const fn of(self, rate: u64) -> u64 {
        match self {
            Self::Calm => 0,
            // The founding is one chain of steps, each of which must succeed before the next.
            Self::Light => rate / 3,
            Self::Full => rate,
        }
    }
}

/// How often small faults and deaths occur at full level.
#[derive(Clone, Default, Debug)]
pub(crate) struct Rates {
    /// Small faults, per 10 000 occasions.
    pub(crate) faults: BTreeMap<Fault, u64>,
    /// Deaths at write points, per 100 000 occasions.
    pub(crate) deaths: u64,
}

struct State {
    rng: ChaCha20Rng,
    rates: Rates,
    level: Level,
    planned: PlannedDeaths,
}

/// Deaths that a plan names, and how far each process is on the way to its own.
#[derive(Default)]
struct PlannedDeaths {
    deaths: Vec<Death>,
    starts: BTreeMap<NodeName, u64>,
    /// Passes of each write point since the process's last start.
    passes: BTreeMap<(NodeName, WritePoint), u64>,
}

impl PlannedDeaths {
    fn on_start(&mut self, node: NodeName) {
        *self.starts.entry(node).or_default() += 1;
        // A pass is counted from a start, so that a plan names it whatever happened before.
        self.passes.retain(|(of, _), _| *of != node);
    }

    /// Counts a pass of a write point; says whether the process dies there.
    fn on_pass(&mut self, node: NodeName, point: WritePoint) -> bool {
        let pass = self.passes.entry((node, point)).or_default();
        *pass += 1;

        let here = Death {
            node,
            start: self.starts.get(&node).copied().unwrap_or(0),
            point,
            pass: *pass,
        };
        self.deaths.contains(&here)
    }
}

/// A handle to the dice of a seed. Every roll that hits is logged.
#[derive(Clone)]
pub(crate) struct Dice {
    state: Arc<Mutex<State>>,
    trace: Trace,
}

impl Dice {
    /// Dice of a plan, at [`Level::Calm`].
    pub(crate) fn new(rng: ChaCha20Rng, plan: &Plan, trace: Trace) -> Self {
        let planned = PlannedDeaths {
            deaths: plan.deaths.clone(),
            ..PlannedDeaths::default()
        };
        let state = State {
            rng,
            rates: plan.rates.clone(),
            level: Level::Calm,
            planned,
        };
        Self {
            state: Arc::new(Mutex::new(state)),
            trace,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn level(&self) -> Level {
        self.state().level
    }

    pub(crate) fn set_level(&self, level: Level) {
        self.state().level = level;
    }

    /// A number below `n` (0 for 0).
    pub(crate) fn below(&self, n: u64) -> u64 {
        below(&mut self.state().rng, n)
    }

    /// A number from `from` to `to`, both ends included.
    pub(crate) fn between(&self, from: u64, to: u64) -> u64 {
        between(&mut self.state().rng, from, to)
    }

    /// Whether a fault strikes here and now.
    pub(crate) fn strikes(&self, fault: Fault) -> bool {
        let rate = |state: &State| state.rates.faults.get(&fault).copied().unwrap_or(0);
        let hit = self.hits(10_000, rate);

        // Every hit is counted: a fault that never strikes proves nothing (`Summary::never`).
        if hit {
            self.trace.log(Event::Fault(fault));
        }
        hit
    }

    /// A process is started: its deaths are planned by the number of the start.
    pub(crate) fn on_start(&self, node: NodeName) {
        self.state().planned.on_start(node);
    }

    /// Whether a process dies here and now.
    pub(crate) fn dies(&self, node: NodeName, point: WritePoint) -> bool {
        let factor = match point {
            // Rare places, so that they are hit as often as the others.
            WritePoint::SignerAtStart
            | WritePoint::RequestBeforeCommit
            | WritePoint::RequestAfterCommit
            | WritePoint::RequestAfterPublish => 8,
            WritePoint::SignerBeforeSend | WritePoint::SignerAfterSend => 2,
            WritePoint::StageBeforeCommit
            | WritePoint::StageAfterCommit
            | WritePoint::StageAfterPublish
            | WritePoint::SignerBeforeCommit
            | WritePoint::SignerAfterCommit => 1,
        };

        // Named deaths first, and in calm times too: a plan made by hand has no rates.
        let is_planned = self.state().planned.on_pass(node, point);
        let hit = is_planned || self.hits(100_000, |state| state.rates.deaths * factor);
        if hit {
            self.trace.log(Event::Died { node, point });
        }
        hit
    }

    fn hits(&self, of: u64, rate: impl FnOnce(&State) -> u64) -> bool {
        let mut state = self.state();

        // No number is drawn in calm times: a calm stretch is the same whatever the rates are.
        if state.level == Level::Calm {
            return false;
        }

        // Drawn for a rate of 0 too: a kind that a seed lacks moves no draw of the others.
        let rate = state.level.of(rate(&state));
        below(&mut state.rng, of) < rate
    }
}
