//! The states of a transaction as its row shows them, and the events that move it from one to
//! another.
//!
//! Decisions and changes travel on topics of their own, so a record may arrive after a later one.
//! [`apply`] refuses what comes too late; the row stays as it is then. The committed table
//! `life-cycle.txt` has a line for every state and event.

use strongroom_stage::life_cycle::IllegalTransition;
use strongroom_wire::TransactionState;

/// Name of the life cycle in errors and logs.
pub(crate) const LIFE_CYCLE: &str = "transaction's row";

/// Answer of the approvals service to an intent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum EarlyDecision {
    /// Approvers must answer.
    Pending,
    /// No answer is missing.
    Approved,
    /// Refused, which ends it in this state.
    Ended(TransactionState),
}

/// A record or a time-out that concerns a transaction.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum RowEvent {
    /// The first decision, or the next about the same decision core.
    Decided(EarlyDecision),
    /// A decision with another core than the row's: the journal had sent the intent back.
    DecidedAgain(EarlyDecision),
    /// The transactions service reports a state.
    Changed(TransactionState),
    /// The intent's time is over, and the journal shows that no attempt of it was or can be signed.
    TimedOut,
}

impl RowEvent {
    /// Name in logs and in the printed table.
    pub(crate) fn name(self) -> String {
        match self {
            Self::Decided(verdict) => format!("decided({})", verdict.state().name()),
            Self::DecidedAgain(verdict) => format!("decided_again({})", verdict.state().name()),
            Self::Changed(state) => format!("changed({})", state.name()),
            Self::TimedOut => "timed_out".to_owned(),
        }
    }
}

/// The state after an event. An event that does not move a row in this state usually arrived late.
pub(crate) fn apply(
    state: TransactionState,
    event: RowEvent,
) -> Result<TransactionState, IllegalTransition> {
    let next = match state {
        TransactionState::Received
        | TransactionState::Screening
        | TransactionState::PendingApproval => from_undecided(state, event),
        TransactionState::Approved
        | TransactionState::TimeLocked
        | TransactionState::WaitingForFunds
        | TransactionState::Signing => from_approved(state, event),
        TransactionState::Signed
        | TransactionState::Broadcasting
        | TransactionState::Confirming => from_signed(state, event),
        // Clients were told the end, and may have acted on it.
        TransactionState::Completed
        | TransactionState::Rejected
        | TransactionState::Blocked
        | TransactionState::Expired
        | TransactionState::Cancelled
        | TransactionState::Failed
        | TransactionState::Replaced => None,
    };
    next.ok_or_else(|| IllegalTransition {
        life_cycle: LIFE_CYCLE,
        state: state.name(),
        event: event.name().into(),
    })
}

/// The state after one in which the decision, or an approver's answer to it, is still to come.
fn from_undecided(state: TransactionState, event: RowEvent) -> Option<TransactionState> {
    let is_new = matches!(state, TransactionState::Received);
    match event {
        RowEvent::Decided(verdict) | RowEvent::DecidedAgain(verdict) => Some(verdict.state()),
        // The service that has the intent reports its end as well, but the record may be lost.
        RowEvent::TimedOut => Some(TransactionState::Expired),
        RowEvent::Changed(next) => match next {
            TransactionState::Screening => is_new.then_some(next),
            // The decision is on another topic, and this report may overtake it.
            TransactionState::Approved
            | TransactionState::TimeLocked
            | TransactionState::WaitingForFunds
            | TransactionState::Signing
            | TransactionState::Signed
            | TransactionState::Broadcasting
            | TransactionState::Confirming
            | TransactionState::Completed
            | TransactionState::Rejected
            | TransactionState::Blocked
            | TransactionState::Expired
            | TransactionState::Cancelled
            | TransactionState::Failed
            | TransactionState::Replaced => Some(next),
            // Only a decision brings the core that its approvers sign; the report tells why they
            // are asked again.
            TransactionState::PendingApproval => {
                matches!(state, TransactionState::PendingApproval).then_some(next)
            }
            TransactionState::Received => None,
        },
    }
}

