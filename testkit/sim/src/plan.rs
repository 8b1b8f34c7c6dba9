//! A seed's plan: a pure function of the number, so that a replay is exact.

mod draw;

use crate::clock::NodeClock;
use crate::dice::{Rates, below, between};
use crate::hostile::LIAR;
use crate::kinds::Hostile;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;
use std::collections::BTreeSet;
use strongroom_journal::Bounds;
use strongroom_policy::{VelocityScope, Window};
use strongroom_types::digest;
use strongroom_world::{PolicyOptions, START, WorldOptions};

pub use crate::script::{
    Answers, Chaos, Death, Move, OtherTenant, Payee, PlannedAct, PlannedIntent, Repair, Sabotage,
    Stream,
};

/// How long a head is fresh, milliseconds: above the 15 s after which witnesses cosign again, and
/// short, so that it is missed often.
pub const FRESHNESS_MS: u64 = 25_000;
/// Largest difference between honest clocks, milliseconds.
pub const SKEW_MS: u64 = 5_000;
/// A handed tightening is owed after this long, milliseconds.
pub const DUTY_MS: u64 = 10_000;

/// An attempt gets shares for this long, milliseconds: several tries of the coordinator, and less
/// than the window of 90 s, so that property w has something to say.
pub const ATTEMPT_LIFE_MS: u64 = 45_000;
/// Delay of a loosening that no property is about, milliseconds: above 0, so that a release at once
/// is refused, and as short as can be, since every seed's founding waits for it.
const SHORT_DELAY_MS: u64 = 300;
/// Most that one payment moves under the tighter policy, satoshi: above a payment that two approve
/// in the cases (1.1 BTC), below the larger one beside it (1.2 BTC).
pub const TIGHTER_MOST: u64 = 115_000_000;
/// Most intents of one window: no seed has so many, and a looser policy allows more.
const COUNT_MAX: u64 = 1_000;

/// A seed's whole plan.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Number from which the plan was drawn, and every key, id and later draw of the run follows.
    pub seed: u64,
    /// True time at the start, Unix milliseconds.
    pub start_ms: u64,
    /// How often small faults and deaths occur.
    pub(crate) rates: Rates,
    /// Clocks, in the order of [`NodeName::ALL`](crate::NodeName::ALL).
    pub(crate) clocks: Vec<NodeClock>,
    /// Most satoshi within the window.
    pub limit: u64,
    /// The window, seconds.
    pub window_seconds: u64,
    /// Delay of a loosening, milliseconds.
    pub loosen_delay_ms: u64,
    /// Delay of changes of the platform, milliseconds.
    pub platform_delay_ms: u64,
    /// Life of a released ceremony, milliseconds, where it is not the usual one.
    pub ceremony_life_ms: Option<u64>,
    /// Time lock of payments above 1 BTC, seconds; 0 for none.
    pub lock_seconds: u64,
    /// Whether a payment that asks no one must go to an address on the allow-list, or to a vault.
    pub listed_only: bool,
    /// Hostile parts at work the whole time.
    pub hostile: BTreeSet<Hostile>,
    /// Payments of the first tenant; an act names one by its place here.
    pub intents: Vec<PlannedIntent>,
    /// Admins' acts, by time after the vault is ready.
    pub acts: Vec<(u64, PlannedAct)>,
    /// Admins' acts once a release is in the journal and waits for its witnesses: when that is
    /// depends on all that went wrong before. Payments under a lock that are still to come are made
    /// then, too.
    pub on_release: Vec<PlannedAct>,
    /// How long the writer makes no `witnessed` entry once it has a release of these people, if it
    /// does that.
    pub hold_ms: Option<u64>,
    /// Whether there is a second tenant.
    pub other: Option<OtherTenant>,
    /// Last word on the bounds of the installation.
    pub(crate) tune: fn(&mut Bounds),
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

pub(crate) fn tune(bounds: &mut Bounds) {
    bounds.freshness_ms = FRESHNESS_MS;
    bounds.skew_ms = SKEW_MS;
    bounds.duty_ms = DUTY_MS;
    bounds.attempt_life_ms = ATTEMPT_LIFE_MS;

    // The least with which an honest writer's journal is never stale.
    bounds.tick_max_ms = bounds.tick_max_least_ms();
}

type Rng = ChaCha20Rng;

