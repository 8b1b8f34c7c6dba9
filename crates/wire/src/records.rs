//! Payloads of the bus. Field order is the encoding; a change is a new schema number.

use crate::codec::{Payload, Schema};
use crate::life::TransactionState;
use borsh::{BorshDeserialize, BorshSerialize};
use strongroom_types::{
    Attempt, Code, Digest, KeyId, Scope, SessionId, Signed, TenantId, Tweak, UnixMs, VaultId,
};

macro_rules! payloads {
    ($($name:ident = $number:literal)*) => {$(
        impl Payload for $name {
            const SCHEMA: Schema = Schema($number);
        }
    )*};
}

// A number is never given out again: old records stay on topics and would be read as the new type.
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
    /// The intent text and the client's signature.
    pub intent: Signed,
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
    /// People must still answer.
    Pending,
    /// Everything the decision asks is there.
    Approved,
    /// Refused, with a reason.
    Refused(Code, String),
}

/// An early, unbinding evaluation: only `apply` and the signers' replicas decide.
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
/// one its approvers signed, so their answers count for nothing any more.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub struct IntentReturned {
    /// Intent text and the client's signature: the receiver may have lost its tables.
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
    /// The vault that pays.
    pub vault: VaultId,
    /// The key that signs.
    pub key: KeyId,
    /// The attempt, as submitted to the journal.
    pub attempt: Attempt,
    /// The unsigned transaction in the chain codec's encoding.
    pub unsigned: Vec<u8>,
    /// The signatures it needs, as the transactions service reads it; signers derive their own.
    pub slots: Vec<SigningSlot>,
}

/// One signature a transaction needs: key child and bytes, no chain.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub struct SigningSlot {
    /// Full non-hardened derivation path from the group key.
    pub path: Vec<u32>,
    /// Tweak that follows the derivation.
    pub tweak: Tweak,
    /// Bytes to sign: a 32-byte digest, or a raw message for Ed25519.
    pub message: Vec<u8>,
}

/// One signer's nonce commitment: single-use, known by its boot and number.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub struct NonceCommitment {
    /// Random per start of the signer process.
    pub boot: [u8; 16],
    /// Running number within the boot.
    pub number: u64,
    /// The suite's commitment encoding (hiding ‖ binding).
    pub commitment: Vec<u8>,
}

/// A signing request: everything in it is checked by the signer itself.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub struct SigningRequest {
    /// This run.
    pub session: SessionId,
    /// Tenant of intent and key.
    pub tenant: TenantId,
    /// Digest of the intent text.
    pub intent: Digest,
    /// The attempt's number, from 1.
    pub attempt: u32,
    /// Key that signs every slot.
    pub key: KeyId,
    /// The unsigned transaction.
    pub unsigned: Vec<u8>,
    /// Per slot: the participants' commitments, ascending by signer index.
    pub commitments: Vec<Vec<(u16, NonceCommitment)>>,
}

/// From the coordinator to one signer.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub enum CoordinatorMessage {
    /// Make nonce commitments ahead of time.
    Prepare {
        /// Tenant of the key.
        tenant: TenantId,
        /// Key that they will sign for.
        key: KeyId,
        /// Number of commitments, at most 256.
        count: u32,
    },
    /// Share signatures of one transaction, or refuse.
    Sign(SigningRequest),
    /// Start the ceremony that the journal has released.
    Ceremony {
        /// Tenant of the key.
        tenant: TenantId,
        /// The key that comes into being; its record in the journal names the session.
        key: KeyId,
        /// Run of the protocol, from 1: a run that lost a participant is started again under
        /// the next number.
        run: u32,
    },
    /// Another signer's ceremony message: its own sealed envelope, forwarded as it is.
    Relay(Vec<u8>),
}

/// One signer's ceremony message, broadcast or for one recipient.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub struct CeremonyMessage {
    /// Tenant of the key.
    pub tenant: TenantId,
    /// Key that the ceremony makes.
    pub key: KeyId,
    /// Run of the protocol.
    pub run: u32,
    /// Recipient's signer index; none: all.
    pub to: Option<u16>,
    /// The protocol's bytes (sealed to the recipient when private).
    pub body: Vec<u8>,
}

