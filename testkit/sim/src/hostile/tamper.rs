//! Changing what a service sends, under its own key.

use super::{HostileParts, State};
use crate::dice::below;
use crate::event::Event;
use crate::kinds::{Hostile, NodeName};
use crate::reading::Opener;
use strongroom_chain_bitcoin::encode::Unsigned;
use strongroom_chain_bitcoin::{Network, address};
use strongroom_journal::Body;
use strongroom_ports::bus::Record;
use strongroom_types::attempt::unsigned_digest;
use strongroom_wire::envelope::{Envelope, Heading, seal};
use strongroom_wire::{
    CoordinatorMessage, JournalSubmitted, Payload, Role, SigningRequested, decode, encode, topics,
};
use strongroom_world::{FRIEND, STRANGER};

/// Which output of a transaction is changed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Output {
    Payment,
    Change,
}

impl HostileParts {
    /// What really leaves a node, in place of these records.
    pub(crate) fn outgoing(&self, node: NodeName, records: &[Record]) -> Vec<Record> {
        let state = &mut *self.state();
        if state.active.is_empty() {
            return records.to_vec();
        }

        // The whole batch first: the attempt and the request for it leave together, and must agree.
        if node == NodeName::Transactions
            && let Some(what) = state.plan_changes(&self.opener, records)
        {
            what.into_iter()
                .for_each(|what| self.trace.log(Event::Hostile(what)));
        }

        let mut leaving = Vec::new();
        for record in records {
            let changed = match (node, record.topic.as_str()) {
                (NodeName::Transactions, topics::SIGNING_REQUESTED) => {
                    state.other_request(&self.opener, record)
                }
                (NodeName::Transactions, topics::JOURNAL_SUBMITTED) => {
                    state.other_attempt(&self.opener, record)
                }
                (NodeName::Coordinator, topic) if topic.ends_with(".inbox.v1") => {
                    let swapped = state.swapped(&self.opener, record);
                    if swapped.is_some() {
                        self.trace.log(Event::Hostile(Hostile::SwapTransaction));
                    }
                    swapped
                }
                _ => None,
            };
            leaving.push(changed.unwrap_or_else(|| record.clone()));
        }
        leaving
    }
}

impl State {
    /// Before a batch of records leaves the transactions service: which transactions are changed,
    /// so that the attempt and the request for its signature agree. One entry per change.
    fn plan_changes(&mut self, opener: &Opener, records: &[Record]) -> Option<Vec<Hostile>> {
        let (what, output) = if self.does(Hostile::ForeignChange) {
            (Hostile::ForeignChange, Output::Change)
        } else if self.does(Hostile::PayStranger) {
            (Hostile::PayStranger, Output::Payment)
        } else {
            return None;
        };

        let mut done = Vec::new();
        let of_topic = |record: &&Record| record.topic.as_str() == topics::SIGNING_REQUESTED;
        for record in records.iter().filter(of_topic) {
            let Some((_, wanted)) = opener.open::<SigningRequested>(&record.payload) else {
                continue;
            };
            // Every other transaction, so that honest ones are signed beside.
            let name = unsigned_digest(&wanted.unsigned);
            if name.0[0] & 1 == 0 || self.changed.contains_key(&name) {
                continue;
            }
            if let Some(other) = another(&wanted.unsigned, output) {
                self.changed.insert(name, other);
                done.push(what);
            }
        }
        Some(done)
    }

    fn other_request(&mut self, opener: &Opener, record: &Record) -> Option<Record> {
        if self.changed.is_empty() {
            return None;
        }

        let (envelope, mut wanted) = opener.open::<SigningRequested>(&record.payload)?;
        let other = self.changed.get(&unsigned_digest(&wanted.unsigned))?;
        wanted.attempt.unsigned_digest = unsigned_digest(other);
        wanted.unsigned.clone_from(other);
        Some(self.reseal(Role::Transactions, record, &envelope, &wanted))
    }

