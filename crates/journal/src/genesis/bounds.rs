//! Delays, lives and quotas that bind every tenant, with their limits in production.

use super::HOUR_MS;
use borsh::{BorshDeserialize, BorshSerialize};

/// Time in which an honest writer hears its quorum's cosignatures of a new entry, milliseconds.
const ROUND_MS: u64 = 10_000;

/// Numbers that bound every tenant. Milliseconds unless the name says otherwise.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub struct Bounds {
    /// Least delay of a loosening.
    pub loosen_delay_ms: u64,
    /// Least delay of a ceremony.
    pub ceremony_delay_ms: u64,
    /// Delay of platform changes.
    pub platform_delay_ms: u64,
    /// An attempt older than this gets no share.
    pub attempt_life_ms: u64,
    /// Longest life of an intent.
    pub intent_life_ms: u64,
    /// Most attempts of an intent.
    pub attempts_max: u32,
    /// A head is fresh when its quorum cosigned within this time.
    pub freshness_ms: u64,
    /// Largest difference between honest clocks.
    pub skew_ms: u64,
    /// A witness that was handed a tightening cosigns nothing without it after this time.
    pub duty_ms: u64,
    /// External ids and anchors are remembered this long after expiry.
    pub retention_ms: u64,
    /// Entries a tenant may add in one minute of journal time (tightenings are exempt, here and from
    /// the bytes).
    pub entries_per_minute: u32,
    /// Intents a tenant may have open.
    pub intents_open_max: u32,
    /// Proposals a tenant may have open.
    pub proposals_open_max: u32,
    /// A journal whose newest entry, or whose oldest waiting item, is older than this is stale.
    pub tick_max_ms: u64,
    /// A ceremony that is not finished within this time after its release has expired.
    pub ceremony_life_ms: u64,
    /// Bytes of entries a tenant may add in one minute of journal time.
    pub entry_bytes_per_minute: u64,
    /// Tightenings that may be charged to one credential in one minute of journal time, beside every
    /// other quota.
    pub tightenings_per_minute: u32,
    /// Records of cancels and noes that may be charged to one credential: ends of intents that were
    /// never authorized, and such acts as used until they expire.
    pub ended_open_max: u32,
}

impl Bounds {
    /// Bounds of a development installation with the given delay of loosenings and ceremonies.
    #[must_use]
    pub const fn dev(delay_ms: u64) -> Self {
        Self {
            loosen_delay_ms: delay_ms,
            ceremony_delay_ms: delay_ms,
            platform_delay_ms: delay_ms,
            attempt_life_ms: 600_000,
            intent_life_ms: 24 * HOUR_MS,
            attempts_max: 8,
            freshness_ms: 60_000,
            skew_ms: 5_000,
            duty_ms: 10_000,
            retention_ms: 400 * 24 * HOUR_MS,
            entries_per_minute: 600_000,
            intents_open_max: 100_000,
            proposals_open_max: 64,
            tick_max_ms: 300_000,
            ceremony_life_ms: 24 * HOUR_MS,
            entry_bytes_per_minute: 1 << 30,
            tightenings_per_minute: 60,
            ended_open_max: 10_000,
        }
    }

    /// Least `tick_max_ms` with which an honest writer's journal is never stale: twice the time in
    /// which a head is fresh for every honest clock, and one round of cosignatures.
    #[must_use]
    pub const fn tick_max_least_ms(&self) -> u64 {
        let fresh = self
            .freshness_ms
            .saturating_add(self.skew_ms.saturating_mul(2));
        fresh.saturating_mul(2).saturating_add(ROUND_MS)
    }

    /// Largest lives and quotas of a production installation. Memory and work per tenant grow with
    /// each of them, and what is signed long after it was decided was decided about another day.
    const fn production_most() -> Self {
        Self {
            // A window counts a payment at the time of its attempt, whose share may leave this much
            // later.
            attempt_life_ms: HOUR_MS,
            // The longest time lock of a policy (30 days) and one attempt after it.
            intent_life_ms: 31 * 24 * HOUR_MS,
            attempts_max: 64,
            entries_per_minute: 600_000,
            entry_bytes_per_minute: 1 << 30,
            tightenings_per_minute: 600,
            intents_open_max: 1_000_000,
            ended_open_max: 100_000,
            proposals_open_max: 1_024,
            ..Self::production()
        }
    }

    /// Whether no life and no quota is above those of [`Bounds::production_most`].
    pub(super) const fn is_bounded(&self) -> bool {
        let most = Self::production_most();
        self.attempt_life_ms <= most.attempt_life_ms
            && self.intent_life_ms <= most.intent_life_ms
            && self.attempts_max <= most.attempts_max
            && self.entries_per_minute <= most.entries_per_minute
            && self.entry_bytes_per_minute <= most.entry_bytes_per_minute
            && self.tightenings_per_minute <= most.tightenings_per_minute
            && self.intents_open_max <= most.intents_open_max
            && self.ended_open_max <= most.ended_open_max
            && self.proposals_open_max <= most.proposals_open_max
    }

    /// The bounds of a production installation, unless its genesis overrides some.
    #[must_use]
    pub const fn production() -> Self {
        Self {
            loosen_delay_ms: 24 * HOUR_MS,
            ceremony_delay_ms: 24 * HOUR_MS,
            platform_delay_ms: 72 * HOUR_MS,
            entries_per_minute: 6_000,
            entry_bytes_per_minute: 16 << 20,
            ..Self::dev(0)
        }
    }
}
