//! Payloads of the bus. Field order is the encoding; a change is a new schema number.

use crate::codec::{Payload, RECORD_BYTES_MAX, Schema};
use crate::life::TransactionState;
use borsh::{BorshDeserialize, BorshSerialize};
use strongroom_types::{
    Attempt, Code, Digest, KeyId, Scope, SessionId, Signed, TenantId, Tweak, UnixMs, VaultId,
    printable,
};

macro_rules! payloads {
    ($($name:ident = $number:literal)*) => {$(
        impl Payload for $name {
            const SCHEMA: Schema = Schema($number);
        }
    )*};
}

// A number is never used again: old records stay on topics and would be read as the new type.
payloads! {
    IntentSubmitted = 1
    ApprovalSubmitted = 2
    IntentDecided = 3
    SigningRequested = 4
    CoordinatorMessage = 5
    SignerMessage = 6
    SigningFinished = 7
    TransactionChanged = 8
    JournalSubmitted = 9
    JournalResult = 10
    JournalBatch = 11
    WitnessCosignature = 12
    IntentReturned = 13
}

/// A client's intent, accepted by the API.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub struct IntentSubmitted {
    // The text as it was signed: a reader parses it again and believes no service's reading of it.
    /// The intent text and the client's signature.
    pub intent: Signed,
    /// Number of the journal's entries by which the API took it: a reader that has fewer must not
    /// refuse it for good.
    pub size: u64,
}

/// An approver's answer, accepted by the API.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub struct ApprovalSubmitted {
    /// The approval text and the approver's signature.
    pub approval: Signed,
}

/// Early answer of the approvals service to an intent.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub enum Decided {
    /// Answers of approvers are still missing.
    Pending,
    /// Every approval that the decision asks for is there.
    Approved,
    /// The intent is refused, with code and detail.
    Refused(Code, String),
}

/// An early evaluation, which is not binding: only `apply` and the signers' replicas decide.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub struct IntentDecided {
    /// Intent text and the client's signature.
    pub intent: Signed,
    /// Canonical text of the decision core; empty when refused before policy.
    pub core: String,
    /// Approvals collected so far.
    pub approvals: Vec<Signed>,
    /// Pending, approved or refused.
    pub decided: Decided,
}

/// An intent that goes back to the approvals service: the journal found another decision than the
/// one its approvers signed, so their approvals no longer count.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub struct IntentReturned {
    /// Intent text and the client's signature, because the receiver may have lost its tables.
    pub intent: Signed,
    /// Reason code of the journal's refusal.
    pub code: Code,
    /// The refusal's detail, for people.
    pub detail: String,
}

/// A transaction to sign.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub struct SigningRequested {
    /// Tenant of vault and key.
    pub tenant: TenantId,
    /// Vault that pays.
    pub vault: VaultId,
    /// Key that signs.
    pub key: KeyId,
    /// The attempt, as submitted to the journal.
    pub attempt: Attempt,
    /// The unsigned transaction in the chain codec's encoding.
    pub unsigned: Vec<u8>,
    /// Signatures that it needs, as the transactions service reads it; signers derive them again.
    pub slots: Vec<SigningSlot>,
}

/// One signature that a transaction needs: path of the child key and bytes to sign, without the
/// chain.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub struct SigningSlot {
    /// Full non-hardened derivation path from the group key.
    pub path: Vec<u32>,
    /// Tweak that is applied after the derivation.
    pub tweak: Tweak,
    // The coordinator needs it to add shares up. No signer does: each takes its own decoding.
    /// Bytes to sign: a 32-byte digest, or a raw message for Ed25519.
    pub message: Vec<u8>,
}

/// One signer's nonce commitment, which is used once and identified by boot and number.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub struct NonceCommitment {
    /// Random id of the run of the signer's process, 16 bytes.
    pub boot: [u8; 16],
    /// Running number within that run and key.
    pub number: u64,
    /// Hiding ‖ binding commitment in the suite's encoding.
    pub commitment: Vec<u8>,
}

