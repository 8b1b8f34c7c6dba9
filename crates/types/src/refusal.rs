//! Stable refusal codes. Every error on a decision path is a refusal with one of these.

use borsh::{BorshDeserialize, BorshSerialize};
use std::fmt;

macro_rules! codes {
    ($($name:ident $text:literal $meaning:literal;)*) => {
        /// A stable reason code, documented in `docs/errors/`.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub enum Code {
            $(#[doc = $meaning] $name,)*
        }

        impl Code {
            /// All codes, in documentation order.
            pub const ALL: &'static [Code] = &[$(Code::$name,)*];

            /// The stable text form.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// One sentence for people.
            #[must_use]
            pub const fn meaning(self) -> &'static str {
                match self { $(Self::$name => $meaning,)* }
            }
        }
    };
}

codes! {
    Malformed "malformed" "a text or record is not in its one valid form";
    RecordTooLarge "record_too_large" "a record exceeds its size limit";
    Unsupported "unsupported" "this kind of rule, chain or request is not supported by this build";
    WrongGenesis "wrong_genesis" "made for another installation";
    WrongRecipient "wrong_recipient" "addressed to somebody else";
    UnknownSender "unknown_sender" "the sender is not registered in genesis for this role";
    BadEnvelopeSignature "bad_envelope_signature" "the envelope's signature does not verify";
    DeadlineExpired "deadline_expired" "the record's deadline has passed";
    Replayed "replayed" "this record was already handled";
    BadSignature "bad_signature" "a person's signature does not verify";
    UnknownTenant "unknown_tenant" "no such tenant";
    UnknownUser "unknown_user" "no such user, or no longer in force";
    UnknownCredential "unknown_credential" "no such credential";
    CredentialRevoked "credential_revoked" "the credential is no longer in force";
    WrongScope "wrong_scope" "the act or text belongs to another scope";
    WrongScopeVersion "wrong_scope_version" "the act changes another version of its scope";
    UsedAuthority "used_authority" "this act or approval was used before";
    AuthorityExpired "authority_expired" "the act or approval expired";
    QuorumMissing "quorum_missing" "not enough of the required people signed";
    QuorumTooSmallForF "quorum_too_small_for_f" "t - 1 exceeds the number of hostile witnesses the quorum bears";
    JointQuorumMissing "joint_quorum_missing" "the witness-set change lacks the old or the new quorum";
    UnknownProposal "unknown_proposal" "no such proposal is open";
    ReleaseTooEarly "release_too_early" "the proposal's delay has not passed";
    AlreadyExists "already_exists" "the id is taken";
    InvalidReference "invalid_reference" "the record names something that does not exist or is not allowed";
    PlatformStopped "platform_stopped" "the platform is stopped";
    TenantStopped "tenant_stopped" "the tenant is stopped";
    Paused "paused" "the vault or tenant is paused";
    PauseTooLong "pause_too_long" "a pause is at most four hours, once in 24 hours";
    NotStopped "not_stopped" "there is nothing to resume";
    QuotaExceeded "quota_exceeded" "the tenant's quota is used up";
    UnknownVault "unknown_vault" "no such vault";
    UnknownKey "unknown_key" "no such key";
    KeyRevoked "key_revoked" "the key is revoked";
    UnknownAsset "unknown_asset" "the asset is not known on this chain";
    UnknownChain "unknown_chain" "the chain is not enabled";
    DuplicateExternalId "duplicate_external_id" "the tenant has used this external id before";
    IntentExpired "intent_expired" "the intent has expired";
    IntentTooLongLived "intent_too_long_lived" "the intent's life exceeds the bound";
    IntentFromFuture "intent_from_future" "the intent's creation time is ahead of the clock";
    UnknownIntent "unknown_intent" "no such intent is authorized";
    IntentCancelled "intent_cancelled" "the intent was cancelled";
    IntentRejected "intent_rejected" "an approver said no";
    IntentAlreadyAuthorized "intent_already_authorized" "the intent is already authorized";
    PolicyBlocked "policy_blocked" "the policy blocks this";
    DecisionChanged "decision_changed" "the decision is no longer the one that was signed";
    LimitExceeded "limit_exceeded" "a velocity limit would be exceeded";
    ApprovalMissing "approval_missing" "approvals are missing";
    ApprovalNotEligible "approval_not_eligible" "this person may not approve this";
    ApprovalByInitiator "approval_by_initiator" "the initiator cannot approve";
    ApprovalDuplicateHuman "approval_duplicate_human" "one human counts once";
    ApprovalWrongDigest "approval_wrong_digest" "the approval is for another intent or decision";
    ApprovalOutOfOrder "approval_out_of_order" "the groups must approve in order";
    ApprovalNoLongerInForce "approval_no_longer_in_force" "an approval relied upon is no longer in force";
    InitiatorNoLongerInForce "initiator_no_longer_in_force" "the initiator's credential is no longer in force";
    AllowListNoLongerInForce "allow_list_no_longer_in_force" "an allow-list entry relied upon is no longer in force";
    TimeLocked "time_locked" "the decision's time lock has not passed";
    AnchorMissing "anchor_missing" "the attempt does not contain the intent's anchor";
    AnchorTaken "anchor_taken" "the anchor belongs to another intent";
    AttemptUnknown "attempt_unknown" "the attempt is not in the witnessed journal";
    AttemptNumberWrong "attempt_number_wrong" "attempts are numbered one by one";
    AttemptsExhausted "attempts_exhausted" "the intent allows no further attempt";
    AttemptTooOld "attempt_too_old" "the attempt is older than the attempt life";
    AttemptSuperseded "attempt_superseded" "a later attempt of this intent is in force";
    AttemptDigestMismatch "attempt_digest_mismatch" "the transaction is not the one of the attempt";
    FeeCapTooLow "fee_cap_too_low" "the first attempt may use at most half of the fee cap";
    FeeCapExceeded "fee_cap_exceeded" "the fee exceeds the intent's cap";
    EffectsMismatch "effects_mismatch" "the transaction does something else than the intent says";
    OpaqueEffects "opaque_effects" "the transaction contains something this build does not understand";
    PathNotOwn "path_not_own" "an input, change or internal output is not derived from the vault's own account";
    UnknownEntry "unknown_entry" "an entry kind or version this build does not know";
    TimeWentBack "time_went_back" "journal time never decreases";
    TimeOutOfBounds "time_out_of_bounds" "journal time is too far from the clock";
    JournalStale "journal_stale" "no fresh witnessed head";
    ClockSkew "clock_skew" "this machine's clock differs too much from the witnesses'";
    HeadBelowFloor "head_below_floor" "the head does not cover what this signer last cosigned";
    HeadWentBack "head_went_back" "the head is older than one acted under before";
    TighteningPending "tightening_pending" "a tightening handed to this signer forbids this";
    RecoveryAmbiguous "recovery_ambiguous" "the recovery base is ambiguous";
    TooLate "too_late" "a share is already out; only a confirmed replacement on the anchor ends this";
    NotInRoster "not_in_roster" "this signer is not part of the key or ceremony";
    WrongEpoch "wrong_epoch" "the key's epoch is another one";
    CeremonyNotApproved "ceremony_not_approved" "no committee released this ceremony";
    CeremonyFault "ceremony_fault" "a participant broke the protocol";
    CommitmentUnknown "commitment_unknown" "the nonce commitment is unknown to this process";
    NonceUsed "nonce_used" "the nonce already answered another package";
    PackageInvalid "package_invalid" "the signing package is not well formed";
    LocalRule "local_rule" "the operator's local rule refuses";
    StoppedLocally "stopped_locally" "the operator stopped this signer";
    SignerRetired "signer_retired" "this signer's witness key is retired after a restored disk";
    AddressInvalid "address_invalid" "the address is not valid, or not in its one canonical form";
    AddressWrongNetwork "address_wrong_network" "the address belongs to another network";
    Dust "dust" "the amount is below the network's dust limit";
    InsufficientBalance "insufficient_balance" "the vault's confirmed balance does not cover amount and fee";
    NotReady "not_ready" "the service has not caught up yet";
    DiskFull "disk_full" "the disk is full";
    StoreCorrupt "store_corrupt" "the store failed its integrity check";
    StoreNewer "store_newer" "the store was written by a newer build";
    GenesisMismatch "genesis_mismatch" "the genesis file does not have the pinned hash";
    Unauthenticated "unauthenticated" "missing or wrong API key";
    NotFound "not_found" "no such resource";
    Conflict "conflict" "the same id was used with different content";
    SigningFailed "signing_failed" "the quorum gave no valid signature in time";
    Internal "internal" "an internal check failed; nothing was done";
}

