//! Sealed records as services, signers and witnesses put them on the bus, and reading them back.

use crate::world::World;
use ed25519_dalek::SigningKey;
use strongroom_journal::genesis::Registered;
use strongroom_ports::bus::{Delivered, Record};
use strongroom_stage::post::{Cause, Post};
use strongroom_types::{NodeId, UnixMs};
use strongroom_wire::{Envelope, Payload, Role, open};

/// Every role that may seal a record.
pub const ROLES: [Role; 7] = [
    Role::Api,
    Role::Approvals,
    Role::Transactions,
    Role::Coordinator,
    Role::Writer,
    Role::Signer,
    Role::Witness,
];

/// The key that seals a record.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Sender {
    /// A service under its own key.
    Service(Role),
    /// A signer or witness by seat, from 1, under its own key.
    Seat(u16),
    /// A service's name under a key that genesis does not know.
    Forged(Role),
}

/// Topic, reader and times of a record.
#[derive(Clone, Copy, Debug)]
pub struct Letter<'a> {
    /// Topic name.
    pub topic: &'a str,
    /// Bus key: records of one key keep their order.
    pub key: &'a [u8],
    /// The one node that it is for; none when it is for every reader.
    pub to: Option<NodeId>,
    /// Creation time in the envelope.
    pub created: UnixMs,
    /// Time from which no one may act upon it.
    pub deadline: UnixMs,
}

impl<'a> Letter<'a> {
    /// A record for every reader of a topic, valid for an hour from `created`.
    #[must_use]
    pub const fn new(topic: &'a str, created: UnixMs) -> Self {
        Self {
            topic,
            key: &[],
            to: None,
            created,
            deadline: UnixMs(created.0 + 3_600_000),
        }
    }

    /// The same for one reader.
    #[must_use]
    pub const fn to(mut self, node: NodeId) -> Self {
        self.to = Some(node);
        self
    }

    /// The same with another deadline.
    #[must_use]
    pub const fn until(mut self, deadline: UnixMs) -> Self {
        self.deadline = deadline;
        self
    }
}

impl World {
    /// The bus identity of a sender.
    #[must_use]
    pub fn post(&self, sender: Sender) -> Post {
        let (node, key) = self.identity(sender);
        Post::new(self.genesis.hash(), node, &key.to_bytes())
    }

    fn identity(&self, sender: Sender) -> (NodeId, SigningKey) {
        match sender {
            Sender::Service(role) => {
                let keys = self.service(role);
                (keys.node, keys.signing.clone())
            }
            Sender::Seat(n) => {
                let keys = self.seat(n);
                (keys.node, keys.signing)
            }
            Sender::Forged(role) => {
                let key = self.seed.bytes("forged key", role as u64);
                (self.service(role).node, SigningKey::from_bytes(&key))
            }
        }
    }

    /// A sealed record. Each call gives another message id; the same record twice is a duplicate.
    #[must_use]
    pub fn record<T: Payload>(&self, sender: Sender, letter: Letter<'_>, payload: &T) -> Record {
        let number = self.next().to_be_bytes();
        let cause = Cause::own(&[b"test record", &number], letter.deadline);
        let place = (letter.topic, letter.key);
        self.post(sender)
            .record(letter.created, place, letter.to, payload, &cause)
            .unwrap()
    }

    /// Reads a record of any registered sender.
    ///
    /// # Panics
    /// When it does not open.
    #[must_use]
    pub fn open<T: Payload>(&self, record: &Record) -> (Envelope, T) {
        let senders = Registered::of(&self.genesis);
        let envelope = open(&record.payload, &senders, &ROLES).unwrap();
        let payload = envelope.payload().unwrap();
        (envelope, payload)
    }

    /// The payloads of one topic among these records, in order.
    #[must_use]
    pub fn payloads<T: Payload>(&self, records: &[Record], topic: &str) -> Vec<T> {
        records
            .iter()
            .filter(|record| record.topic.as_str() == topic)
            .map(|record| self.open(record).1)
            .collect()
    }
}

/// A record as a stage gets it from the bus.
#[must_use]
pub fn delivered(record: Record, offset: u64) -> Delivered {
    Delivered {
        topic: record.topic.clone(),
        partition: 0,
        offset,
        record,
    }
}
