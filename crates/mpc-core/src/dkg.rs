//! Distributed key generation: KeyGen of the FROST paper (eprint 2020/852, Figure 1), as a machine
//! without I/O.
//!
//! 1. Each signer broadcasts frost's round-1 package and a commitment to 32 bytes of chain code
//!    (KeyGen round 1, steps 1 to 4).
//! 2. Each signer broadcasts the hash of all round-1 messages. The paper assumes a broadcast
//!    channel that gives every participant the same message; this echo makes one out of links
//!    between pairs.
//! 3. Each signer sends to each peer, sealed, the peer's signing share and the chain-code opening
//!    (KeyGen round 2, step 1).
//! 4. Each signer persists its share and only then certifies it by a signature over the transcript.
//!    The session is finished when it has all n certificates.
//!
//! The caller authenticates senders (signed envelopes); this machine takes their roster indices as
//! given.

mod certificate;
mod message;
mod parameters;
mod rounds;
mod session;
mod transcript;

pub use certificate::{certificate_digest, verify_certificate, verify_outcome};
pub use message::ROUND1_LEN_MAX;
pub use parameters::{DkgParameters, RosterMember};
pub use session::DkgSession;
pub use transcript::transcript_hash;

use crate::StepError;
use crate::encoding::{NotCanonical, decode, encode};
use crate::{KeyShareRecord, PublicKeyRecord};
use borsh::{BorshDeserialize, BorshSerialize};
use std::collections::BTreeMap;

/// Longest accepted outcome in bytes; the verifying shares and certificates of 64 signers fit in 8
/// KiB.
const OUTCOME_LEN_MAX: usize = 16 * 1024;

/// One input of [`DkgSession::step`].
#[derive(Debug)]
pub enum DkgInput {
    /// A message of the authenticated roster member `from`.
    Received {
        /// Sender's roster index, as authenticated by the envelope.
        from: u16,
        /// The message as it was produced by the sender's machine.
        bytes: Vec<u8>,
    },
    /// The record of [`DkgEffect::Persist`] is durable (fsynced).
    Persisted,
    /// A certificate of `from`, this signer's included.
    Certificate {
        /// Signer's roster index.
        from: u16,
        /// Ed25519 signature over [`certificate_digest`] by the roster signing key.
        signature: [u8; 64],
    },
}

/// Work for the caller, to be done in the order given.
#[derive(Debug)]
pub enum DkgEffect {
    /// Send to every other roster member in a signed envelope (the bytes are public).
    Broadcast(Vec<u8>),
    /// Send to one member in a signed envelope (the bytes are sealed to it).
    Send {
        /// Recipient's roster index.
        to: u16,
        /// Encoded message with a body sealed to the recipient.
        bytes: Vec<u8>,
    },
    /// Make the share durable, then feed [`DkgInput::Persisted`]. The session certifies nothing
    /// before that.
    Persist(Box<KeyShareRecord>),
    /// Sign [`certificate_digest`] of `transcript` with the roster signing key, publish the
    /// signature, and feed it (and the others') as [`DkgInput::Certificate`].
    Done {
        /// Hash of everything all signers must agree on.
        transcript: [u8; 32],
    },
    /// All n signers certified the same transcript: the key may be used.
    Finished(Box<DkgOutcome>),
    /// The input changed nothing, for this reason.
    Ignored(IgnoredReason),
}

/// A finished ceremony, as published.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct DkgOutcome {
    /// Hash that the certificates sign.
    pub transcript: [u8; 32],
    /// Hash of all round-1 messages, which the transcript contains.
    pub round1_hash: [u8; 32],
    /// Group key, verifying shares, chain code.
    pub public: PublicKeyRecord,
    /// Every signer's certificate, by roster index.
    pub certificates: BTreeMap<u16, [u8; 64]>,
}

impl DkgOutcome {
    /// Canonical borsh encoding.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        encode(self)
    }

    /// Decodes strictly. The result proves nothing until [`verify_outcome`] has checked it.
    ///
    /// # Errors
    /// [`NotCanonical`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, NotCanonical> {
        // The length is bounded before anything is decoded, because the bytes come from the bus.
        decode(bytes, OUTCOME_LEN_MAX)
    }
}