impl Code {
    /// The code of a text form.
    #[must_use]
    pub fn from_text(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.as_str() == text)
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl BorshSerialize for Code {
    fn serialize<W: std::io::Write>(&self, writer: &mut W) -> std::io::Result<()> {
        self.as_str().serialize(writer)
    }
}

impl BorshDeserialize for Code {
    fn deserialize_reader<R: std::io::Read>(reader: &mut R) -> std::io::Result<Self> {
        let text = String::deserialize_reader(reader)?;
        Self::from_text(&text)
            .ok_or_else(|| std::io::Error::new(std::io::ErrorKind::InvalidData, "unknown code"))
    }
}

/// A refusal: a stable code and what it is about. Never carries secrets.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize, thiserror::Error)]
#[error("{code}: {detail}")]
pub struct Refusal {
    /// Why.
    pub code: Code,
    /// What exactly, for people.
    pub detail: String,
}

impl Refusal {
    /// A refusal with its detail.
    pub fn new(code: Code, detail: impl fmt::Display) -> Self {
        Self {
            code,
            detail: detail.to_string(),
        }
    }
}

impl From<Code> for Refusal {
    fn from(code: Code) -> Self {
        Self::new(code, code.meaning())
    }
}

impl From<crate::fields::FormError> for Refusal {
    fn from(error: crate::fields::FormError) -> Self {
        Self::new(Code::Malformed, error)
    }
}

impl From<crate::signed::SignedError> for Refusal {
    fn from(error: crate::signed::SignedError) -> Self {
        Self::new(Code::Malformed, error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn codes_are_distinct_and_read_back() {
        let texts: BTreeSet<_> = Code::ALL.iter().map(|code| code.as_str()).collect();
        assert_eq!(texts.len(), Code::ALL.len());
        assert!(
            Code::ALL
                .iter()
                .all(|code| Code::from_text(code.as_str()) == Some(*code))
        );
        assert_eq!(Code::from_text("no_such_code"), None);
    }
}
