//! States of a transaction as clients see them, and the rule that gives the final state of each
//! refusal.

use borsh::{BorshDeserialize, BorshSerialize};
use strongroom_types::Code;

macro_rules! states {
    ($($(#[$doc:meta])+ $name:ident = $number:literal $text:literal;)*) => {
        /// State of a transaction. The numbers are bytes on the bus and in tables. They are in no
        /// order; the life cycle of the service that keeps the state defines which states follow.
        #[derive(Clone, Copy, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
        #[borsh(use_discriminant = true)]
        #[repr(u8)]
        pub enum TransactionState {
            $($(#[$doc])+ $name = $number,)*
        }

        impl TransactionState {
            /// All states, by number.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// Stable text form.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }
        }
    };
}

states! {
    /// The API has stored it.
    Received = 0 "received";
    /// It waits for answers of approvers.
    PendingApproval = 1 "pending_approval";
    /// All required approvals are there.
    Approved = 2 "approved";
    /// It is offered to the journal and to the signers.
    Signing = 3 "signing";
    /// It is signed, and the transactions service has verified the signature.
    Signed = 4 "signed";
    /// It is offered to the network.
    Broadcasting = 5 "broadcasting";
    /// It is final on the chain. Terminal.
    Completed = 6 "completed";
    /// An approver said no. Terminal.
    Rejected = 7 "rejected";
    /// The policy forbids it. Terminal.
    Blocked = 8 "blocked";
    /// The intent has expired. Terminal.
    Expired = 9 "expired";
    /// The client cancelled it. Terminal.
    Cancelled = 10 "cancelled";
    /// It ended for another reason, which is given. Terminal.
    Failed = 11 "failed";
    /// Facts about destination or asset are being fetched.
    Screening = 12 "screening";
    /// The decision's time lock has not passed.
    TimeLocked = 13 "time_locked";
    /// It is in a block that is not final yet.
    Confirming = 14 "confirming";
    /// The vault's confirmed balance does not cover it.
    WaitingForFunds = 15 "waiting_for_funds";
    /// Another transaction of the same anchor was confirmed instead. Terminal.
    Replaced = 16 "replaced";
}

impl TransactionState {
    /// The state of a text form.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|state| state.name() == name)
    }

    /// The state of a number in a table.
    #[must_use]
    pub fn from_number(number: i64) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|state| i64::from(*state as u8) == number)
    }

    /// Whether no event leaves this state.
    #[must_use]
    pub const fn is_terminal(self) -> bool {
        // Every state is named here, so that a new one must be decided: clients of a final state
        // that is not listed would wait without end.
        match self {
            Self::Completed
            | Self::Rejected
            | Self::Blocked
            | Self::Expired
            | Self::Cancelled
            | Self::Failed
            | Self::Replaced => true,
            Self::Received
            | Self::Screening
            | Self::PendingApproval
            | Self::Approved
            | Self::TimeLocked
            | Self::WaitingForFunds
            | Self::Signing
            | Self::Signed
            | Self::Broadcasting
            | Self::Confirming => false,
        }
    }

    /// Whether a valid signature exists. Such a transaction is ended only on the chain.
    #[must_use]
    pub const fn is_signed(self) -> bool {
        match self {
            // `Replaced` counts as signed: only a signed transaction can lose the race for its
            // anchor on the chain.
            Self::Signed
            | Self::Broadcasting
            | Self::Confirming
            | Self::Completed
            | Self::Replaced => true,
            Self::Received
            | Self::Screening
            | Self::PendingApproval
            | Self::Approved
            | Self::TimeLocked
            | Self::WaitingForFunds
            | Self::Signing
            | Self::Rejected
            | Self::Blocked
            | Self::Expired
            | Self::Cancelled
            | Self::Failed => false,
        }
    }
}

/// The part that refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Who {
    /// The approvals service's early evaluation, before any transaction exists.
    Policy,
    /// The journal's `apply`.
    Journal,
    /// The builder of the transaction, for reasons of funds, fees or addresses.
    Builder,
    /// The signers, through the coordinator.
    Signers,
}

/// The final state to which a refusal leads. All services use this list, so that clients see one
/// end for one refusal.
#[must_use]
pub const fn ended_as(code: Code, who: Who) -> TransactionState {
    match (code, who) {
        // These codes determine the state, whichever part refused.
        (Code::IntentExpired, _) => TransactionState::Expired,
        (Code::IntentCancelled, _) => TransactionState::Cancelled,
        (Code::IntentRejected, _) => TransactionState::Rejected,
        (Code::PolicyBlocked | Code::LimitExceeded, _) | (_, Who::Policy) => {
            TransactionState::Blocked
        }
        (_, Who::Journal | Who::Builder | Who::Signers) => TransactionState::Failed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn state_numbers_and_names_do_not_change() {
        let rows = TransactionState::ALL
            .iter()
            .map(|state| format!("{} {}\n", *state as u8, state.name()));
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/vectors/states.txt");
        strongroom_golden::snapshot(file, &rows.collect::<String>());
    }

    #[test]
    fn names_and_numbers_read_back() {
        for state in TransactionState::ALL {
            assert_eq!(TransactionState::from_name(state.name()), Some(*state));
            let number = i64::from(*state as u8);
            assert_eq!(TransactionState::from_number(number), Some(*state));
        }
        assert_eq!(TransactionState::from_name("done"), None);
        assert_eq!(TransactionState::from_number(17), None);
    }

    #[test]
    fn a_fee_cap_is_blocked_when_policy_says_so_and_failed_when_another_does() {
        let code = Code::FeeCapExceeded;
        assert_eq!(ended_as(code, Who::Policy), TransactionState::Blocked);
        for who in [Who::Journal, Who::Builder, Who::Signers] {
            assert_eq!(ended_as(code, who), TransactionState::Failed);
        }
    }

    #[test]
    fn every_refusal_ends_in_a_terminal_state_without_signature() {
        for code in Code::ALL {
            for who in [Who::Policy, Who::Journal, Who::Builder, Who::Signers] {
                let state = ended_as(*code, who);
                assert!(
                    state.is_terminal() && !state.is_signed(),
                    "{code} {state:?}"
                );
            }
        }
    }

    #[test]
    fn what_ended_the_intent_is_shown_the_same_by_all() {
        for who in [Who::Policy, Who::Journal, Who::Builder, Who::Signers] {
            let ends = [
                (Code::IntentExpired, TransactionState::Expired),
                (Code::IntentCancelled, TransactionState::Cancelled),
                (Code::IntentRejected, TransactionState::Rejected),
                (Code::LimitExceeded, TransactionState::Blocked),
            ];
            for (code, state) in ends {
                assert_eq!(ended_as(code, who), state);
            }
        }
    }
}
