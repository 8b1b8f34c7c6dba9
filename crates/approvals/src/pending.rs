//! The life cycle of an intent in this service: its states, what may happen to it, and the one
//! function that connects them.

#[cfg(test)]
mod tests;

/// State of an intent here.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum PendingState {
    /// No row: never seen, never in need of people, or ended and forgotten.
    Absent,
    /// Waits for people's answers.
    Waiting,
    /// Has all answers. Kept, since the journal may find another decision.
    Approved,
}

/// Consequence of the policy's early evaluation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum OutlookKind {
    /// People must answer.
    Waits,
    /// The rule asks no one.
    Passes,
    /// Refused before or by the policy.
    Refused,
}

/// Something that happened to an intent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum PendingEvent {
    /// A client submitted it, or the API did again.
    Submit(OutlookKind),
    /// The journal did not take its decision; evaluated again.
    Return(OutlookKind),
    /// A yes, and more are needed.
    Yes,
    /// The yes that completes it.
    LastYes,
    /// Its deadline passed.
    Expire,
    /// The journal holds its cancellation or rejection.
    EndInJournal,
    /// Its payment is signed or has ended: the decision can change no more.
    Settle,
}

/// An event that a state does not take.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("an intent that is {from:?} does not take {event:?}")]
pub(crate) struct IllegalTransition {
    /// State before the event.
    from: PendingState,
    /// The event that was refused.
    event: PendingEvent,
}

impl PendingState {
    /// The state after an event. The whole table is in `life-cycle.txt`.
    pub(crate) fn apply(self, event: PendingEvent) -> Result<Self, IllegalTransition> {
        match self {
            Self::Absent => Self::apply_absent(event),
            Self::Waiting => Self::apply_waiting(event),
            Self::Approved => Self::apply_approved(event),
        }
    }

    fn apply_absent(event: PendingEvent) -> Result<Self, IllegalTransition> {
        match event {
            PendingEvent::Submit(outlook) | PendingEvent::Return(outlook) => {
                Ok(Self::evaluated(outlook))
            }
            // The news of a payment that no one had to approve.
            PendingEvent::Settle => Ok(Self::Absent),
            PendingEvent::Yes
            | PendingEvent::LastYes
            | PendingEvent::Expire
            | PendingEvent::EndInJournal => Err(event.illegal_in(Self::Absent)),
        }
    }

    fn apply_waiting(event: PendingEvent) -> Result<Self, IllegalTransition> {
        match event {
            // The API repeats what it believes lost: people's answers must survive that.
            PendingEvent::Submit(_) => Ok(Self::Waiting),
            PendingEvent::Return(outlook) => Ok(Self::evaluated(outlook)),
            // One of several.
            PendingEvent::Yes => Ok(Self::Waiting),
            PendingEvent::LastYes => Ok(Self::Approved),
            PendingEvent::Expire | PendingEvent::EndInJournal => Ok(Self::Absent),
            // An earlier payment of the same intent, which came back here since.
            PendingEvent::Settle => Ok(Self::Waiting),
        }
    }

    fn apply_approved(event: PendingEvent) -> Result<Self, IllegalTransition> {
        match event {
            // Its payment is under way: another evaluation now would find it authorized already.
            PendingEvent::Submit(_) => Ok(Self::Approved),
            PendingEvent::Return(outlook) => Ok(Self::evaluated(outlook)),
            PendingEvent::Expire | PendingEvent::Settle => Ok(Self::Absent),
            // Its approvals are with the transactions service: from here on the journal stops it.
            PendingEvent::Yes | PendingEvent::LastYes | PendingEvent::EndInJournal => {
                Err(event.illegal_in(Self::Approved))
            }
        }
    }

    const fn evaluated(outlook: OutlookKind) -> Self {
        match outlook {
            OutlookKind::Waits => Self::Waiting,
            OutlookKind::Passes | OutlookKind::Refused => Self::Absent,
        }
    }
}

impl PendingEvent {
    const fn illegal_in(self, from: PendingState) -> IllegalTransition {
        IllegalTransition { from, event: self }
    }
}
