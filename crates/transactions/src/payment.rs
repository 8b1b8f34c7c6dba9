//! The life cycle of one payment: its states, what may happen to it, and the one function that
//! connects them. Nothing else changes a payment's row.

use strongroom_types::{Attempt, Code, Digest, Document as _, Intent, Refusal, Signed};
use strongroom_wire::{IntentDecided, SigningSlot, TransactionState, Who};

mod apply;
#[cfg(test)]
mod tests;

/// Name of the life cycle in errors and logs.
pub(crate) const LIFE_CYCLE: &str = "payment";

/// Pause after the first try in a row that failed, milliseconds; it doubles with each further one.
const BACK_OFF_FIRST_MS: u64 = 250;
/// Longest pause between two tries, milliseconds: a node that was away for hours is used again
/// within this time after it is back.
const BACK_OFF_LAST_MS: u64 = 32_000;
/// Pause of a payment that waits for nothing any more, milliseconds: rows that stay are few among
/// those that are due.
const TOO_LATE_PAUSE_MS: u64 = 86_400_000;

/// A row of table `payment`, parsed.
pub(crate) struct Payment {
    /// Digest of the intent's text; the payment's name.
    pub(crate) digest: Digest,
    /// The parsed intent.
    pub(crate) intent: Intent,
    /// Intent text and the client's signature.
    pub(crate) signed: Signed,
    /// Canonical text of the decision core that the approvers signed.
    pub(crate) core: String,
    /// Approvals of that decision core.
    pub(crate) approvals: Vec<Signed>,
    /// State of its life cycle.
    pub(crate) state: PaymentState,
    /// Number of changes that were written to the row.
    pub(crate) version: u32,
}

/// State of a payment.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum PaymentState {
    /// Approved; no transaction is offered, or the anchor of the last one is another intent's.
    Building(Waiting),
    /// One transaction is offered to the journal and to the coordinator.
    Signing(Offered),
    /// Signed, and the signatures verified here. From here on only the chain ends it.
    Signed(Assembled),
    /// Taken by a chain node, not known to be in a block.
    Broadcast(Assembled),
    /// Back at the approvals service, with its transaction and its coins: the journal decided as
    /// the approvers signed once, and may do so again before they sign another decision.
    Returned(Offered),
    /// Its time is over or its people ended it, but an attempt of it could have been signed before:
    /// shares do not come back. Its coins stay its own; a signature that comes after all is taken.
    TooLate(Offered),
    /// Ended, in this terminal state.
    Ended(TransactionState),
}

/// Tries so far of a payment without transaction.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Waiting {
    /// Transactions built before.
    pub(crate) builds: u32,
    /// Tries in a row that built nothing.
    pub(crate) failures: u32,
    /// Reason that clients are shown; a try that fails for the same one is not reported again.
    pub(crate) reason: Option<Code>,
}

/// A transaction as offered to journal and coordinator.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Offered {
    /// Transactions built, this one included.
    pub(crate) builds: u32,
    /// The attempt, as submitted to the journal.
    pub(crate) attempt: Attempt,
    /// Unsigned transaction in the codec's encoding.
    pub(crate) unsigned: Vec<u8>,
    /// The signatures it needs, in order.
    pub(crate) slots: Vec<SigningSlot>,
    /// 0 until a refusal is reported, from then on one more with each reminder; the pause grows
    /// with it.
    pub(crate) failures: u32,
}

/// A signed transaction.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Assembled {
    /// Offer whose slots were signed.
    pub(crate) offered: Offered,
    /// Bytes for the network.
    pub(crate) raw: Vec<u8>,
    /// Broadcasts in a row that no node took.
    pub(crate) failures: u32,
}

/// Something that happened to a payment.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum PaymentEvent {
    /// A transaction was built and goes to journal and coordinator.
    Offer(Proposal),
    /// Nothing could be built, for a reason that passes soon and is not shown.
    Postpone,
    /// Nothing can be built now, for a reason that is shown: funds, fees, an attempt of another
    /// submitter.
    Wait(Code),
    /// No answer came in time: journal and coordinator get the same transaction again.
    Remind,
    /// Writer, coordinator or signers say that it cannot be signed. Their word proves nothing: what
    /// they refuse today they can sign tomorrow.
    RefusalReported,
    /// The journal shows an end that no share is bound to, of an attempt that it holds.
    EndedTooLate,
    /// The writer says that it is in the journal: what it refused before has passed.
    Accept,
    /// The fresh head gives the anchor, or another coin, to another intent.
    AnchorTaken,
    /// By the fresh head its people have to approve it again.
    Return,
    /// Approved again, or in the journal without that.
    Resume,
    /// It ends with a reason, before anything was offered or by the fresh head.
    Refuse(Code, Who),
    /// All signatures arrived and verified; the bytes for the network.
    Assemble(Vec<u8>),
    /// No chain node answered.
    NodeSilent,
    /// A chain node took the transaction, or had it already.
    NodeAccepted,
    /// A chain node refused the transaction.
    NodeRejected,
    /// The transaction is in a block.
    Confirm,
}