/// From one signer to the coordinator.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub enum SignerMessage {
    /// Fresh commitments. A new boot empties what the coordinator holds of this signer.
    Commitments {
        /// Tenant of the key.
        tenant: TenantId,
        /// Key that they will sign for.
        key: KeyId,
        /// The stock.
        commitments: Vec<NonceCommitment>,
    },
    /// Signature shares, one per slot.
    Shares {
        /// This run.
        session: SessionId,
        /// Digest of the signing request answered.
        request: Digest,
        /// The shares, each in the group's scalar encoding; the envelope says whose they are.
        shares: Vec<Vec<u8>>,
        /// Size of the witnessed head acted under.
        head: u64,
        /// When that head covered the attempt (signer's clock, Unix microseconds); for the timeline
        /// only.
        covered_us: u64,
    },
    /// A signed refusal.
    Refused(SignerRefusal),
    /// A ceremony message.
    Ceremony(CeremonyMessage),
    /// A ceremony certificate: this signer's signature over the transcript, and what it certifies.
    Certificate {
        /// Tenant of the key.
        tenant: TenantId,
        /// Key that the ceremony made.
        key: KeyId,
        /// Ed25519 over the certificate digest.
        signature: Vec<u8>,
        /// The public result (borsh of `mpc_core`'s public key record).
        public: Vec<u8>,
        /// Transcript hash.
        transcript: Digest,
    },
}

/// A signer's refusal, with what it was made from.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub struct SignerRefusal {
    /// The run refused; zeros when the request named none.
    pub session: SessionId,
    /// Digest of the request.
    pub request: Digest,
    /// Reason.
    pub code: Code,
    /// Subject of the refusal, for people.
    pub detail: String,
    /// Digest of the evidence: attempt, own decoding, expected effects.
    pub evidence: Digest,
    /// Size of the witnessed head the signer judged by.
    pub head: u64,
    /// Signer's clock.
    pub at: UnixMs,
}

/// Result of a signing run.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub enum Outcome {
    /// Signatures, one per slot.
    Signed(Vec<Vec<u8>>),
    /// No signature; the signers' refusals.
    Failed(Vec<SignerRefusal>),
}

/// The end of a signing run.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub struct SigningFinished {
    /// Digest of the intent text.
    pub intent: Digest,
    /// The attempt's number, from 1.
    pub attempt: u32,
    /// Vault that pays; the record's key on the topic.
    pub vault: VaultId,
    /// Result.
    pub outcome: Outcome,
}

/// A transaction's new state.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub struct TransactionChanged {
    /// Digest of the intent text.
    pub intent: Digest,
    /// New state.
    pub state: TransactionState,
    /// Reason, when the state needs one.
    pub reason: Option<(Code, String)>,
    /// Signers' refusals, when there are any.
    pub refusals: Vec<SignerRefusal>,
    /// The network's name of the transaction, once signed.
    pub network_id: Option<String>,
    /// The network bytes, once signed.
    pub signed: Option<Vec<u8>>,
    /// When.
    pub at: UnixMs,
}

/// A body offered to the journal.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub struct JournalSubmitted {
    /// Submitter's own id for the answer.
    pub submission: [u8; 16],
    /// Tenant or platform whose part of the state the body changes.
    pub scope: Scope,
    /// Borsh of `journal::Body`.
    pub body: Vec<u8>,
}

/// The writer's answer: a hint, the entries are the truth.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub struct JournalResult {
    /// Submitter's own id.
    pub submission: [u8; 16],
    /// Position, or refusal.
    pub result: Result<u64, (Code, String)>,
}

/// Entries that follow one another and the checkpoint after the last of them: the unit in which the
/// journal is published, persisted and cosigned.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub struct JournalBatch {
    /// Position of the first entry.
    pub first_seq: u64,
    /// Borsh of `journal::SealedEntry`, at least one.
    pub entries: Vec<Vec<u8>>,
    /// The signed note (C2SP signed-note with a tlog-checkpoint body) over all entries up to and
    /// with these.
    pub note: String,
}

/// A witness's cosignature of a checkpoint.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub struct WitnessCosignature {
    /// The checkpoint body that was cosigned.
    pub body: String,
    /// Unix seconds, as signed.
    pub time_s: u64,
    /// Ed25519 over the cosignature/v1 message.
    pub signature: [u8; 64],
}
