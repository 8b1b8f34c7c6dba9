//! A node's own clock: off by an offset, drifting, sometimes jumping.

use strongroom_types::UnixMs;

/// Honest clocks stay within half of the skew of true time, so within the skew of each other.
pub(crate) const HONEST_MS: i64 = 2_400;

#[derive(Clone, Copy, Debug)]
pub(crate) struct NodeClock {
    /// Difference to true time at `since`, milliseconds.
    offset_ms: i64,
    /// Parts per million.
    drift_ppm: i64,
    since: u64,
    /// A fault on top of it.
    wrong_ms: i64,
}

impl NodeClock {
    pub(crate) fn new(offset_ms: i64, drift_ppm: i64, since: u64) -> Self {
        Self {
            offset_ms,
            drift_ppm,
            since,
            wrong_ms: 0,
        }
    }

    /// What it shows at a true time.
    pub(crate) fn at(&self, now: u64) -> UnixMs {
        let drifted = (now.saturating_sub(self.since)) as i64 * self.drift_ppm / 1_000_000;
        let honest = (self.offset_ms + drifted).clamp(-HONEST_MS, HONEST_MS);
        UnixMs(now.saturating_add_signed(honest + self.wrong_ms))
    }

    /// An honest jump.
    pub(crate) fn jump(&mut self, now: u64, offset_ms: i64) {
        (self.offset_ms, self.since) = (offset_ms.clamp(-HONEST_MS, HONEST_MS), now);
    }

    /// Wrong by this much from now on; 0 repairs it.
    pub(crate) fn wrong(&mut self, ms: i64) {
        self.wrong_ms = ms;
    }
}
