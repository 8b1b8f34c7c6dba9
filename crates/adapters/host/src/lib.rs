//! Clock and randomness of the machine on which this process runs.

#![allow(
    clippy::disallowed_methods,
    reason = "the one place where time and randomness come from the host"
)]

use std::time::{SystemTime, UNIX_EPOCH};

use rand_chacha::ChaCha20Rng;
use rand_core::{CryptoRngCore, SeedableRng as _};
use strongroom_ports::host::{Clock, Entropy};
use zeroize::Zeroizing;

/// The machine's wall clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    /// The time in Unix milliseconds; 0 if the clock is set before 1970.
    fn now_ms(&self) -> u64 {
        // A clock that is set before 1970 reads as 0. Every signed time is then in the future and
        // is refused as skew.
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();

        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    }
}

/// ChaCha20 generators, each seeded with 32 bytes from the operating system.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    /// # Panics
    /// When the operating system gives no randomness, because no key may be made then.
    #[expect(
        clippy::panic,
        reason = "guards key safety: stop rather than go on without randomness"
    )]
    fn rng(&self) -> Box<dyn CryptoRngCore + Send> {
        // The seed is wiped after use, because every number of the generator follows from it.
        let mut seed = Zeroizing::new([0u8; 32]);
        if let Err(error) = getrandom::fill(seed.as_mut_slice()) {
            panic!("the operating system gives no randomness: {error}");
        }

        // Each caller gets a generator of its own: two that shared a state could draw the same
        // nonce.
        Box::new(ChaCha20Rng::from_seed(*seed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_core::RngCore as _;

    #[test]
    fn the_clock_is_past_2025_and_in_milliseconds() {
        let now = SystemClock.now_ms();
        assert!((1_735_689_600_000..4_102_444_800_000).contains(&now));
    }

    #[test]
    fn every_generator_is_its_own() {
        let draw = || {
            let mut bytes = [0u8; 32];
            SystemEntropy.rng().fill_bytes(&mut bytes);
            bytes
        };
        assert_ne!(draw(), draw());
        assert_ne!(draw(), [0; 32]);
    }
}
