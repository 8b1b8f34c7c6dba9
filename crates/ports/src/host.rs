//! Clock and randomness: what a process takes from its host, as arguments.

use rand_core::CryptoRngCore;

/// Wall clock, in Unix milliseconds. Tests and the simulator pass their own.
pub trait Clock: Send + Sync {
    /// Now, in milliseconds since 1970-01-01 UTC. May jump either way; callers must survive that.
    fn now_ms(&self) -> u64;
}

/// Cryptographic randomness. `rng()` hands out a fresh generator (the host's: seeded from the OS;
/// the simulator's: from the run's seed).
pub trait Entropy: Send + Sync {
    /// A generator for one piece of work.
    fn rng(&self) -> Box<dyn CryptoRngCore + Send>;
}