/// A signing request. The signer checks everything in it itself.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub struct SigningRequest {
    /// Id of the try that asks.
    pub session: SessionId,
    /// Tenant of intent and key.
    pub tenant: TenantId,
    /// Digest of the intent text.
    pub intent: Digest,
    /// Number of the attempt, from 1.
    pub attempt: u32,
    /// Key that signs every slot.
    pub key: KeyId,
    /// Unsigned transaction in the chain codec's encoding.
    pub unsigned: Vec<u8>,
    /// Commitments of the participants for each slot, ascending by signer index.
    pub commitments: Vec<Vec<(u16, NonceCommitment)>>,
}

/// Longest entry of [`SigningRequest::commitments`], bytes: index, boot, number, length, and the
/// two points of the longest suite.
const COMMITMENT_BYTES: usize = 2 + 16 + 8 + 4 + 66;

impl SigningRequest {
    /// Most slots of a request to so many signers. A quarter of its record is left for the unsigned
    /// transaction and the envelope.
    #[must_use]
    pub const fn slots_max(signers: usize) -> usize {
        let of_slot = signers.saturating_mul(COMMITMENT_BYTES).saturating_add(4);
        (RECORD_BYTES_MAX - RECORD_BYTES_MAX / 4) / of_slot
    }
}

/// Message from the coordinator to one signer.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub enum CoordinatorMessage {
    /// Make nonce commitments before there is a message to sign.
    Prepare {
        /// Tenant of the key.
        tenant: TenantId,
        /// Key for which they will be used.
        key: KeyId,
        /// Number of commitments, at most 256.
        count: u32,
    },
    /// Give the signature shares of one transaction, or refuse.
    Sign(SigningRequest),
    /// Start the ceremony that the journal has released.
    Ceremony {
        /// Tenant of the key.
        tenant: TenantId,
        /// Key that the ceremony makes; its record in the journal names the session.
        key: KeyId,
        /// Run of the protocol, from 1. A run that lost a participant is started again under the
        /// next number.
        run: u32,
    },
    /// Another signer's ceremony message: the envelope that it sealed, forwarded unchanged.
    Relay(Vec<u8>),
}

/// One signer's ceremony message, broadcast or for one recipient.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub struct CeremonyMessage {
    /// Tenant of the key.
    pub tenant: TenantId,
    /// Key that the ceremony makes.
    pub key: KeyId,
    /// Run of the protocol, from 1.
    pub run: u32,
    /// Signer index of the recipient; `None` for all.
    pub to: Option<u16>,
    /// The protocol's bytes (sealed to the recipient when private).
    pub body: Vec<u8>,
}

/// Message from one signer to the coordinator.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub enum SignerMessage {
    /// New commitments. If they are of a new boot, the coordinator drops those that it holds of
    /// this signer and key.
    Commitments {
        /// Tenant of the key.
        tenant: TenantId,
        /// Key for which they will be used.
        key: KeyId,
        /// The new commitments.
        commitments: Vec<NonceCommitment>,
    },
    /// Signature shares, one per slot.
    Shares {
        /// Id of the try that is answered.
        session: SessionId,
        /// Digest of the signing request that is answered.
        request: Digest,
        /// The shares, each in the group's scalar encoding. The envelope names their signer.
        shares: Vec<Vec<u8>>,
        /// Size of the witnessed head under which the signer acted.
        head: u64,
        /// Time at which that head covered the attempt, Unix microseconds by the signer's clock;
        /// for the timeline only.
        covered_us: u64,
    },
    /// A signed refusal.
    Refused(SignerRefusal),
    /// A message of a ceremony.
    Ceremony(CeremonyMessage),
    /// A ceremony certificate: this signer's signature, and the result that it certifies.
    Certificate {
        /// Tenant of the key.
        tenant: TenantId,
        /// Key that the ceremony made.
        key: KeyId,
        /// Ed25519 signature over the certificate digest, 64 bytes.
        signature: Vec<u8>,
        /// The public result (borsh of `mpc_core`'s public key record).
        public: Vec<u8>,
        /// Hash of the ceremony's transcript.
        transcript: Digest,
    },
}

