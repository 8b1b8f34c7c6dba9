//! True time, and each node's own clock: off by an offset, drifting, sometimes jumping.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use strongroom_types::UnixMs;

/// Honest clocks stay within half of the skew of true time, so within the skew of each other.
pub(crate) const HONEST_MS: i64 = 2_400;

/// True time of a seed, Unix milliseconds. The scheduler alone moves it.
#[derive(Clone)]
pub(crate) struct Time(Arc<AtomicU64>);

impl Time {
    pub(crate) fn new(start_ms: u64) -> Self {
        Self(Arc::new(AtomicU64::new(start_ms)))
    }

    pub(crate) fn now(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    /// Goes forward to a moment; a moment that has passed changes nothing.
    pub(crate) fn advance_to(&self, ms: u64) {
        self.0.fetch_max(ms, Ordering::Relaxed);
    }
}

/// One node's clock.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NodeClock {
    /// Difference to true time at `since`, milliseconds.
    offset_ms: i64,
    /// Parts per million.
    drift_ppm: i64,
    /// True time of the last jump.
    since: u64,
    /// Error of a faulty clock, on top of the honest difference, milliseconds.
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

    /// Its reading at a true time.
    pub(crate) fn at(&self, now: u64) -> UnixMs {
        UnixMs(now.saturating_add_signed(self.error_ms(now)))
    }

    /// Difference to true time, milliseconds.
    pub(crate) fn error_ms(&self, now: u64) -> i64 {
        // Clamped, so that drift over a long seed never makes an honest clock a wrong one.
        let drifted = (now.saturating_sub(self.since)) as i64 * self.drift_ppm / 1_000_000;
        let honest = (self.offset_ms + drifted).clamp(-HONEST_MS, HONEST_MS);
        honest + self.wrong_ms
    }

    /// Jumps to another honest offset.
    pub(crate) fn jump(&mut self, now: u64, offset_ms: i64) {
        (self.offset_ms, self.since) = (offset_ms.clamp(-HONEST_MS, HONEST_MS), now);
    }

    /// Sets the error of a faulty clock; 0 repairs it.
    pub(crate) fn set_wrong(&mut self, ms: i64) {
        self.wrong_ms = ms;
    }
}
