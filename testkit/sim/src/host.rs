//! What a node takes from its host: entropy, boot marker, key protection. All deterministic.

use rand_chacha::ChaCha20Rng;
use rand_core::{CryptoRngCore, SeedableRng as _};
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use strongroom_ports::host::Entropy;
use strongroom_ports::keys::{KeyProtector, KeyProtectorError};
use strongroom_signer_core::Marker;
use strongroom_types::digest;
use strongroom_world::Seed;
use zeroize::Zeroizing;

/// Generators of a node: each one differs, and a replay makes the same.
pub(crate) struct NodeEntropy {
    seed: Seed,
    node: String,
    next: AtomicU64,
}

impl NodeEntropy {
    pub(crate) fn new(seed: Seed, node: &str) -> Arc<Self> {
        Arc::new(Self {
            seed,
            node: format!("entropy of {node}"),
            next: AtomicU64::new(0),
        })
    }
}

impl Entropy for NodeEntropy {
    fn rng(&self) -> Box<dyn CryptoRngCore + Send> {
        // By number and not by time: a start that is repeated never draws the nonces of the last
        // one.
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        Box::new(ChaCha20Rng::from_seed(self.seed.bytes(&self.node, number)))
    }
}

/// The boot marker: outside of the database, so a restored database does not bring it back.
#[derive(Clone, Default)]
pub(crate) struct SimMarker(Arc<Mutex<Option<[u8; 16]>>>);

impl SimMarker {
    pub(crate) fn get(&self) -> Option<[u8; 16]> {
        *self.0.lock().unwrap()
    }

    pub(crate) fn set(&self, generation: Option<[u8; 16]>) {
        *self.0.lock().unwrap() = generation;
    }
}

impl Marker for SimMarker {
    fn read(&self) -> io::Result<Option<[u8; 16]>> {
        Ok(*self.0.lock().unwrap())
    }
    fn write(&mut self, generation: [u8; 16]) -> io::Result<()> {
        *self.0.lock().unwrap() = Some(generation);
        Ok(())
    }
}

/// Stands in for the key provider: binds a blob to its associated data, hides nothing.
pub(crate) struct SimProtector;

impl KeyProtector for SimProtector {
    fn wrap(&self, aad: &[u8], secret: &[u8]) -> Result<Vec<u8>, KeyProtectorError> {
        let tag = digest("strongroom/sim-protector/v1", &[aad, secret]);
        Ok([tag.0.as_slice(), secret].concat())
    }

    fn unwrap(&self, aad: &[u8], blob: &[u8]) -> Result<Zeroizing<Vec<u8>>, KeyProtectorError> {
        let (tag, secret) = blob
            .split_at_checked(32)
            .ok_or(KeyProtectorError::Integrity)?;
        let good = digest("strongroom/sim-protector/v1", &[aad, secret]).0 == *tag;
        if good {
            Ok(Zeroizing::new(secret.to_vec()))
        } else {
            Err(KeyProtectorError::Integrity)
        }
    }
}