/// A signer's refusal, with the digest of its evidence.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub struct SignerRefusal {
    /// Id of the try that is refused; zeros when the request named none.
    pub session: SessionId,
    /// Digest of the request that is refused.
    pub request: Digest,
    /// Reason code.
    pub code: Code,
    /// Subject of the refusal, for people.
    pub detail: String,
    /// Digest of the evidence: the attempt, the signer's decoding of it, and the expected effects.
    pub evidence: Digest,
    /// Size of the witnessed head by which the signer judged.
    pub head: u64,
    /// Time of the refusal by the signer's clock, Unix milliseconds.
    pub at: UnixMs,
}

impl SignerRefusal {
    /// The same refusal with a detail that services can keep and pass on ([`printable`]): a hostile
    /// signer writes what it likes there.
    #[must_use]
    pub fn bounded(mut self) -> Self {
        self.detail = printable(self.detail);
        self
    }
}

/// Result of a signing run.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub enum Outcome {
    /// The signatures, one per slot.
    Signed(Vec<Vec<u8>>),
    /// There is no signature; the signers' refusals.
    Failed(Vec<SignerRefusal>),
}

/// The end of a signing run.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub struct SigningFinished {
    /// Digest of the intent text.
    pub intent: Digest,
    /// Number of the attempt, from 1.
    pub attempt: u32,
    /// Vault that pays; the record's key on the topic.
    pub vault: VaultId,
    /// Signatures or refusals.
    pub outcome: Outcome,
}

/// Announcement of a transaction's new state.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub struct TransactionChanged {
    /// Digest of the intent text.
    pub intent: Digest,
    /// State of the transaction from now on.
    pub state: TransactionState,
    /// Code and detail, when the state needs a reason.
    pub reason: Option<(Code, String)>,
    /// Signers' refusals, when there are any.
    pub refusals: Vec<SignerRefusal>,
    /// Id of the transaction on the network, when it is signed.
    pub network_id: Option<String>,
    /// Network bytes of the transaction, when it is signed.
    pub signed: Option<Vec<u8>>,
    /// Time of the change by the service's clock, Unix milliseconds.
    pub at: UnixMs,
}

/// A body offered to the journal.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub struct JournalSubmitted {
    // Chosen and not derived: the same body may be offered again and be answered otherwise.
    /// Id that the submitter chose, by which it recognises the answer.
    pub submission: [u8; 16],
    /// Tenant or platform whose part of the state the body changes.
    pub scope: Scope,
    /// Borsh of `journal::Body`.
    pub body: Vec<u8>,
}

/// The writer's answer. It is only a hint: the entries decide.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub struct JournalResult {
    /// Id that the submitter chose.
    pub submission: [u8; 16],
    /// Position of the entry, or code and detail of the refusal.
    pub result: Result<u64, (Code, String)>,
}

/// Entries that follow one another and the checkpoint after the last of them: the unit in which the
/// journal is published, persisted and cosigned.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub struct JournalBatch {
    /// Position of the first entry.
    pub first_seq: u64,
    /// Entries, at least one, each as borsh of `journal::SealedEntry`.
    pub entries: Vec<Vec<u8>>,
    /// The signed note (C2SP signed-note with a tlog-checkpoint body) over all entries up to and
    /// including these.
    pub note: String,
}

/// A witness's cosignature of a checkpoint.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub struct WitnessCosignature {
    /// The checkpoint body that was cosigned.
    pub body: String,
    /// Time of the cosignature, Unix seconds, as it was signed.
    pub time_s: u64,
    /// Ed25519 signature over the C2SP cosignature/v1 message.
    pub signature: [u8; 64],
}
