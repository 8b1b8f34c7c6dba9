//! Opening records of registered senders, for the parts that watch and for hostile ones.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use strongroom_journal::Genesis;
use strongroom_journal::genesis::Registered;
use strongroom_types::{Digest, digest};
use strongroom_wire::{Envelope, Payload, open};
use strongroom_world::ROLES;

/// Opens records of one installation. Clones share what was opened: a record that leaves its
/// process is read by the observer, by hostile parts and by each link, and none of them is the
/// product.
#[derive(Clone)]
pub(crate) struct Opener {
    senders: Arc<Registered>,
    /// Envelopes whose signature was verified, by the digest of their record.
    opened: Arc<Mutex<BTreeMap<Digest, Arc<Envelope>>>>,
}

impl Opener {
    pub(crate) fn new(genesis: &Genesis) -> Self {
        Self {
            senders: Arc::new(Registered::of(genesis)),
            opened: Arc::default(),
        }
    }

    /// Envelope and payload; none when it is not such a record of a registered sender.
    pub(crate) fn open<T: Payload>(&self, record: &[u8]) -> Option<(Arc<Envelope>, T)> {
        // Verifying a signature dominates: each record is verified once for all who watch. The
        // product's parties verify for themselves, as they ship.
        let name = digest("strongroom/sim-record/v1", &[record]);
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        let envelope = match opened.get(&name) {
            Some(envelope) => Arc::clone(envelope),
            None => {
                let envelope = Arc::new(open(record, self.senders.as_ref(), &ROLES).ok()?);
                opened.insert(name, Arc::clone(&envelope));
                envelope
            }
        };
        drop(opened);

        let payload = envelope.payload().ok()?;
        Some((envelope, payload))
    }
}
