//! What all nodes of one seed share: true time, randomness, fault rates, counters, the bus, the
//! event log.

use crate::bus::BusState;
use crate::hostile::Tamper;
use crate::kinds::{Fault, Hostile, NodeName, WritePoint};
use crate::observe::Observer;
use crate::plan::Plan;
use crate::trace::Trace;
use rand_chacha::ChaCha20Rng;
use rand_core::RngCore;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use strongroom_ports::bus::Topic;
use strongroom_world::World;

/// A number below `n` (0 for 0).
pub(crate) fn below(rng: &mut impl RngCore, n: u64) -> u64 {
    if n == 0 { 0 } else { rng.next_u64() % n }
}

/// A number from `range`, both ends included.
pub(crate) fn between(rng: &mut impl RngCore, from: u64, to: u64) -> u64 {
    from + below(rng, to - from + 1)
}

/// How much goes wrong now.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Level {
    /// Nothing.
    Calm,
    /// A third of the plan's rates.
    Light,
    /// The plan's rates.
    Full,
}

/// How often things happened.
#[derive(Clone, Default, Debug)]
pub struct Counts {
    /// Faults of the surroundings.
    pub faults: BTreeMap<Fault, u64>,
    /// Processes that died in the middle of a step.
    pub points: BTreeMap<WritePoint, u64>,
    /// Acts of hostile parts.
    pub hostile: BTreeMap<Hostile, u64>,
    /// Signers' refusals by code.
    pub refused: BTreeMap<String, u64>,
    /// Why processes ended or did not start, by code.
    pub ended: BTreeMap<String, u64>,
    /// How intents ended without a signature, by code.
    pub unsigned: BTreeMap<String, u64>,
    /// Dead letters.
    pub dead_letters: u64,
}

/// Everything shared.
pub(crate) struct Inner {
    pub(crate) now: u64,
    pub(crate) rng: ChaCha20Rng,
    pub(crate) level: Level,
    pub(crate) rates: BTreeMap<Fault, u64>,
    pub(crate) crash_rate: u64,
    pub(crate) counts: Counts,
    pub(crate) trace: Trace,
    pub(crate) bus: BusState,
    /// When each node is due.
    pub(crate) wake: [u64; NodeName::ALL.len()],
    pub(crate) subscribers: BTreeMap<Topic, Vec<NodeName>>,
    /// Nodes that reach nobody, until then.
    pub(crate) cut: [u64; NodeName::ALL.len()],
    pub(crate) observer: Observer,
    pub(crate) tamper: Tamper,
}

/// A handle to it.
#[derive(Clone)]
pub struct Hub(Arc<Mutex<Inner>>);

impl Hub {
    pub(crate) fn new(plan: &Plan, world: &World, print: bool) -> Self {
        let inner = Inner {
            now: plan.start_ms,
            rng: world.seed.rng("hub", 0),
            level: Level::Calm,
            rates: plan.rates.clone(),
            crash_rate: plan.crash_rate,
            counts: Counts::default(),
            trace: Trace::new(print),
            bus: BusState::new(world.seed.id("bus incarnation", 0)),
            wake: [plan.start_ms; NodeName::ALL.len()],
            subscribers: BTreeMap::new(),
            cut: [0; NodeName::ALL.len()],
            observer: Observer::new(world.clone(), plan),
            tamper: Tamper::new(world.clone(), plan),
        };
        Self(Arc::new(Mutex::new(inner)))
    }

    /// Of an installation where nothing goes wrong, for trying one part alone.
    #[must_use]
    pub fn quiet(seed: u64) -> Self {
        let plan = Plan::quiet(seed, 1);
        Self::new(&plan, &World::new(seed, plan.world_options()), false)
    }

    /// Everything; never held across a call into a node.
    pub(crate) fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn now(&self) -> u64 {
        self.lock().now
    }

    pub(crate) fn log(&self, text: &str) {
        self.lock().log(text);
    }
}

impl Inner {
    pub(crate) fn log(&mut self, text: &str) {
        self.trace.line(self.now, text);
    }

    /// Whether a fault happens here and now; counts it.
    pub(crate) fn roll(&mut self, fault: Fault) -> bool {
        let rate = self.rates.get(&fault).copied().unwrap_or(0);
        let rate = match self.level {
            Level::Calm => return false,
            Level::Light => rate / 3,
            Level::Full => rate,
        };
        let hit = below(&mut self.rng, 10_000) < rate;
        if hit {
            self.count(fault);
        }
        hit
    }

    pub(crate) fn count(&mut self, fault: Fault) {
        *self.counts.faults.entry(fault).or_default() += 1;
    }

    pub(crate) fn count_hostile(&mut self, what: Hostile) {
        *self.counts.hostile.entry(what).or_default() += 1;
    }

    /// Whether a process dies here; counts it.
    pub(crate) fn dies(&mut self, node: NodeName, point: WritePoint) -> bool {
        let rate = match self.level {
            Level::Calm => return false,
            Level::Light => self.crash_rate / 3,
            Level::Full => self.crash_rate,
        };
        let rate = match point {
            // Rare places, so that they are hit as often as the others.
            WritePoint::SignerAtStart => rate * 8,
            WritePoint::SignerBeforeSend | WritePoint::SignerAfterSend => rate * 2,
            WritePoint::StageBeforeCommit
            | WritePoint::StageAfterCommit
            | WritePoint::StageAfterPublish
            | WritePoint::SignerBeforeCommit
            | WritePoint::SignerAfterCommit => rate,
        };
        let hit = below(&mut self.rng, 100_000) < rate;
        if hit {
            *self.counts.points.entry(point).or_default() += 1;
            self.log(&format!("{node} dies: {point}"));
        }
        hit
    }

    pub(crate) fn is_cut(&self, node: NodeName) -> bool {
        self.now < self.cut[node.at()]
    }

    /// Makes a node due no later than then.
    pub(crate) fn wake_by(&mut self, node: NodeName, at: u64) {
        let due = &mut self.wake[node.at()];
        *due = (*due).min(at);
    }

    pub(crate) fn below(&mut self, n: u64) -> u64 {
        below(&mut self.rng, n)
    }

    pub(crate) fn between(&mut self, from: u64, to: u64) -> u64 {
        between(&mut self.rng, from, to)
    }
}
