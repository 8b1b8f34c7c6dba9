//! Entries and leaves.

use borsh::{BorshDeserialize, BorshSerialize};
use strongroom_guard::{G, guard};
use strongroom_tlog::{Hash, leaf_hash};
use strongroom_types::{
    Act, Attempt, Code, Digest, Document as _, KeyId, NodeId, Refusal, Scope, Signed, UnixMs,
    digest,
};
use strongroom_wire::{decode, encode};

/// Version of entries and of `apply`.
pub const VERSION: u16 = 2;
/// Largest private part: 128 KiB, two texts of the largest size.
pub const ENTRY_BYTES_MAX: usize = 128 * 1024;

/// Most facts of one entry.
pub const FACTS_MAX: usize = 16;

/// An accepted payment: the intent, the decision and the approvals, with attempt 1. One atomic
/// entry.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub struct Authorization {
    /// Intent text and client's signature.
    pub intent: Signed,
    /// Canonical text of the decision core.
    pub core: String,
    /// Approvals, in the order of the decision's groups.
    pub approvals: Vec<Signed>,
    /// The first attempt, number 1.
    pub attempt: Attempt,
    /// Signed facts on which the decision rests, such as prices: at most [`FACTS_MAX`]. None is
    /// accepted yet.
    pub facts: Vec<Signed>,
}

/// A further attempt of an authorized intent.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub struct FurtherAttempt {
    /// Attempt 2 or a later one, with its unsigned transaction's digest and fee.
    pub attempt: Attempt,
    /// Signed facts on which its decision rests, as in [`Authorization`]. None is accepted yet.
    pub facts: Vec<Signed>,
    /// Bytes of the intent's record when the state has dropped it, to open it again. Not accepted
    /// yet.
    pub reopen: Option<Vec<u8>>,
}

impl From<Attempt> for Body {
    /// A further attempt that rests on no facts and whose record is in the state.
    fn from(attempt: Attempt) -> Self {
        Self::Attempt(Box::new(FurtherAttempt {
            attempt,
            facts: Vec::new(),
            reopen: None,
        }))
    }
}

/// The end of a key generation, certified by all n signers.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub struct Finished {
    /// Key that the ceremony made.
    pub key: KeyId,
    /// Transcript hash that every signer certified.
    pub transcript: Digest,
    /// Public result (borsh of `mpc_core`'s public key record).
    pub public: Vec<u8>,
    /// One Ed25519 certificate per signer, ascending by index.
    pub certificates: Vec<(u16, [u8; 64])>,
}

/// One witness's statement over the checkpoint of a [`Witnessed`] entry.
#[derive(Clone, Copy, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub struct SeatCosignature {
    /// Bus id of the witness.
    pub witness: NodeId,
    /// Time of signing, Unix seconds by the witness's clock.
    pub time_s: u64,
    /// Ed25519 signature (C2SP cosignature/v1).
    pub signature: [u8; 64],
}

/// A checkpoint that a quorum of witnesses has cosigned: what was entered below it is from then on
/// known to have been seen by their largest time.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub struct Witnessed {
    /// Checkpoint body, exactly as it was cosigned.
    pub checkpoint: String,
    /// Exactly k cosignatures over it, ascending by witness.
    pub cosignatures: Vec<SeatCosignature>,
}

/// Content of an entry.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub enum Body {
    /// Entry 0: hash of the genesis file.
    Genesis(Digest),
    /// Time has passed, and nothing else.
    Tick,
    /// An act of admins, committee or client.
    Act(Signed),
    /// A payment is authorized with its first attempt.
    Authorized(Box<Authorization>),
    /// A further attempt of an authorized intent.
    Attempt(Box<FurtherAttempt>),
    /// A ceremony finished.
    Finished(Box<Finished>),
    /// Witnesses vouch for what was entered before.
    Witnessed(Witnessed),
}

impl Body {
    /// Whether it is a tightening, by what it says of itself: not verified.
    #[must_use]
    pub fn is_tightening(&self) -> bool {
        match self {
            Self::Act(signed) => Act::parse(&signed.text).is_ok_and(|act| act.is_tightening()),
            Self::Genesis(_)
            | Self::Tick
            | Self::Authorized(_)
            | Self::Attempt(_)
            | Self::Finished(_)
            | Self::Witnessed(_) => false,
        }
    }
}

