//! Received messages: which of them are put into the inbox, and which prove misbehaviour.

use super::{DkgSession, Phase};
use crate::dkg::message::{Message, MessageBody, Round1, Round2};
use crate::dkg::{DkgEffect, DkgFault, IgnoredReason};
use rand_core::CryptoRngCore;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
#[cfg(mutants)]
use strongroom_guard::{G, guard};

/// Received messages of all rounds. A fast peer's message may be for the next round.
#[derive(Default)]
pub(super) struct Received {
    pub(super) round1: BTreeMap<u16, Round1>,
    pub(super) echoes: BTreeMap<u16, [u8; 32]>,
    pub(super) round2: BTreeMap<u16, Round2>,
}

/// Reason for which a message was not put into the inbox: it is ignored, or it proves misbehaviour.
enum NotInserted {
    Ignored(IgnoredReason),
    Fault(DkgFault),
}

impl From<IgnoredReason> for NotInserted {
    fn from(reason: IgnoredReason) -> Self {
        Self::Ignored(reason)
    }
}

impl DkgSession {
    pub(super) fn on_message(
        &mut self,
        from: u16,
        bytes: &[u8],
        rng: &mut dyn CryptoRngCore,
    ) -> Result<Vec<DkgEffect>, DkgFault> {
        match self.insert_message(from, bytes) {
            Ok(()) => self.advance(rng),
            Err(NotInserted::Ignored(reason)) => Ok(vec![DkgEffect::Ignored(reason)]),
            Err(NotInserted::Fault(fault)) => Err(fault),
        }
    }

    /// Puts a message into the inbox.
    fn insert_message(&mut self, from: u16, bytes: &[u8]) -> Result<(), NotInserted> {
        // None of the checks before the inbox makes a fault: they only ignore the message.
        // Otherwise one forged message could end the ceremony.
        if self.parameters.member(from).is_none() {
            return Err(IgnoredReason::UnknownSender.into());
        }
        if from == self.me {
            return Err(IgnoredReason::OwnMessage.into());
        }

        let decoded = Message::decode(bytes, &self.parameters.session, &self.context);
        // Without the rule, a message that does not fit is its sender's fault.
        #[cfg(mutants)]
        if decoded.is_err() && !guard(G::IgnoreNotBlame, true) {
            let culprits = vec![from];
            return Err(NotInserted::Fault(DkgFault::Equivocation { culprits }));
        }
        let body = decoded?;
        // The rounds are over once the transcript is being certified; a later message must not
        // change them.
        if !matches!(self.phase, Phase::Rounds { .. } | Phase::Persisting(_)) {
            return Err(IgnoredReason::Closed.into());
        }

        match body {
            MessageBody::Round1(message) => insert_once(&mut self.inbox.round1, from, message),
            MessageBody::Echo(hash) => insert_once(&mut self.inbox.echoes, from, hash),
            MessageBody::Round2(message) if message.to == self.me => {
                insert_once(&mut self.inbox.round2, from, message)
            }
            MessageBody::Round2(_) => Err(IgnoredReason::OtherRecipient.into()),
        }
    }
}

/// Inserts the first message of a sender. A second one that differs proves equivocation, because
/// the envelope of each is signed.
fn insert_once<T: PartialEq>(
    round: &mut BTreeMap<u16, T>,
    from: u16,
    message: T,
) -> Result<(), NotInserted> {
    match round.entry(from) {
        Entry::Vacant(vacant) => {
            vacant.insert(message);
            Ok(())
        }
        Entry::Occupied(known) if *known.get() == message => Err(IgnoredReason::Duplicate.into()),
        Entry::Occupied(_) => Err(NotInserted::Fault(DkgFault::Equivocation {
            culprits: vec![from],
        })),
    }
}
