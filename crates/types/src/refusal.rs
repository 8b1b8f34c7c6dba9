//! Stable refusal codes. Every error on a decision path is a refusal with one of these.

use crate::text::is_visible;
use borsh::{BorshDeserialize, BorshSerialize};
use std::fmt;

/// Remedy after which a refused request may pass. Services that retry, rebuild or end use this
/// list, so that they cannot disagree.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Cure {
    /// The same request later, after time has passed or with another head, other nonces or funds.
    Wait,
    /// Signatures of people that are still missing: approvals, a release, a resume.
    Approve,
    /// Another transaction for the same intent.
    Rebuild,
    /// Another signer: the reason concerns one machine, its operator or its disk.
    OtherSigner,
    /// A new intent or act.
    Never,
}

impl Cure {
    /// All cures, in the order of their declaration.
    pub const ALL: [Self; 5] = [
        Self::Wait,
        Self::Approve,
        Self::Rebuild,
        Self::OtherSigner,
        Self::Never,
    ];

    /// Stable name, as in logs and `docs/errors/`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Wait => "wait",
            Self::Approve => "approve",
            Self::Rebuild => "rebuild",
            Self::OtherSigner => "other_signer",
            Self::Never => "never",
        }
    }
}

macro_rules! codes {
    ($($name:ident $text:literal $cure:ident $meaning:literal;)*) => {
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

            /// Remedy after which the refused request may pass.
            #[must_use]
            pub const fn cure(self) -> Cure {
                match self { $(Self::$name => Cure::$cure,)* }
            }
        }
    };
}