impl Plan {
    /// The plan of a seed. `intents` is how many the workload makes.
    #[must_use]
    pub fn new(seed: u64, intents: usize) -> Self {
        let bytes = digest("strongroom/sim-plan/v1", &[&seed.to_be_bytes()]);
        let rng = &mut Rng::from_seed(bytes.0);

        // A stream of draws: one more or one less here makes every seed another history.
        let calm_ms = between(rng, 30_000, 50_000);
        let hostile = draw::hostile(rng);
        let tight = below(rng, 3) == 0;

        // A payment under the lock is above any tight limit: the two exclude each other.
        // Where `witnessed` entries are kept back, several items are to wait for one.
        let holds = hostile.contains(&Hostile::HoldWitnessed);
        let has_lock = !tight && (below(rng, 3) == 0 || holds);
        let terms = draw::Terms {
            calm_ms,
            // Property i gives honest clocks 2 × skew, 10 s: a shorter delay could not be seen cut.
            loosen_delay_ms: between(rng, 11_000, 13_000),
            // Early, so that delay and hold are over before faults stop.
            proposed_ms: below(rng, calm_ms / 8),
            has_lock,
        };

        let intents = (0..intents)
            .map(|n| draw::intent(rng, n, terms))
            .collect::<Vec<_>>();
        let acts = draw::acts(rng, terms, intents.len(), &hostile);
        let on_release = draw::on_release(rng);

        // No shorter than the duty (10 s): a witness that holds a veto owes it before the hold
        // ends.
        let hold_ms = holds.then(|| between(rng, 10_000, 16_000));
        let withhold_ms = hostile
            .contains(&Hostile::WithholdTightening)
            .then(|| between(rng, 2_000, 20_000));

        Self {
            seed,
            start_ms: START.0 + 3_600_000,
            rates: Rates {
                faults: draw::rates(rng),
                // Per 100,000 passes of a write point: none, or one in 500, 125 or 40.
                deaths: [0, 200, 800, 2_500][below(rng, 4) as usize],
            },
            clocks: draw::clocks(rng),
            loosen_delay_ms: terms.loosen_delay_ms,
            platform_delay_ms: SHORT_DELAY_MS,
            ceremony_life_ms: None,
            listed_only: false,
            // As a delay: above 2 × skew, else property l forbids nothing.
            lock_seconds: if has_lock { between(rng, 11, 16) } else { 0 },
            // A tight one is used up by a few payments that one approver sees; the other never is.
            limit: if tight {
                between(rng, 1_500_000, 4_000_000)
            } else {
                500_000_000
            },
            // A window that ends within a seed, or one from which nothing ages.
            window_seconds: if below(rng, 2) == 0 { 90 } else { 3_600 },
            chaos: draw::chaos(rng, calm_ms, &hostile),
            hostile,
            intents,
            acts,
            on_release,
            hold_ms,
            other: None,
            tune,
            withhold_ms,
            deaths: Vec::new(),
            calm_ms,
            sabotage: None,
        }
    }

    /// A plan without any fault or attack, whose intents are all paid.
    #[must_use]
    pub fn quiet(seed: u64, intents: usize) -> Self {
        let mut plan = Self::new(seed, intents).without_faults();
        plan.limit = 500_000_000;
        plan.acts.clear();
        plan.on_release.clear();
        plan.lock_seconds = 0;
        plan.loosen_delay_ms = SHORT_DELAY_MS;

        // At most one approver each, who says yes, and time for it: none may end unsigned.
        for intent in &mut plan.intents {
            intent.amount = intent.amount.min(5_000_000);
            (intent.answers, intent.cancel_after_ms, intent.life_ms) = (Answers::Yes, None, 90_000);
        }
        plan
    }

    /// The same plan in which nothing goes wrong: without its faults, hostile acts and deaths.
    #[must_use]
    pub fn without_faults(mut self) -> Self {
        self.rates = Rates::default();
        self.hostile.clear();
        (self.hold_ms, self.withhold_ms) = (None, None);
        self.chaos.clear();
        self.deaths.clear();
        self.sabotage = None;
        self
    }

    /// Whether anything goes wrong in it.
    #[must_use]
    pub fn has_faults(&self) -> bool {
        let by_rate = self.rates.deaths > 0 || self.rates.faults.values().any(|rate| *rate > 0);
        let by_plan = !self.chaos.is_empty() || !self.deaths.is_empty();
        let by_part = !self.hostile.is_empty() || self.sabotage.is_some();
        let by_writer = self.hold_ms.is_some() || self.withhold_ms.is_some();
        by_rate || by_plan || by_part || by_writer
    }

    /// The policy after so many loosenings. Each allows more intents in a window, and no more
    /// money.
    #[must_use]
    pub fn policy(&self, loosened: u64) -> PolicyOptions {
        let window = Window {
            scope: VelocityScope::Tenant,
            window_seconds: self.window_seconds,
            amount_lte: Some(self.limit.into()),
            count_lte: Some(COUNT_MAX + loosened),
        };
        PolicyOptions {
            ceilings: vec![window],
            auto_allow_listed: self.listed_only,
            time_lock_seconds: self.lock_seconds,
            ..PolicyOptions::default()
        }
    }

    /// A policy that is provably tighter than the charter's.
    #[must_use]
    pub fn tighter_policy(&self) -> PolicyOptions {
        PolicyOptions {
            amount_max: Some(TIGHTER_MOST),
            ..self.policy(0)
        }
    }

    /// Whether the writer is ever hostile.
    #[must_use]
    pub fn has_moves(&self) -> bool {
        let mut chaos = self.chaos.iter();
        self.hold_ms.is_some() || chaos.any(|(_, chaos)| matches!(chaos, Chaos::Writer(_)))
    }

    /// Seats that are hostile, or whose clock is wrong for a while: at most f of them.
    #[must_use]
    pub fn faulty_seats(&self) -> BTreeSet<u16> {
        let seat = |(_, chaos): &(u64, Chaos)| match chaos {
            Chaos::ClockOff(node, ..) if node.seat() > 0 => Some(node.seat()),
            Chaos::Writer(Move::Lie(..)) => Some(LIAR),
            _ => None,
        };
        self.chaos.iter().filter_map(seat).collect()
    }

    /// The installation of this plan.
    #[must_use]
    pub fn world_options(&self) -> WorldOptions {
        WorldOptions {
            delay_ms: SHORT_DELAY_MS,
            loosen_delay_ms: Some(self.loosen_delay_ms),
            platform_delay_ms: Some(self.platform_delay_ms),
            ceremony_life_ms: self.ceremony_life_ms,
            policy: self.policy(0),
            tune: self.tune,
            ..WorldOptions::default()
        }
    }
}
