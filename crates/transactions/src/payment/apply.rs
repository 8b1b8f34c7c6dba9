//! The table of the life cycle as code. `life-cycle.txt` is printed from it.

use super::{
    Assembled, LIFE_CYCLE, Offered, PaymentEvent, PaymentState, PaymentStateName, Waiting,
};
use strongroom_stage::life_cycle::IllegalTransition;
use strongroom_wire::{TransactionState, ended_as};

impl PaymentState {
    /// The state after an event. The whole table is in `life-cycle.txt`; every state names each
    /// event, so that a new one does not compile before its place is decided.
    pub(crate) fn apply(self, event: PaymentEvent) -> Result<Self, IllegalTransition> {
        match self {
            Self::Building(waiting) => waiting.apply(event),
            Self::Signing(offered) => offered.apply_signing(event),
            Self::TooLate(offered) => offered.apply_too_late(event),
            Self::Signed(assembled) => assembled.apply_signed(event),
            Self::Broadcast(assembled) => assembled.apply_broadcast(event),
            Self::Returned(offered) => offered.apply_returned(event),
            // An end is final: coins are given back or spent, and clients were told.
            Self::Ended(_) => Err(event.illegal_in(self.state_name())),
        }
    }
}

impl Waiting {
    fn apply(self, event: PaymentEvent) -> Result<PaymentState, IllegalTransition> {
        match event {
            PaymentEvent::Offer(proposal) => Ok(PaymentState::Signing(Offered {
                builds: self.builds.saturating_add(1),
                attempt: proposal.attempt,
                unsigned: proposal.unsigned,
                slots: proposal.slots,
                failures: 0,
            })),
            // The number of builds stays, because a wait is none of them.
            PaymentEvent::Postpone => Ok(PaymentState::Building(Self {
                failures: self.failures.saturating_add(1),
                ..self
            })),
            PaymentEvent::Wait(code) => Ok(PaymentState::Building(Self {
                failures: self.failures.saturating_add(1),
                reason: Some(code),
                ..self
            })),
            PaymentEvent::Refuse(code, by) => Ok(PaymentState::Ended(ended_as(code, by))),

            // Nothing is offered, so no one can answer: such a record is late or false.
            PaymentEvent::Remind
            | PaymentEvent::RefusalReported
            | PaymentEvent::EndedTooLate
            | PaymentEvent::Accept
            | PaymentEvent::AnchorTaken
            | PaymentEvent::Return
            | PaymentEvent::Resume
            | PaymentEvent::Assemble(_)
            | PaymentEvent::NodeSilent
            | PaymentEvent::NodeAccepted
            | PaymentEvent::NodeRejected
            | PaymentEvent::Confirm => Err(event.illegal_in(PaymentStateName::Building)),
        }
    }
}

impl Offered {
    fn apply_signing(self, event: PaymentEvent) -> Result<PaymentState, IllegalTransition> {
        match event {
            // After a reported refusal each reminder is one more try that may fail.
            PaymentEvent::Remind => Ok(PaymentState::Signing(Self {
                failures: self.failures.saturating_add(u32::from(self.failures > 0)),
                ..self
            })),
            PaymentEvent::RefusalReported => Ok(PaymentState::Signing(Self {
                failures: self.failures.max(1),
                ..self
            })),
            PaymentEvent::EndedTooLate => Ok(PaymentState::TooLate(self)),
            PaymentEvent::Accept => Ok(PaymentState::Signing(Self {
                failures: 0,
                ..self
            })),
            // The offer is dropped: no authorization of this transaction can come, so nothing of it
            // is binding.
            PaymentEvent::AnchorTaken => Ok(PaymentState::Building(Waiting {
                builds: self.builds,
                ..Waiting::default()
            })),
            PaymentEvent::Return => Ok(PaymentState::Returned(Self {
                failures: 1,
                ..self
            })),
            PaymentEvent::Refuse(code, by) => Ok(PaymentState::Ended(ended_as(code, by))),
            PaymentEvent::Assemble(raw) => Ok(self.assembled(raw)),

            // A second offer would put two transactions of one payment before the signers, and an
            // unsigned one has no business with the network.
            PaymentEvent::Offer(_)
            | PaymentEvent::Postpone
            | PaymentEvent::Wait(_)
            | PaymentEvent::Resume
            | PaymentEvent::NodeSilent
            | PaymentEvent::NodeAccepted
            | PaymentEvent::NodeRejected
            | PaymentEvent::Confirm => Err(event.illegal_in(PaymentStateName::Signing)),
        }
    }