codes! {
    Malformed "malformed" Never "a text or record is not in its one valid form";
    RecordTooLarge "record_too_large" Never "a record exceeds its size limit";
    Unsupported "unsupported" Never "this kind of rule, chain or request is not supported by this build";
    WrongGenesis "wrong_genesis" OtherSigner "made for another installation";
    WrongRecipient "wrong_recipient" OtherSigner "addressed to another recipient";
    UnknownSender "unknown_sender" OtherSigner "the sender is not registered in genesis for this role";
    BadEnvelopeSignature "bad_envelope_signature" OtherSigner "the envelope's signature does not verify";
    DeadlineExpired "deadline_expired" Wait "the record's deadline has passed";
    Replayed "replayed" Never "this record was already handled";
    BadSignature "bad_signature" Never "a person's signature does not verify";
    UnknownTenant "unknown_tenant" Never "no such tenant";
    UnknownUser "unknown_user" Never "no such user, or no longer in force";
    UnknownCredential "unknown_credential" Never "no such credential";
    CredentialRevoked "credential_revoked" Never "the credential is no longer in force";
    WrongCredentialClass "wrong_credential_class" Never "a credential of this class cannot sign this";
    WrongScope "wrong_scope" Never "the act or text belongs to another scope";
    WrongScopeVersion "wrong_scope_version" Never "the act changes another version of its scope";
    UsedAuthority "used_authority" Never "this act or approval was used before";
    AuthorityExpired "authority_expired" Never "the act or approval expired";
    QuorumMissing "quorum_missing" Approve "not enough of the required people signed";
    QuorumTooSmallForF "quorum_too_small_for_f" Never "t - 1 exceeds the number of hostile witnesses the quorum bears";
    JointQuorumMissing "joint_quorum_missing" Never "the witness-set change lacks the old or the new quorum";
    UnknownProposal "unknown_proposal" Never "no such proposal is open";
    ReleaseTooEarly "release_too_early" Wait "the proposal's delay has not passed";
    NotWitnessed "not_witnessed" Wait "witnesses have not vouched for the proposal yet, so its delay has not begun";
    ActWaiting "act_waiting" Wait "an act of this scope waits until its entry is witnessed";
    AlreadyExists "already_exists" Never "the id or public key is taken";
    BoardBelowQuorum "board_below_quorum" Never "the act would leave a board fewer people than its quorum";
    InvalidReference "invalid_reference" Never "the record names something that does not exist or is not allowed";
    PlatformStopped "platform_stopped" Approve "the platform is stopped";
    TenantStopped "tenant_stopped" Approve "the tenant is stopped";
    Paused "paused" Wait "the vault or tenant is paused";
    PauseTooLong "pause_too_long" Never "a pause is at most four hours, once in 24 hours";
    NotStopped "not_stopped" Never "there is nothing to resume";
    QuotaExceeded "quota_exceeded" Wait "a quota is used up";
    UnknownVault "unknown_vault" Never "no such vault";
    UnknownKey "unknown_key" Never "no such key";
    KeyRevoked "key_revoked" Never "the key is revoked";
    UnknownAsset "unknown_asset" Never "the asset is not known on this chain";
    UnknownChain "unknown_chain" Never "the chain is not enabled";
    DuplicateExternalId "duplicate_external_id" Never "the tenant has used this external id before";
    IntentExpired "intent_expired" Never "the intent has expired";
    IntentTooLongLived "intent_too_long_lived" Never "the intent's life exceeds the bound";
    IntentFromFuture "intent_from_future" Never "the intent's creation time is ahead of the clock";
    UnknownIntent "unknown_intent" Never "no such intent is authorized";
    IntentCancelled "intent_cancelled" Never "the intent was cancelled";
    IntentRejected "intent_rejected" Never "the intent was rejected";
    IntentAlreadyAuthorized "intent_already_authorized" Never "the intent is already authorized";
    PolicyBlocked "policy_blocked" Never "the policy blocks this";
    DecisionChanged "decision_changed" Approve "the decision is no longer the one that was signed";
    RemovalNotConfirmed "removal_not_confirmed" Approve "a stricter rule is passed only by a removal that the committee has not confirmed";
    LimitExceeded "limit_exceeded" Never "a velocity limit would be exceeded";
    ApprovalMissing "approval_missing" Approve "approvals are missing";
    ApprovalNotEligible "approval_not_eligible" Never "this person may not approve this";
    ApprovalByInitiator "approval_by_initiator" Never "the initiator cannot approve";
    ApprovalDuplicateHuman "approval_duplicate_human" Never "one human counts once";
    ApprovalWrongDigest "approval_wrong_digest" Approve "the approval is for another intent or decision";
    ApprovalOutOfOrder "approval_out_of_order" Approve "the groups must approve in order";
    ApprovalNoLongerInForce "approval_no_longer_in_force" Never "an approval relied upon is no longer in force";
    InitiatorNoLongerInForce "initiator_no_longer_in_force" Never "the initiator's credential is no longer in force";
    AllowListNoLongerInForce "allow_list_no_longer_in_force" Never "an allow-list entry relied upon is no longer in force";
    TimeLockTooLong "time_lock_too_long" Never "a rule's time lock leaves no time to sign within an intent's life";
    TimeLocked "time_locked" Wait "the decision's time lock has not passed";
    AnchorMissing "anchor_missing" Rebuild "the attempt does not contain the intent's anchor";
    AnchorTaken "anchor_taken" Rebuild "a coin of the attempt belongs to another intent";
    AttemptUnknown "attempt_unknown" Wait "the attempt is not in the witnessed journal";
    AttemptNumberWrong "attempt_number_wrong" Rebuild "attempts are numbered one by one";
    AttemptsExhausted "attempts_exhausted" Never "the intent allows no further attempt";
    AttemptTooOld "attempt_too_old" Rebuild "the attempt is older than the attempt life";
    AttemptSuperseded "attempt_superseded" Rebuild "a later attempt of this intent is in force";
    AttemptDigestMismatch "attempt_digest_mismatch" Rebuild "the transaction is not the one of the attempt";
    FeeCapTooLow "fee_cap_too_low" Rebuild "the first attempt may use at most half of the fee cap";
    FeeCapExceeded "fee_cap_exceeded" Never "the fee exceeds the intent's cap";
    EffectsMismatch "effects_mismatch" Rebuild "the transaction does something else than the intent says";
    OpaqueEffects "opaque_effects" Rebuild "the transaction contains something this build does not understand";
    PathNotOwn "path_not_own" Rebuild "an input, change or internal output is not derived from the vault's own account";
    UnknownEntry "unknown_entry" Never "an entry kind or version this build does not know";
    TimeWentBack "time_went_back" Never "journal time never decreases";
    TimeOutOfBounds "time_out_of_bounds" Never "journal time is too far from the clock";
    JournalStale "journal_stale" Wait "no fresh witnessed head";
    ClockSkew "clock_skew" Wait "this machine's clock differs too much from the witnesses'";
    HeadBelowFloor "head_below_floor" Wait "the head does not cover what this signer last cosigned";
    HeadWentBack "head_went_back" OtherSigner "the head is older than one acted under before";
    TighteningPending "tightening_pending" OtherSigner "a tightening handed to this signer forbids this";
    RecoveryAmbiguous "recovery_ambiguous" OtherSigner "the recovery base is ambiguous";
    TooLate "too_late" Never "a share is already out; only a confirmed replacement on the anchor ends this";
    NotInRoster "not_in_roster" OtherSigner "this signer is not part of the key or ceremony";
    WrongEpoch "wrong_epoch" OtherSigner "the key's epoch is another one";
    CeremonyNotApproved "ceremony_not_approved" Approve "no committee released this ceremony";
    CeremonyFault "ceremony_fault" OtherSigner "a participant broke the protocol";
    CommitmentUnknown "commitment_unknown" Wait "the nonce commitment is unknown to this process";
    NonceUsed "nonce_used" Wait "the nonce already answered another package";
    PackageInvalid "package_invalid" Rebuild "the signing package is not well formed";
    LocalRule "local_rule" OtherSigner "the operator's local rule refuses";
    StoppedLocally "stopped_locally" OtherSigner "the operator stopped this signer";
    SignerRetired "signer_retired" OtherSigner "this signer's witness key is retired after a restored disk";
    AddressInvalid "address_invalid" Never "the address is not valid, or not in its one canonical form";
    AddressWrongNetwork "address_wrong_network" Never "the address belongs to another network";
    Dust "dust" Never "the amount is below the network's dust limit";
    InsufficientBalance "insufficient_balance" Wait "the vault's confirmed balance does not cover amount and fee";
    NetworkRejected "network_rejected" Wait "the network does not take the signed transaction now";
    NotReady "not_ready" Wait "the service has not caught up yet";
    DiskFull "disk_full" OtherSigner "the disk is full";
    StoreCorrupt "store_corrupt" OtherSigner "the store failed its integrity check";
    StoreNewer "store_newer" OtherSigner "the store was written by a newer build";
    GenesisMismatch "genesis_mismatch" OtherSigner "the genesis file does not have the pinned hash";
    Unauthenticated "unauthenticated" Never "missing or wrong API key";
    NotFound "not_found" Never "no such resource";
    Conflict "conflict" Never "the same id was used with different content";
    SigningFailed "signing_failed" OtherSigner "the quorum gave no valid signature in time";
    Internal "internal" OtherSigner "an internal check failed; nothing was done";
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
        // Codes are written as text: numbers would fix the order of the list, which follows the
        // documentation.
        self.as_str().serialize(writer)
    }
}

