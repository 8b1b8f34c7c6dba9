//! Opening records by topic into a stage's own enum of what it can receive.
//!
//! A stage lists its [`Route`]s once: topic, the roles that may send there, and how a payload
//! becomes a variant of its `Inbox`. The list defines both the subscriptions and the senders that
//! are believed, and handlers get parsed values only.
//!
//! ```text
//! enum Inbox { Submitted(SubmittedIntent), Changed(TransactionChanged) }
//!
//! let inbox = Routes::new([
//!     Route::new(topics::INTENT_SUBMITTED, &[Role::Api], |payload: IntentSubmitted| {
//!         SubmittedIntent::try_from(payload.intent).map(Inbox::Submitted)
//!     }),
//!     Route::new(topics::TRANSACTION_CHANGED, &[Role::Transactions], |payload| {
//!         Ok(Inbox::Changed(payload))
//!     }),
//! ]);
//!
//! for delivered in batch {
//!     let opened = inbox.open(delivered, senders)?;
//!     match opened.record { Inbox::Submitted(intent) => …, Inbox::Changed(changed) => … }
//! }
//! ```

use crate::StageError;
use crate::post::Cause;
use std::collections::BTreeMap;
use std::fmt;
use strongroom_ports::bus::{Delivered, Topic};
use strongroom_types::{NodeId, Refusal};
use strongroom_wire::{Envelope, Payload, Role, Senders, open};

type Parse<I> = Box<dyn Fn(&Envelope) -> Result<I, Refusal> + Send + Sync>;

/// One topic with its permitted senders and the parser of its payload into the enum `I`.
pub struct Route<I> {
    topic: String,
    roles: &'static [Role],
    only_from: Option<NodeId>,
    parse: Parse<I>,
}

impl<I> Route<I> {
    /// A route for records of `topic` by senders of `roles`. A refusal of `parse` makes the record
    /// a dead letter.
    pub fn new<T: Payload>(
        topic: impl Into<String>,
        roles: &'static [Role],
        parse: impl Fn(T) -> Result<I, Refusal> + Send + Sync + 'static,
    ) -> Self {
        Self {
            topic: topic.into(),
            roles,
            only_from: None,
            parse: Box::new(move |envelope| envelope.payload::<T>().and_then(&parse)),
        }
    }

    /// Restricts the topic to one sender of those roles: a signer on the topic of its own.
    #[must_use]
    pub fn only_from(mut self, node: NodeId) -> Self {
        self.only_from = Some(node);
        self
    }
}

/// All routes of a stage, one per topic.
pub struct Routes<I>(BTreeMap<String, Route<I>>);

/// A record whose sender and signature were verified.
#[derive(Clone, Debug)]
pub struct Opened<I> {
    /// Cause of the records that the stage makes in answer to it.
    pub cause: Cause,
    /// The node that sealed it.
    pub from: NodeId,
    /// The only node that it is addressed to; `None` = every consumer of the topic.
    pub to: Option<NodeId>,
    /// The payload, as the stage's own enum.
    pub record: I,
}

impl<I> Routes<I> {
    /// The routes of a stage. If two have the same topic, the later one replaces the earlier.
    pub fn new(routes: impl IntoIterator<Item = Route<I>>) -> Self {
        let by_topic = routes
            .into_iter()
            .map(|route| (route.topic.clone(), route))
            .collect();
        Self(by_topic)
    }

    /// Topics to subscribe to, ascending; for [`crate::Stage::topics`].
    #[must_use]
    pub fn topics(&self) -> Vec<Topic> {
        self.0
            .keys()
            .filter_map(|name| Topic::new(name).ok())
            .collect()
    }

    /// Opens a record after checking that its sender has one of the topic's roles, the signature is
    /// valid and the schema is the payload's. The caller checks the deadline and the recipient.
    ///
    /// # Errors
    /// Poison, with the refusal as source.
    pub fn open(
        &self,
        delivered: &Delivered,
        senders: &dyn Senders,
    ) -> Result<Opened<I>, StageError> {
        let Some(route) = self.0.get(delivered.topic.as_str()) else {
            return Err(StageError::poison("a record of a topic without a route"));
        };

        let refused =
            |refusal: Refusal| StageError::poison("the record does not open").because(refusal);
        let envelope = open(&delivered.record.payload, senders, route.roles).map_err(refused)?;

        // Each signer has a topic of its own. Another signer's record there is refused even with a
        // valid signature, because it could be taken for an answer of the topic's signer.
        if route.only_from.is_some_and(|node| node != envelope.from) {
            return Err(StageError::poison("a record on another node's topic"));
        }

        Ok(Opened {
            cause: Cause::of(delivered, &envelope),
            from: envelope.from,
            to: envelope.to,
            record: (route.parse)(&envelope).map_err(refused)?,
        })
    }
}

impl<I> fmt::Debug for Routes<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}
