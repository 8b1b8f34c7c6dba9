//! Everything secret or random of a world, derived from its seed by name: the order of calls
//! changes nothing.

use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use strongroom_types::{Digest, digest};

/// Secret from which keys and ids of a world are derived.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Seed(Digest);

impl Seed {
    /// The seed of a world.
    #[must_use]
    pub fn new(number: u64) -> Self {
        Self(digest("strongroom/world/v1", &[&number.to_be_bytes()]))
    }

    /// 32 bytes derived from the seed, a name and a number.
    #[must_use]
    pub fn bytes(&self, name: &str, number: u64) -> [u8; 32] {
        digest(
            "strongroom/world-bytes/v1",
            &[&self.0.0, name.as_bytes(), &number.to_be_bytes()],
        )
        .0
    }

    /// The 16 bytes of an id under a name.
    #[must_use]
    pub fn id(&self, name: &str, number: u64) -> [u8; 16] {
        self.bytes(name, number)[..16].try_into().unwrap()
    }

    /// A generator derived from the seed, a name and a number.
    #[must_use]
    pub fn rng(&self, name: &str, number: u64) -> ChaCha20Rng {
        ChaCha20Rng::from_seed(self.bytes(name, number))
    }

    /// A seed derived from this one.
    #[must_use]
    pub fn child(&self, name: &str, number: u64) -> Self {
        Self(Digest(self.bytes(name, number)))
    }
}
