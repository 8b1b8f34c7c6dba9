//! The life cycle of an intent in this service: its states, its events, and the one function that
//! connects them.

use strongroom_stage::life_cycle::IllegalTransition;

#[cfg(test)]
mod tests;

/// Name of the life cycle in errors and logs.
pub(crate) const LIFE_CYCLE: &str = "pending intent";

/// State of an intent here. The numbers are those of the column `state`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum PendingState {
    /// No row: never seen, refused, or ended and forgotten.
    Absent = 0,
    /// People's answers are awaited.
    Waiting = 1,
    /// No answer is missing. The row is kept, because the journal may find another decision, and the
    /// API may not have seen this one.
    Approved = 2,
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
    /// A client submitted it.
    Submit(OutlookKind),
    /// The same intent came again under another message id.
    SubmitAgain,
    /// The journal did not take its decision, so it was evaluated again.
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

impl PendingState {
    /// All states, by number.
    pub(crate) const ALL: [Self; 3] = [Self::Absent, Self::Waiting, Self::Approved];

    /// Name in logs and in the printed table.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Absent => "absent",
            Self::Waiting => "waiting",
            Self::Approved => "approved",
        }
    }

    /// Number in the column `state`.
    pub(crate) const fn number(self) -> i64 {
        self as i64
    }

    /// The state with this number.
    pub(crate) fn from_number(number: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.number() == number)
    }

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
            // Without a row there is nothing to answer and nothing to end.
            PendingEvent::SubmitAgain
            | PendingEvent::Yes
            | PendingEvent::LastYes
            | PendingEvent::Expire
            | PendingEvent::EndInJournal
            | PendingEvent::Settle => Err(event.illegal_in(Self::Absent)),
        }
    }

    fn apply_waiting(event: PendingEvent) -> Result<Self, IllegalTransition> {
        match event {
            // People's answers survive a repeated submission. They survive a refusal at the moment
            // of a return as well, because the policy may pass the intent by the time of the last
            // answer.
            PendingEvent::SubmitAgain | PendingEvent::Return(OutlookKind::Refused) => {
                Ok(Self::Waiting)
            }
            PendingEvent::Return(outlook) => Ok(Self::evaluated(outlook)),
            // Further answers are needed.
            PendingEvent::Yes => Ok(Self::Waiting),
            PendingEvent::LastYes => Ok(Self::Approved),
            PendingEvent::Expire | PendingEvent::EndInJournal => Ok(Self::Absent),
            // The event is about an earlier payment of the same intent, which came back here since.
            PendingEvent::Settle => Ok(Self::Waiting),
            // A second evaluation could change the decision that people are answering.
            PendingEvent::Submit(_) => Err(event.illegal_in(Self::Waiting)),
        }
    }

    fn apply_approved(event: PendingEvent) -> Result<Self, IllegalTransition> {
        match event {
            PendingEvent::SubmitAgain | PendingEvent::Return(OutlookKind::Refused) => {
                Ok(Self::Approved)
            }
            PendingEvent::Return(outlook) => Ok(Self::evaluated(outlook)),
            PendingEvent::Expire | PendingEvent::Settle => Ok(Self::Absent),
            // The intent's payment is under way: another evaluation now would find it authorized
            // already.
            PendingEvent::Submit(_)
            // No answer is missing, and one more must not change what the transactions service was
            // told.
            | PendingEvent::Yes
            | PendingEvent::LastYes
            // The approvals are with the transactions service. It tells the end that the journal
            // holds, and that report settles the intent here, unless its deadline did.
            | PendingEvent::EndInJournal => Err(event.illegal_in(Self::Approved)),
        }
    }

    const fn evaluated(outlook: OutlookKind) -> Self {
        match outlook {
            OutlookKind::Waits => Self::Waiting,
            OutlookKind::Passes => Self::Approved,
            OutlookKind::Refused => Self::Absent,
        }
    }
}

impl PendingEvent {
    /// Name in logs and in the printed table.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Submit(OutlookKind::Waits) => "submit(waits)",
            Self::Submit(OutlookKind::Passes) => "submit(passes)",
            Self::Submit(OutlookKind::Refused) => "submit(refused)",
            Self::SubmitAgain => "submit_again",
            Self::Return(OutlookKind::Waits) => "return(waits)",
            Self::Return(OutlookKind::Passes) => "return(passes)",
            Self::Return(OutlookKind::Refused) => "return(refused)",
            Self::Yes => "yes",
            Self::LastYes => "last_yes",
            Self::Expire => "expire",
            Self::EndInJournal => "end_in_journal",
            Self::Settle => "settle",
        }
    }

    fn illegal_in(self, from: PendingState) -> IllegalTransition {
        IllegalTransition {
            life_cycle: LIFE_CYCLE,
            state: from.name(),
            event: self.name().into(),
        }
    }
}
