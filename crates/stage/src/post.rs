//! Making and opening the records that stages exchange: signed envelopes with headers.

use crate::StageError;
use ed25519_dalek::SigningKey;
use std::fmt;
use strongroom_ports::bus::{Delivered, Headers, Record, Topic};
use strongroom_types::{Digest, NodeId, UnixMs, digest};
use strongroom_wire::envelope::Heading;
use strongroom_wire::{Envelope, Marks, Payload, Role, Senders, open, seal, try_encode};

/// The work that a new record continues. Message ids derive from it ([`message_id`]), so a
/// repetition makes the same ids.
#[derive(Clone, Debug)]
pub struct Cause {
    /// Message id of the record that is continued, or an id that the first producer made.
    pub msg_id: [u8; 16],
    /// Session or transaction that the record belongs to, 16 bytes.
    pub session: [u8; 16],
    /// Time from which on the record must not be acted upon.
    pub deadline: UnixMs,
    /// W3C trace context, as a `traceparent` header.
    pub traceparent: String,
    /// Times at which the earlier parts of the path finished.
    pub marks: Marks,
}

impl Cause {
    /// A delivered record as a cause. Deadline, trace and marks are the record's.
    #[must_use]
    pub fn of(delivered: &Delivered, envelope: &Envelope) -> Self {
        let headers = &delivered.record.headers;
        Self {
            msg_id: envelope_id(envelope),
            session: envelope.session,
            deadline: envelope.deadline,
            traceparent: headers.traceparent.clone(),
            marks: Marks::from_bytes(&headers.marks),
        }
    }

    /// The cause of work that a service starts by its own clock. Its message id is derived from
    /// `seed`.
    #[must_use]
    pub fn own(seed: &[&[u8]], deadline: UnixMs) -> Self {
        let msg_id = id_from(digest("strongroom/own-cause/v1", seed));
        Self {
            msg_id,
            session: [0; 16],
            deadline,
            traceparent: String::new(),
            marks: Marks::default(),
        }
    }

    /// This cause with another deadline.
    #[must_use]
    pub fn until(mut self, deadline: UnixMs) -> Self {
        self.deadline = deadline;
        self
    }
}

/// One service's signing identity on the bus.
pub struct Post {
    genesis: Digest,
    node: NodeId,
    key: SigningKey,
    sequence: u64,
}

impl fmt::Debug for Post {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Post({}, ..)", self.node)
    }
}

impl Post {
    /// An identity registered in genesis.
    #[must_use]
    pub fn new(genesis: Digest, node: NodeId, seed: &[u8; 32]) -> Self {
        Self {
            genesis,
            node,
            key: SigningKey::from_bytes(seed),
            sequence: 0,
        }
    }

    /// Bus id of this service.
    #[must_use]
    pub fn node(&self) -> NodeId {
        self.node
    }

    /// Seals a payload into a record for `topic`.
    ///
    /// # Errors
    /// A fatal error when the topic's name is not valid, or the payload cannot be encoded.
    pub fn record<T: Payload>(
        &mut self,
        now: UnixMs,
        (topic, key): (&str, &[u8]),
        to: Option<NodeId>,
        payload: &T,
        cause: &Cause,
    ) -> Result<Record, StageError> {
        self.sequence += 1;
        let heading = Heading {
            genesis: self.genesis,
            from: self.node,
            to,
            session: cause.session,
            cause: cause.msg_id,
            sequence: self.sequence,
            created: now,
            deadline: cause.deadline,
        };

        // The payload is encoded before anything is sealed, so that this service never signs a
        // record whose content is missing.
        try_encode(payload)
            .map_err(|e| StageError::fatal("a payload without an encoding").because(e))?;

        let headers = Headers {
            schema: T::SCHEMA.0,
            deadline_ms: cause.deadline.0,
            traceparent: cause.traceparent.clone(),
            marks: cause.marks.to_bytes(),
        };

        let topic = Topic::new(topic).map_err(|e| StageError::fatal("a topic name").because(e))?;
        Ok(Record {
            topic,
            key: key.to_vec(),
            headers,
            payload: seal(heading, payload, &self.key),
        })
    }
}

/// Id by which consumers tell a repetition from a new record of the same topic.
///
/// Nothing beside the signed bytes counts: a broker that could name a record otherwise would have
/// the next one of that name dropped.
#[must_use]
pub fn message_id(record: &Record) -> [u8; 16] {
    match Envelope::unverified(&record.payload) {
        Ok(envelope) => envelope_id(&envelope),
        // No stage opens it. It needs a name only until it is a dead letter.
        Err(_) => id_from(digest("strongroom/msg-id/v1", &[&record.payload])),
    }
}

fn envelope_id(envelope: &Envelope) -> [u8; 16] {
    // The sender is part of it: another one, who may write to the same topic, must not use up an id
    // whose cause and content it can foresee. Number and times are not: after a crash the same work
    // makes the same ids, and readers drop the records that they have.
    let to = envelope.to.map_or([0; 16], |to| to.0);
    let fields: [&[u8]; 4] = [&envelope.cause, &envelope.from.0, &to, &envelope.payload];
    id_from(digest("strongroom/msg-id/v1", &fields))
}

/// Opens a delivered record after checking that its sender has one of `roles`, the signature is
/// valid and the schema is the payload's. A record that does not open is poison.
///
/// # Errors
/// Poison, with the refusal as source.
pub fn open_record<T: Payload>(
    delivered: &Delivered,
    senders: &dyn Senders,
    roles: &[Role],
) -> Result<(Envelope, T), StageError> {
    let poison = |refusal: strongroom_types::Refusal| {
        StageError::poison("the record does not open").because(refusal)
    };

    let envelope = open(&delivered.record.payload, senders, roles).map_err(poison)?;
    let payload = envelope.payload().map_err(poison)?;
    Ok((envelope, payload))
}

/// Session of all records about one intent, by which its lines are found in the logs of every
/// service.
#[must_use]
pub fn session_of(intent: Digest) -> [u8; 16] {
    id_from(intent)
}

/// Id of 16 bytes: the first half of a digest.
#[must_use]
pub fn id_from(digest: Digest) -> [u8; 16] {
    let mut id = [0; 16];
    id.iter_mut()
        .zip(digest.0)
        .for_each(|(to, from)| *to = from);
    id
}