/// Reason to refuse a published ceremony.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OutcomeFault {
    /// The public record is malformed or not of the approved suite, key, epoch, t or roster.
    #[error("public key record is not of the approved ceremony")]
    OtherKey,
    /// The transcript is not that of this public record.
    #[error("transcript does not match the public key record")]
    Transcript,
    /// The certificate of this roster member is missing or invalid.
    #[error("certificate of signer {0} missing or invalid")]
    Certificate(u16),
    /// Certificates of signers outside the roster.
    #[error("certificates of signers outside the roster")]
    Strangers,
}

/// Reason to ignore an input. None of these ends a session; otherwise one forged or misrouted
/// message could end any ceremony.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IgnoredReason {
    /// The bytes are not the one encoding of a message, or too long.
    Malformed,
    /// The message belongs to another session.
    OtherSession,
    /// The session id is the same, but the parameters differ (genesis, epoch, roster, t, n …).
    OtherParameters,
    /// The sender is not in the roster.
    UnknownSender,
    /// A message of this signer came back.
    OwnMessage,
    /// A message sealed to another signer.
    OtherRecipient,
    /// A message that is in the inbox already.
    Duplicate,
    /// The session is past the round of this message.
    Closed,
    /// `Persisted` without an open `Persist`.
    NothingToPersist,
    /// The certificate is not a valid signature over this session's transcript.
    BadCertificate,
}

/// Misbehaviour or failure that ended a session without a key. A faulted session stays faulted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DkgFault {
    /// The parameters are refused before anything is sent.
    #[error("parameters refused: {0}")]
    Parameters(&'static str),
    /// Two different messages of one round. Without culprits when echoes differ: then it is not
    /// known which signer sent two versions.
    #[error("equivocation")]
    Equivocation {
        /// Roster index of the sender, if known.
        culprits: Vec<u16>,
    },
    /// A round-1 package that does not decode or has not exactly t commitments.
    #[error("invalid round-1 package")]
    InvalidPackage {
        /// Roster index of its sender.
        culprit: u16,
    },
    /// The proof of knowledge does not verify.
    #[error("invalid proof of knowledge")]
    InvalidProofOfKnowledge {
        /// Roster index of its sender.
        culprit: u16,
    },
    /// A sealed message does not open or decode.
    #[error("sealed share does not open")]
    Unsealable {
        /// Roster index of its sender.
        culprit: u16,
    },
    /// A signing share does not lie on its sender's committed polynomial.
    #[error("invalid signing share")]
    InvalidSigningShare {
        /// Roster index of its sender.
        culprit: u16,
    },
    /// The chain-code opening does not match its commitment.
    #[error("chain-code opening does not match its commitment")]
    ChainCodeOpening {
        /// Roster index of its sender.
        culprit: u16,
    },
    /// A step failed in a way that no peer's message explains.
    #[error("key generation failed: {step}")]
    Failed {
        /// The step, in fixed words.
        step: &'static str,
        /// The error below it, unless the step itself found that something does not hold.
        #[source]
        source: Option<StepError>,
    },
}

impl DkgFault {
    /// A step that found that something does not hold.
    pub(crate) fn failed(step: &'static str) -> Self {
        Self::Failed { step, source: None }
    }

    /// A step that failed by this error, for `map_err`.
    pub(crate) fn failed_by<E: Into<StepError>>(step: &'static str) -> impl FnOnce(E) -> Self {
        move |error| Self::Failed {
            step,
            source: Some(error.into()),
        }
    }

    /// Roster indices whose messages prove the fault; empty when no signer can be named.
    #[must_use]
    pub fn culprits(&self) -> Vec<u16> {
        match self {
            // No peer caused these faults. A signer that is named here would be blamed in a signed
            // report.
            Self::Parameters(_) | Self::Failed { .. } => Vec::new(),
            Self::Equivocation { culprits } => culprits.clone(),
            Self::InvalidPackage { culprit }
            | Self::InvalidProofOfKnowledge { culprit }
            | Self::Unsealable { culprit }
            | Self::InvalidSigningShare { culprit }
            | Self::ChainCodeOpening { culprit } => vec![*culprit],
        }
    }
}
