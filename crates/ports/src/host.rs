//! Clock and randomness, which a process takes from its host and passes on as arguments.

use rand_core::CryptoRngCore;

/// Wall clock, in Unix milliseconds. Tests and the simulator pass their own.
pub trait Clock: Send + Sync {
    /// The time in milliseconds since 1970-01-01 UTC. It may jump forwards or backwards, and
    /// callers must bear that.
    fn now_ms(&self) -> u64;
}

/// Cryptographic randomness. `rng()` returns a new generator, which the host seeds from the
/// operating system and the simulator from the run's seed.
pub trait Entropy: Send + Sync {
    /// A generator for one piece of work.
    fn rng(&self) -> Box<dyn CryptoRngCore + Send>;
}
