//! Opening records of registered senders, for the parts that watch and for hostile ones.

use std::sync::Arc;
use strongroom_journal::Genesis;
use strongroom_journal::genesis::Registered;
use strongroom_wire::{Envelope, Payload, open};
use strongroom_world::ROLES;

/// Opens records of one installation.
#[derive(Clone)]
pub(crate) struct Opener(Arc<Registered>);

impl Opener {
    pub(crate) fn new(genesis: &Genesis) -> Self {
        Self(Arc::new(Registered::of(genesis)))
    }

    /// Envelope and payload; none when it is not such a record of a registered sender.
    pub(crate) fn open<T: Payload>(&self, record: &[u8]) -> Option<(Envelope, T)> {
        let envelope = open(record, self.0.as_ref(), &ROLES).ok()?;
        let payload = envelope.payload().ok()?;
        Some((envelope, payload))
    }
}
