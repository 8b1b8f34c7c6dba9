//! How the duty to see a handed tightening included ends.

use std::fmt;
use strongroom_types::{Code, Digest, UnixMs};

/// Most ended duties that are remembered, the newest. Each took an operator's `hand` and a person's
/// signature; people look for theirs within hours.
pub const HANDED_ENDED_MAX: usize = 64;

/// A handed tightening that is owed no more.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EndedAct {
    /// Digest of the act's text.
    pub digest: Digest,
    /// Why the act was refused at the tip at which its duty ended.
    pub code: Code,
    /// Position of the entry from which on it was refused; none when time alone ended it.
    pub entry: Option<u64>,
    /// Time of the end by the witness's clock.
    pub at: UnixMs,
}

impl fmt::Display for EndedAct {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (duty_after(self.code), self.entry) {
            (DutyOutcome::Included, Some(entry)) => write!(f, "in the journal, entry {entry}"),
            (DutyOutcome::Included, None) => f.write_str("in the journal"),
            (DutyOutcome::Ended | DutyOutcome::Postponed | DutyOutcome::Unknown, Some(entry)) => {
                write!(f, "ended by entry {entry}: {}", self.code)
            }
            (DutyOutcome::Ended | DutyOutcome::Postponed | DutyOutcome::Unknown, None) => {
                write!(f, "ended by time: {}", self.code)
            }
        }
    }
}

/// Meaning of a refusal at the tip for a tightening that applied before.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum DutyOutcome {
    /// The tightening is in the journal.
    Included,
    /// It no longer applies, and nothing but people's acts would let it apply again. It is owed no
    /// more: the writer could not append it, so a witness that insisted would stop the journal.
    Ended,
    /// It applies again when time has passed. That does not end it, else entries that use the quota
    /// up would be one.
    Postponed,
    /// An error of this build, which says nothing about it: it is owed as before.
    Unknown,
}

impl DutyOutcome {
    /// Whether nothing is owed any more.
    pub(super) const fn is_end(self) -> bool {
        match self {
            Self::Included | Self::Ended => true,
            Self::Postponed | Self::Unknown => false,
        }
    }
}

/// One decision per code, so that a new code asks for one. Not [`Code::cure`]: that is about a
/// request which its sender can make again, changed; this very text never changes.
pub(super) const fn duty_after(code: Code) -> DutyOutcome {
    match code {
        // An act is used under its digest, so no other act can use this one up. If these signers
        // may do more than those in the journal, `does_more` lets the text in again.
        Code::UsedAuthority => DutyOutcome::Included,

        // The quota has room again in the next minute of journal time.
        Code::QuotaExceeded => DutyOutcome::Postponed,

        // A time has passed that does not come back: that of the act, of the intent that it
        // rejects, or the four hours of all who signed. (Those begin again a day later, when this
        // pause is long over.)
        Code::AuthorityExpired | Code::IntentExpired | Code::PauseTooLong => DutyOutcome::Ended,

        // Its signers no longer count, or no longer for this: revoked, off the board, out of the
        // group; or the intent that it cancels turned out to be another person's.
        Code::CredentialRevoked | Code::QuorumMissing | Code::ApprovalNotEligible => {
            DutyOutcome::Ended
        }

        // Another act did the same, or took away what it was about: the proposal is vetoed or in
        // force, the allow-list entry is gone, the boards that it names fit no longer.
        Code::UnknownProposal
        | Code::InvalidReference
        | Code::BoardBelowQuorum
        | Code::WrongScopeVersion
        | Code::UnknownUser => DutyOutcome::Ended,

        // Records that are never removed, and rules of loosenings and payments: none of them ends a
        // tightening that applied once.
        Code::UnknownTenant
        | Code::UnknownCredential
        | Code::UnknownVault
        | Code::UnknownKey
        | Code::UnknownIntent
        | Code::KeyRevoked
        | Code::IntentCancelled
        | Code::IntentRejected
        | Code::AlreadyExists
        | Code::NotFound
        | Code::ApprovalNoLongerInForce
        | Code::ReleaseTooEarly
        | Code::NotWitnessed
        | Code::ActWaiting
        | Code::PlatformStopped
        | Code::TenantStopped
        | Code::Paused
        | Code::NotStopped
        | Code::UnknownAsset
        | Code::UnknownChain
        | Code::DuplicateExternalId
        | Code::IntentTooLongLived
        | Code::IntentFromFuture
        | Code::IntentAlreadyAuthorized
        | Code::PolicyBlocked
        | Code::DecisionChanged
        | Code::RemovalNotConfirmed
        | Code::LimitExceeded
        | Code::ApprovalMissing
        | Code::ApprovalByInitiator
        | Code::ApprovalDuplicateHuman
        | Code::ApprovalWrongDigest
        | Code::ApprovalOutOfOrder
        | Code::InitiatorNoLongerInForce
        | Code::AllowListNoLongerInForce
        | Code::TimeLockTooLong
        | Code::TimeLocked
        | Code::AnchorMissing
        | Code::AnchorTaken
        | Code::AttemptUnknown
        | Code::AttemptNumberWrong
        | Code::AttemptsExhausted
        | Code::AttemptTooOld
        | Code::AttemptSuperseded
        | Code::AttemptDigestMismatch
        | Code::FeeCapTooLow
        | Code::FeeCapExceeded
        | Code::EffectsMismatch
        | Code::OpaqueEffects
        | Code::PathNotOwn
        | Code::AddressInvalid
        | Code::AddressWrongNetwork
        | Code::Dust
        | Code::InsufficientBalance => DutyOutcome::Ended,

        // These were checked when the act was taken, or belong to parts that `apply` never asks.
        Code::Malformed
        | Code::RecordTooLarge
        | Code::Unsupported
        | Code::BadSignature
        | Code::WrongCredentialClass
        | Code::WrongScope
        | Code::WrongGenesis
        | Code::WrongRecipient
        | Code::UnknownSender
        | Code::BadEnvelopeSignature
        | Code::DeadlineExpired
        | Code::Replayed
        | Code::QuorumTooSmallForF
        | Code::JointQuorumMissing
        | Code::UnknownEntry
        | Code::TimeWentBack
        | Code::TimeOutOfBounds
        | Code::JournalStale
        | Code::ClockSkew
        | Code::HeadBelowFloor
        | Code::HeadWentBack
        | Code::TighteningPending
        | Code::RecoveryAmbiguous
        | Code::TooLate
        | Code::NotInRoster
        | Code::WrongEpoch
        | Code::CeremonyNotApproved
        | Code::CeremonyFault
        | Code::CommitmentUnknown
        | Code::NonceUsed
        | Code::PackageInvalid
        | Code::LocalRule
        | Code::StoppedLocally
        | Code::SignerRetired
        | Code::NetworkRejected
        | Code::NotReady
        | Code::DiskFull
        | Code::StoreCorrupt
        | Code::StoreNewer
        | Code::GenesisMismatch
        | Code::Unauthenticated
        | Code::Conflict
        | Code::SigningFailed => DutyOutcome::Ended,

        Code::Internal => DutyOutcome::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_of_this_build_ends_no_duty() {
        assert_eq!(duty_after(Code::Internal), DutyOutcome::Unknown);
    }
}