    fn apply_returned(self, event: PaymentEvent) -> Result<PaymentState, IllegalTransition> {
        match event {
            PaymentEvent::Remind => Ok(PaymentState::Returned(Self {
                failures: self.failures.saturating_add(1),
                ..self
            })),
            // The transaction that was offered stays: another one would be a second for one
            // payment.
            PaymentEvent::Resume => Ok(PaymentState::Signing(Self {
                failures: 0,
                ..self
            })),
            PaymentEvent::EndedTooLate => Ok(PaymentState::TooLate(self)),
            PaymentEvent::Refuse(code, by) => Ok(PaymentState::Ended(ended_as(code, by))),
            // The journal took the payment after all, under the decision of before.
            PaymentEvent::Assemble(raw) => Ok(self.assembled(raw)),

            // In this state nothing is asked of journal and signers: their answers are to earlier
            // questions.
            PaymentEvent::Offer(_)
            | PaymentEvent::Postpone
            | PaymentEvent::Wait(_)
            | PaymentEvent::RefusalReported
            | PaymentEvent::Accept
            | PaymentEvent::AnchorTaken
            | PaymentEvent::Return
            | PaymentEvent::NodeSilent
            | PaymentEvent::NodeAccepted
            | PaymentEvent::NodeRejected
            | PaymentEvent::Confirm => Err(event.illegal_in(PaymentStateName::Returned)),
        }
    }

    fn apply_too_late(self, event: PaymentEvent) -> Result<PaymentState, IllegalTransition> {
        match event {
            // This is the signature that could not be excluded. From here on only the chain ends
            // the payment.
            PaymentEvent::Assemble(raw) => Ok(self.assembled(raw)),

            // `Refuse` is illegal above all: no word of any service proves that no share is out.
            PaymentEvent::Offer(_)
            | PaymentEvent::Postpone
            | PaymentEvent::Wait(_)
            | PaymentEvent::Remind
            | PaymentEvent::RefusalReported
            | PaymentEvent::EndedTooLate
            | PaymentEvent::Accept
            | PaymentEvent::AnchorTaken
            | PaymentEvent::Return
            | PaymentEvent::Resume
            | PaymentEvent::Refuse(..)
            | PaymentEvent::NodeSilent
            | PaymentEvent::NodeAccepted
            | PaymentEvent::NodeRejected
            | PaymentEvent::Confirm => Err(event.illegal_in(PaymentStateName::TooLate)),
        }
    }

    fn assembled(self, raw: Vec<u8>) -> PaymentState {
        PaymentState::Signed(Assembled {
            offered: Self {
                failures: 0,
                ..self
            },
            raw,
            failures: 0,
        })
    }
}

impl Assembled {
    /// A signature cannot be taken back: neither a refusal nor time ends it from here on.
    fn apply_signed(self, event: PaymentEvent) -> Result<PaymentState, IllegalTransition> {
        match event {
            // A rejection counts as silence: it mostly passes, and a hostile node can answer it at
            // any time.
            PaymentEvent::NodeSilent | PaymentEvent::NodeRejected => {
                Ok(PaymentState::Signed(Self {
                    failures: self.failures.saturating_add(1),
                    ..self
                }))
            }
            PaymentEvent::NodeAccepted => Ok(PaymentState::Broadcast(self)),

            // `Refuse` is illegal above all: who holds the signed transaction can broadcast it,
            // whatever this service says, so clients must not be told that it ended.
            PaymentEvent::Offer(_)
            | PaymentEvent::Postpone
            | PaymentEvent::Wait(_)
            | PaymentEvent::Remind
            | PaymentEvent::RefusalReported
            | PaymentEvent::EndedTooLate
            | PaymentEvent::Accept
            | PaymentEvent::AnchorTaken
            | PaymentEvent::Return
            | PaymentEvent::Resume
            | PaymentEvent::Refuse(..)
            | PaymentEvent::Assemble(_)
            | PaymentEvent::Confirm => Err(event.illegal_in(PaymentStateName::Signed)),
        }
    }

    fn apply_broadcast(self, event: PaymentEvent) -> Result<PaymentState, IllegalTransition> {
        match event {
            PaymentEvent::Confirm => Ok(PaymentState::Ended(TransactionState::Completed)),

            // A node that forgot the transaction ends nothing: others may still have it.
            PaymentEvent::Offer(_)
            | PaymentEvent::Postpone
            | PaymentEvent::Wait(_)
            | PaymentEvent::Remind
            | PaymentEvent::RefusalReported
            | PaymentEvent::EndedTooLate
            | PaymentEvent::Accept
            | PaymentEvent::AnchorTaken
            | PaymentEvent::Return
            | PaymentEvent::Resume
            | PaymentEvent::Refuse(..)
            | PaymentEvent::Assemble(_)
            | PaymentEvent::NodeSilent
            | PaymentEvent::NodeAccepted
            | PaymentEvent::NodeRejected => Err(event.illegal_in(PaymentStateName::Broadcast)),
        }
    }
}

impl PaymentEvent {
    fn illegal_in(&self, from: PaymentStateName) -> IllegalTransition {
        IllegalTransition {
            life_cycle: LIFE_CYCLE,
            state: from.name(),
            event: self.name().into(),
        }
    }
}