/// The state after one that is approved and not signed: the journal may still send it back.
fn from_approved(state: TransactionState, event: RowEvent) -> Option<TransactionState> {
    match event {
        // A decision that is doubled or late must not take back what has been authorized since.
        RowEvent::Decided(_) => None,
        // An approval that the transactions service never read is followed by no report, nor is an
        // offer that its tables lost.
        RowEvent::TimedOut => Some(TransactionState::Expired),
        // The transactions service may have offered it: of that only the journal and the chain tell
        // an end. An approvals service whose tables were put back knows nothing of it.
        RowEvent::DecidedAgain(EarlyDecision::Ended(_)) => None,
        // The decision may overtake the report that the intent was sent back. Without this edge the
        // row would keep the old core, and its approvers would sign what no longer counts.
        RowEvent::DecidedAgain(verdict) => Some(verdict.state()),
        RowEvent::Changed(next) => match next {
            TransactionState::TimeLocked => {
                matches!(state, TransactionState::Approved).then_some(next)
            }
            // The journal found another decision, and people answer again.
            TransactionState::PendingApproval
            // An offer that lost its anchor is built again, for which funds may be missing. Reports
            // of one payment come in order: none of these is late.
            | TransactionState::Approved
            | TransactionState::WaitingForFunds
            // Each of these follows itself, too: the reason against a payment is told while it
            // waits.
            | TransactionState::Signing
            | TransactionState::Signed
            | TransactionState::Broadcasting
            | TransactionState::Confirming
            | TransactionState::Completed
            | TransactionState::Rejected
            | TransactionState::Blocked
            | TransactionState::Expired
            | TransactionState::Cancelled
            | TransactionState::Failed
            | TransactionState::Replaced => Some(next),
            // A late report must not take the row back.
            TransactionState::Received | TransactionState::Screening => None,
        },
    }
}

/// The state after one with a signature, where no decision counts: only the chain ends it.
fn from_signed(state: TransactionState, event: RowEvent) -> Option<TransactionState> {
    let is_confirming = matches!(state, TransactionState::Confirming);
    match event {
        RowEvent::Decided(_) | RowEvent::DecidedAgain(_) | RowEvent::TimedOut => None,
        RowEvent::Changed(next) => match next {
            // Each of these follows itself, too: the network's refusal is told while the
            // transaction is offered again.
            TransactionState::Signed | TransactionState::Broadcasting => {
                matches!(state, TransactionState::Signed).then_some(next)
            }
            TransactionState::Confirming => (!is_confirming).then_some(next),
            TransactionState::Completed | TransactionState::Replaced => Some(next),
            // A report that is late or false must not take the row back: the signature is out, and
            // a client that is told of an end signs another payment.
            TransactionState::Received
            | TransactionState::Screening
            | TransactionState::PendingApproval
            | TransactionState::Approved
            | TransactionState::TimeLocked
            | TransactionState::WaitingForFunds
            | TransactionState::Signing
            | TransactionState::Rejected
            | TransactionState::Blocked
            | TransactionState::Expired
            | TransactionState::Cancelled
            | TransactionState::Failed => None,
        },
    }
}

/// Whether a transaction has come as far as a wanted state, or has ended.
pub(crate) fn has_reached(state: TransactionState, wanted: TransactionState) -> bool {
    place(state) >= place(wanted)
}

impl EarlyDecision {
    const fn state(self) -> TransactionState {
        match self {
            Self::Pending => TransactionState::PendingApproval,
            Self::Approved => TransactionState::Approved,
            Self::Ended(end) => end,
        }
    }
}

/// Place on the way from the request to an end, for a client that waits; all ends share the last
/// one. It decides no transition.
const fn place(state: TransactionState) -> u8 {
    match state {
        TransactionState::Received => 0,
        TransactionState::Screening => 1,
        TransactionState::PendingApproval => 2,
        TransactionState::Approved => 3,
        TransactionState::TimeLocked => 4,
        TransactionState::WaitingForFunds => 5,
        TransactionState::Signing => 6,
        TransactionState::Signed => 7,
        TransactionState::Broadcasting => 8,
        TransactionState::Confirming => 9,
        TransactionState::Completed
        | TransactionState::Rejected
        | TransactionState::Blocked
        | TransactionState::Expired
        | TransactionState::Cancelled
        | TransactionState::Failed
        | TransactionState::Replaced => 10,
    }
}

#[cfg(test)]
mod tests;