impl BorshDeserialize for Code {
    fn deserialize_reader<R: std::io::Read>(reader: &mut R) -> std::io::Result<Self> {
        let text = String::deserialize_reader(reader)?;

        // An unknown code is an error: this build does not know its cure, and a guess could retry
        // what must end.
        Self::from_text(&text)
            .ok_or_else(|| std::io::Error::new(std::io::ErrorKind::InvalidData, "unknown code"))
    }
}

/// A refusal: a stable code and its subject. It never contains secrets.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize, thiserror::Error)]
#[error("{code}: {detail}")]
pub struct Refusal {
    /// Stable reason code.
    pub code: Code,
    /// Subject of the refusal, for people.
    pub detail: String,
}

impl Refusal {
    /// Longest detail, bytes of UTF-8.
    pub const DETAIL_MAX: usize = 512;

    /// A refusal with its detail, as [`printable`] leaves it.
    pub fn new(code: Code, detail: impl fmt::Display) -> Self {
        Self {
            code,
            detail: printable(detail.to_string()),
        }
    }
}

/// A text for people that may hold another party's words: a node's answer, a member of a document,
/// a signer's detail. It is cut to [`Refusal::DETAIL_MAX`] bytes, so that no record becomes too
/// large by it, and each character that is not visible becomes U+FFFD: a NUL fits no table, a line
/// break forges lines of a log, and an escape or a mark of direction draws over what a screen shows
/// beside it.
#[must_use]
pub fn printable(mut text: String) -> String {
    let end = text.floor_char_boundary(Refusal::DETAIL_MAX);
    text.truncate(end);

    let is_hidden = |c: char| !is_visible(c);
    if text.contains(is_hidden) {
        text = text.replace(is_hidden, "\u{fffd}");
        // The replacement is longer than what it replaces.
        text.truncate(text.floor_char_boundary(Refusal::DETAIL_MAX));
    }
    text
}

impl From<Code> for Refusal {
    fn from(code: Code) -> Self {
        Self::new(code, code.meaning())
    }
}

impl From<crate::fields::FormError> for Refusal {
    fn from(error: crate::fields::FormError) -> Self {
        use crate::fields::FormError::{Invalid, Json, Missing, OtherVersion, Unknown};
        let code = match error {
            OtherVersion { .. } => Code::Unsupported,
            Json(_) | Missing(_) | Unknown(_) | Invalid { .. } => Code::Malformed,
        };
        Self::new(code, error)
    }
}

impl From<crate::signed::SignedError> for Refusal {
    fn from(error: crate::signed::SignedError) -> Self {
        use crate::signed::SignedError::{Form, Order};
        match error {
            // The text has a code of its own: its owner signs one of another version again, and
            // repairs a damaged one.
            Form(form) => form.into(),
            Order => Self::new(Code::Malformed, error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    /// A changed row means that services treat a refusal differently: they retry, rebuild or end.
    #[test]
    fn cures_are_the_reviewed_ones() {
        let mut table = String::new();
        for cure in Cure::ALL {
            let codes = Code::ALL.iter().filter(|code| code.cure() == cure);
            let codes: Vec<_> = codes.map(|code| code.as_str()).collect();
            table.push_str(&format!("{}: {}\n", cure.name(), codes.join(" ")));
        }
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/snapshots/cures.txt");
        strongroom_golden::snapshot(file, &table);
    }

    #[test]
    fn hole_a_detail_holds_no_control_character_and_is_bounded() {
        let detail = |text: &str| Refusal::new(Code::Malformed, text).detail;
        assert_eq!(
            detail("unknown member caf\u{e9}"),
            "unknown member caf\u{e9}"
        );
        assert_eq!(detail("a\0b\nc\u{85}d"), "a\u{fffd}b\u{fffd}c\u{fffd}d");
        for long in ["\u{e9}".repeat(600), "\0".repeat(600)] {
            let kept = detail(&long).len();
            assert!((Refusal::DETAIL_MAX - 3..=Refusal::DETAIL_MAX).contains(&kept));
        }
    }

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