/// One entry of the journal, before it is sealed.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub struct Entry {
    /// Version, [`VERSION`]. Always the first field, so that every build can read it.
    pub version: u16,
    /// Position, from 0.
    pub seq: u64,
    /// Journal time; never decreases.
    pub at: UnixMs,
    /// Tenant or platform whose part of the state it changes.
    pub scope: Scope,
    /// Content, as the journal's rules read it.
    pub body: Body,
}

/// The public part of an entry: what the tree holds. Under 1 KiB.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub struct Leaf {
    /// Version of the entry, [`VERSION`].
    pub version: u16,
    /// Position of the entry, from 0.
    pub seq: u64,
    /// Journal time of the entry, Unix milliseconds.
    pub at: UnixMs,
    /// Kind class: 0 control, 1 registry act, 2 payment, 3 ceremony.
    pub class: u8,
    /// Ceremony facts, for finished ceremonies only: key and transcript.
    pub facts: Option<(KeyId, Digest)>,
    /// Salted commitment to the private part.
    pub commitment: Digest,
}

/// An entry with its salt, as delivered to replicas.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub struct SealedEntry {
    /// Borsh of the entry, as produced by the writer.
    pub entry: Vec<u8>,
    /// 32 random bytes.
    pub salt: [u8; 32],
}

impl SealedEntry {
    /// Seals an entry under a salt.
    #[must_use]
    pub fn new(entry: &Entry, salt: [u8; 32]) -> Self {
        Self {
            entry: encode(entry),
            salt,
        }
    }

    /// Opens the entry: strict decode, known version, bounded size.
    ///
    /// # Errors
    /// `malformed`, `record_too_large`, `unknown_entry`: a replica goes no further than there.
    pub fn open(&self) -> Result<Entry, Refusal> {
        // The length is checked before decoding: a length inside of the bytes must not decide how
        // much memory is taken.
        if guard(G::RecordSize, self.entry.len() > ENTRY_BYTES_MAX) {
            return Err(Refusal::new(
                Code::RecordTooLarge,
                format!("entry of {} bytes", self.entry.len()),
            ));
        }

        // The version is read before the fields, which another version may have in another order. A
        // build that guesses at an entry would apply something else than its peers.
        let version = self.entry.first_chunk().map(|v| u16::from_le_bytes(*v));
        match version {
            Some(version) if version != VERSION => Err(Refusal::new(
                Code::UnknownEntry,
                format!("entry version {version}; this build reads version {VERSION} only"),
            )),
            Some(_) | None => decode(&self.entry),
        }
    }

    /// The public part of the entry, salted with this seal's salt.
    #[must_use]
    pub fn leaf(&self, entry: &Entry) -> Leaf {
        let facts = match &entry.body {
            Body::Finished(finished) => Some((finished.key, finished.transcript)),
            Body::Genesis(_)
            | Body::Tick
            | Body::Act(_)
            | Body::Authorized(_)
            | Body::Attempt(_)
            | Body::Witnessed(_) => None,
        };

        // The commitment is salted, because the leaf is public to auditors of the log and the entry
        // is its tenant's.
        let commitment = digest(
            "strongroom/journal-commitment/v1",
            &[&self.salt, &self.entry],
        );
        Leaf {
            version: entry.version,
            seq: entry.seq,
            at: entry.at,
            class: class(&entry.body),
            facts,
            commitment,
        }
    }

    /// RFC 6962 leaf hash of the public part.
    #[must_use]
    pub fn leaf_hash(&self, entry: &Entry) -> Hash {
        leaf_hash(&encode(&self.leaf(entry)))
    }
}

const fn class(body: &Body) -> u8 {
    match body {
        Body::Genesis(_) | Body::Tick | Body::Witnessed(_) => 0,
        Body::Act(_) => 1,
        Body::Authorized(_) | Body::Attempt(_) => 2,
        Body::Finished(_) => 3,
    }
}
