//! Records that a stage has published so far.

use std::collections::BTreeSet;

use strongroom_ports::bus::Record;
use strongroom_stage::post::message_id;
use strongroom_wire::{Envelope, Payload, decode};

/// Records of a stage in the order of their publication, each message id once.
#[derive(Clone, Debug, Default)]
pub struct Published {
    records: Vec<Record>,
}

impl Published {
    /// Removes duplicates as a consumer does: by topic and message id.
    pub(crate) fn new(all: &[Record]) -> Self {
        let mut seen = BTreeSet::new();
        let fresh = all
            .iter()
            .filter(|r| seen.insert((r.topic.clone(), message_id(r))));
        Self {
            records: fresh.cloned().collect(),
        }
    }

    /// All of them, dead letters too.
    #[must_use]
    pub fn records(&self) -> &[Record] {
        &self.records
    }

    /// Those of one topic.
    pub fn on<'a>(&'a self, topic: &'a str) -> impl Iterator<Item = &'a Record> {
        self.records
            .iter()
            .filter(move |record| record.topic.as_str() == topic)
    }

    /// The payloads of one topic. Signatures are not verified: this is the stage's own word.
    ///
    /// # Panics
    /// When a record is not an envelope around `T`.
    #[must_use]
    pub fn payloads<T: Payload>(&self, topic: &str) -> Vec<T> {
        self.on(topic).map(payload_of).collect()
    }
}

/// The payload of an enveloped record.
///
/// # Panics
/// When it is not an envelope around `T`.
pub(crate) fn payload_of<T: Payload>(record: &Record) -> T {
    let (envelope, _) = unsealed(&record.payload).expect("an envelope");
    envelope.payload().expect("a payload of this kind")
}

/// The envelope and its signature, not verified.
pub(crate) fn unsealed(bytes: &[u8]) -> Option<(Envelope, [u8; 64])> {
    let (envelope, signature): (Vec<u8>, [u8; 64]) = borsh::from_slice(bytes).ok()?;
    Some((decode(&envelope).ok()?, signature))
}