    fn other_attempt(&mut self, opener: &Opener, record: &Record) -> Option<Record> {
        if self.changed.is_empty() {
            return None;
        }

        let (envelope, submitted) = opener.open::<JournalSubmitted>(&record.payload)?;
        let Ok(Body::Authorized(mut authorization)) = decode(&submitted.body) else {
            return None;
        };

        // Only the digest: to the journal every transaction is 32 bytes, so it takes this one. That
        // it pays another is for the signers to see.
        let attempt = &mut authorization.attempt;
        let other = self.changed.get(&attempt.unsigned_digest)?;
        attempt.unsigned_digest = unsigned_digest(other);
        let body = encode(&Body::Authorized(authorization));
        let submitted = JournalSubmitted { body, ..submitted };
        Some(self.reseal(Role::Transactions, record, &envelope, &submitted))
    }

    fn swapped(&mut self, opener: &Opener, record: &Record) -> Option<Record> {
        // One request of three: the honest ones show that it is the swap that is refused.
        if !self.does(Hostile::SwapTransaction) || below(&mut self.rng, 3) > 0 {
            return None;
        }

        let (envelope, message) = opener.open::<CoordinatorMessage>(&record.payload)?;
        let CoordinatorMessage::Sign(mut request) = message else {
            return None;
        };
        request.unsigned = another(&request.unsigned, Output::Payment)?;
        let message = CoordinatorMessage::Sign(request);
        Some(self.reseal(Role::Coordinator, record, &envelope, &message))
    }

    /// The same envelope with another payload, under the service's own key.
    fn reseal<T: Payload>(
        &self,
        role: Role,
        record: &Record,
        envelope: &Envelope,
        payload: &T,
    ) -> Record {
        let (_, key) = self.key(role);
        let heading = Heading {
            genesis: envelope.genesis,
            from: envelope.from,
            to: envelope.to,
            session: envelope.session,
            cause: envelope.cause,
            sequence: envelope.sequence,
            created: envelope.created,
            deadline: envelope.deadline,
        };

        let mut record = record.clone();
        record.payload = seal(heading, payload, &key);
        record
    }
}

/// The transaction with one output to another address.
fn another(unsigned: &[u8], output: Output) -> Option<Vec<u8>> {
    let mut form = Unsigned::decode(unsigned, Network::Regtest).ok()?;
    let mut outputs = form.outputs.iter();
    let at = outputs.position(|own| own.is_some() == (output == Output::Change))?;

    let friend = address::parse(FRIEND, Network::Regtest).ok()?;
    let stranger = address::parse(STRANGER, Network::Regtest).ok()?;
    let output = form.transaction.output.get_mut(at)?;
    output.script_pubkey = if output.script_pubkey == friend {
        stranger
    } else {
        friend
    };
    form.encode(Network::Regtest).ok()
}

/// The transaction with the coins of another one as further inputs. What they paid goes to the
/// change, and so does the payment of a cancel.
pub(super) fn with_coins_of(unsigned: &[u8], other: &[u8], is_cancel: bool) -> Option<Vec<u8>> {
    let mut form = Unsigned::decode(unsigned, Network::Regtest).ok()?;
    let other = Unsigned::decode(other, Network::Regtest).ok()?;
    form.transaction.input.extend(other.transaction.input);
    form.inputs.extend(other.inputs);

    let at = form.outputs.iter().position(Option::is_some)?;
    let change = form.transaction.output.get_mut(at)?;
    for paid in other.transaction.output {
        change.value += paid.value;
    }
    let joined = form.encode(Network::Regtest).ok()?;
    if is_cancel {
        home(&joined)
    } else {
        Some(joined)
    }
}

/// The transaction as a cancel: all that it pays goes to the change.
pub(super) fn home(unsigned: &[u8]) -> Option<Vec<u8>> {
    let mut form = Unsigned::decode(unsigned, Network::Regtest).ok()?;
    let at = form.outputs.iter().position(Option::is_some)?;
    let claim = form.outputs.swap_remove(at);
    let mut change = form.transaction.output.swap_remove(at);
    for paid in &form.transaction.output {
        change.value += paid.value;
    }
    form.outputs = vec![claim];
    form.transaction.output = vec![change];
    form.encode(Network::Regtest).ok()
}