/// A transaction as built.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Proposal {
    /// The attempt that names it.
    pub(crate) attempt: Attempt,
    /// Unsigned transaction in the codec's encoding.
    pub(crate) unsigned: Vec<u8>,
    /// The signatures it needs, in order.
    pub(crate) slots: Vec<SigningSlot>,
}

impl Payment {
    /// A payment for an approved intent.
    ///
    /// # Errors
    /// When the intent's text does not parse.
    pub(crate) fn new(decided: IntentDecided) -> Result<Self, Refusal> {
        Ok(Self {
            digest: Intent::digest_of(&decided.intent.text),
            intent: Intent::parse(&decided.intent.text)?,
            signed: decided.intent,
            core: decided.core,
            approvals: decided.approvals,
            state: PaymentState::Building(Waiting::default()),
            version: 0,
        })
    }
}

impl PaymentState {
    /// The state without its data.
    pub(crate) fn state_name(&self) -> PaymentStateName {
        match self {
            Self::Building(_) => PaymentStateName::Building,
            Self::Signing(_) => PaymentStateName::Signing,
            Self::Signed(_) => PaymentStateName::Signed,
            Self::Broadcast(_) => PaymentStateName::Broadcast,
            Self::Returned(_) => PaymentStateName::Returned,
            Self::TooLate(_) => PaymentStateName::TooLate,
            Self::Ended(_) => PaymentStateName::Ended,
        }
    }

    /// The state as clients see it.
    pub(crate) fn shown(&self) -> TransactionState {
        match self {
            Self::Building(waiting) => waiting.shown(),
            // Neither state is terminal: the payment may be signed at any time, and a client must
            // not sign another.
            Self::Signing(_) | Self::TooLate(_) => TransactionState::Signing,
            Self::Signed(_) => TransactionState::Signed,
            Self::Broadcast(_) => TransactionState::Broadcasting,
            Self::Returned(_) => TransactionState::PendingApproval,
            Self::Ended(state) => *state,
        }
    }

    /// Pause before the next try, milliseconds; 0 where nothing failed.
    pub(crate) fn pause_ms(&self) -> u64 {
        match self {
            // Another submitter's attempt took its place, and no later look says anything else.
            Self::Building(waiting) if waiting.reason == Some(Code::TooLate) => TOO_LATE_PAUSE_MS,
            Self::Building(waiting) => back_off_ms(waiting.failures),
            Self::Signing(offered) | Self::Returned(offered) => back_off_ms(offered.failures),
            Self::Signed(assembled) => back_off_ms(assembled.failures),
            Self::Broadcast(_) | Self::TooLate(_) | Self::Ended(_) => 0,
        }
    }
}

impl Waiting {
    const fn shown(self) -> TransactionState {
        match self.reason {
            Some(Code::InsufficientBalance) => TransactionState::WaitingForFunds,
            // The journal holds an attempt that this service did not build: it may be signed at any
            // time, and a client must not sign another.
            Some(Code::IntentAlreadyAuthorized | Code::TooLate) => TransactionState::Signing,
            Some(_) | None => TransactionState::Approved,
        }
    }
}

impl PaymentEvent {
    /// Name in logs and in the printed table.
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::Offer(_) => "offer",
            Self::Postpone => "postpone",
            Self::Wait(_) => "wait",
            Self::Remind => "remind",
            Self::RefusalReported => "refusal_reported",
            Self::EndedTooLate => "ended_too_late",
            Self::Accept => "accept",
            Self::AnchorTaken => "anchor_taken",
            Self::Return => "return",
            Self::Resume => "resume",
            Self::Refuse(..) => "refuse",
            Self::Assemble(_) => "assemble",
            Self::NodeSilent => "node_silent",
            Self::NodeAccepted => "node_accepted",
            Self::NodeRejected => "node_rejected",
            Self::Confirm => "confirm",
        }
    }
}

/// A [`PaymentState`] without its data; the numbers are those of the column `state` and never change.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub(crate) enum PaymentStateName {
    Signing = 0,
    Signed = 1,
    Broadcast = 2,
    Ended = 3,
    Building = 4,
    Returned = 5,
    TooLate = 6,
}

impl PaymentStateName {
    /// All names, by number.
    pub(crate) const ALL: [Self; 7] = [
        Self::Signing,
        Self::Signed,
        Self::Broadcast,
        Self::Ended,
        Self::Building,
        Self::Returned,
        Self::TooLate,
    ];

    /// Name in logs and in the printed table.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Signing => "signing",
            Self::Signed => "signed",
            Self::Broadcast => "broadcast",
            Self::Ended => "ended",
            Self::Building => "building",
            Self::Returned => "returned",
            Self::TooLate => "too_late",
        }
    }

    /// Number in the column `state`.
    pub(crate) const fn number(self) -> i64 {
        self as i64
    }

    /// The name with this number.
    pub(crate) fn from_number(number: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|name| name.number() == number)
    }
}

/// Pause after this many failures in a row, milliseconds.
fn back_off_ms(failures: u32) -> u64 {
    match failures {
        0 => 0,
        // Beyond 16 doublings the bound holds anyway, and the shift stays in range.
        n => (BACK_OFF_FIRST_MS << (n - 1).min(16)).min(BACK_OFF_LAST_MS),
    }
}
