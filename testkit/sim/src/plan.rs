//! A seed's plan: a pure function of the number, so that a replay is exact.

mod draw;

use crate::clock::NodeClock;
use crate::dice::{Rates, below, between};
use crate::kinds::Hostile;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;
use std::collections::BTreeSet;
use strongroom_journal::Bounds;
use strongroom_policy::{VelocityScope, Window};
use strongroom_types::digest;
use strongroom_world::{PolicyOptions, START, WorldOptions};

pub use crate::script::{
    Answers, Chaos, Death, PlannedAct, PlannedIntent, Repair, Sabotage, Stream,
};

/// How long a head is fresh, milliseconds: above the 15 s after which witnesses cosign again, and
/// short, so that it is missed often.
pub const FRESHNESS_MS: u64 = 25_000;
/// Largest difference between honest clocks, milliseconds.
pub const SKEW_MS: u64 = 5_000;
/// A handed tightening is owed after this long, milliseconds.
pub const DUTY_MS: u64 = 10_000;

/// A seed's whole plan.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The seed.
    pub seed: u64,
    /// True time at the start, Unix milliseconds.
    pub start_ms: u64,
    /// How often small faults and deaths occur.
    pub(crate) rates: Rates,
    /// Clocks of the nodes.
    pub(crate) clocks: Vec<NodeClock>,
    /// Most satoshi within the window.
    pub limit: u64,
    /// The window, seconds.
    pub window_seconds: u64,
    /// Hostile parts at work the whole time.
    pub hostile: BTreeSet<Hostile>,
    /// The intents.
    pub intents: Vec<PlannedIntent>,
    /// Admins' acts, by time after the vault is ready.
    pub acts: Vec<(u64, PlannedAct)>,
    /// Whether the writer leaves tightenings out for so many milliseconds.
    pub withhold_ms: Option<u64>,
    /// Faults by time after the vault is ready.
    pub chaos: Vec<(u64, Chaos)>,
    /// Deaths at write points of numbered starts.
    pub deaths: Vec<Death>,
    /// When faults stop, milliseconds after the vault is ready.
    pub calm_ms: u64,
    /// A guard that is missing, if one is.
    pub sabotage: Option<Sabotage>,
}

fn tune(bounds: &mut Bounds) {
    bounds.freshness_ms = FRESHNESS_MS;
    bounds.skew_ms = SKEW_MS;
    bounds.duty_ms = DUTY_MS;
    bounds.attempt_life_ms = 90_000;
}

type Rng = ChaCha20Rng;

impl Plan {
    /// The plan of a seed. `intents` is how many the workload makes.
    #[must_use]
    pub fn new(seed: u64, intents: usize) -> Self {
        let bytes = digest("strongroom/sim-plan/v1", &[&seed.to_be_bytes()]);
        let rng = &mut Rng::from_seed(bytes.0);
        let calm_ms = between(rng, 30_000, 50_000);
        let intents = (0..intents)
            .map(|n| draw::intent(rng, n, calm_ms))
            .collect::<Vec<_>>();
        let hostile = draw::hostile(rng);
        let acts = draw::acts(rng, calm_ms, intents.len(), &hostile);
        let withhold_ms = hostile
            .contains(&Hostile::WithholdTightening)
            .then(|| between(rng, 2_000, 20_000));
        let tight = below(rng, 3) == 0;
        Self {
            seed,
            start_ms: START.0 + 3_600_000,
            rates: Rates {
                faults: draw::rates(rng),
                deaths: [0, 200, 800, 2_500][below(rng, 4) as usize],
            },
            clocks: draw::clocks(rng),
            limit: if tight {
                between(rng, 1_500_000, 4_000_000)
            } else {
                500_000_000
            },
            window_seconds: if below(rng, 2) == 0 { 60 } else { 3_600 },
            chaos: draw::chaos(rng, calm_ms, &hostile),
            hostile,
            intents,
            acts,
            withhold_ms,
            deaths: Vec::new(),
            calm_ms,
            sabotage: None,
        }
    }

    /// A plan without any fault or attack, whose intents are all paid.
    #[must_use]
    pub fn quiet(seed: u64, intents: usize) -> Self {
        let mut plan = Self::new(seed, intents);
        plan.rates = Rates::default();
        plan.limit = 500_000_000;
        plan.hostile.clear();
        plan.acts.clear();
        plan.withhold_ms = None;
        plan.chaos.clear();
        for intent in &mut plan.intents {
            (intent.answers, intent.cancel_after_ms, intent.life_ms) = (Answers::Yes, None, 90_000);
        }
        plan
    }

    /// The installation of this plan.
    #[must_use]
    pub fn world_options(&self) -> WorldOptions {
        let window = Window {
            scope: VelocityScope::Tenant,
            window_seconds: self.window_seconds,
            amount_lte: Some(self.limit.into()),
            count_lte: None,
        };
        let policy = PolicyOptions {
            ceilings: vec![window],
            ..PolicyOptions::default()
        };
        WorldOptions {
            delay_ms: 300,
            policy,
            tune,
            ..WorldOptions::default()
        }
    }
}
