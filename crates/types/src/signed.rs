//! The container of every text that people sign.

use crate::digest::Digest;
use crate::document::Document;
use crate::fields::{Fields, FormError};
use crate::id::CredentialId;
use crate::json::{Json, TEXT_BYTES_MAX};
use crate::proof::Proof;
use borsh::{BorshDeserialize, BorshSerialize};
use ed25519_dalek::{Signer as _, SigningKey, VerifyingKey};
use std::fmt;

/// Largest number of signatures on one text; a committee has at most 24 members.
pub const ENDORSEMENTS_MAX: usize = 32;

/// Longest JSON of one signature in a container, bytes: an assertion with parts of the largest size
/// (256, 1024 and 72 bytes) in hex, and the names of the members.
const ENDORSEMENT_JSON_BYTES_MAX: usize = 3 * 1024;

/// Longest JSON of a container, bytes: 224 KiB. A canonical text has no character whose escape is
/// longer than two, so a text of the largest size takes at most twice its length as a member. A
/// smaller bound would refuse acts that the journal takes.
pub const SIGNED_JSON_BYTES_MAX: usize =
    2 * TEXT_BYTES_MAX + ENDORSEMENTS_MAX * ENDORSEMENT_JSON_BYTES_MAX;

/// One credential's signature over a text.
#[derive(Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Endorsement {
    /// Credential that signed.
    pub credential: CredentialId,
    /// Signature over the 32-byte digest of the text.
    pub proof: Proof,
}

impl fmt::Debug for Endorsement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Endorsement({})", self.credential)
    }
}

/// A canonical text with the signatures over its digest, in strictly ascending order of credential.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub struct Signed {
    /// The exact canonical JSON text.
    pub text: String,
    /// Signatures over the digest of the text.
    pub endorsements: Vec<Endorsement>,
}

/// Reason for which a container is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignedError {
    /// The text does not read as the expected document.
    #[error(transparent)]
    Form(#[from] FormError),
    /// Signatures are missing, doubled, too many, or not in order.
    #[error(
        "signatures must be 1 to {ENDORSEMENTS_MAX}, one per credential, in ascending order of credential"
    )]
    Order,
}

impl Signed {
    /// A text with no signature yet.
    pub fn draft(document: &impl Document) -> Self {
        Self {
            text: document.to_text(),
            endorsements: Vec::new(),
        }
    }

    /// Parses the text and checks the form of the signature list. It verifies no signature.
    pub fn open<D: Document>(&self) -> Result<(D, Digest), SignedError> {
        // Signatures must be in one order and distinct: otherwise one container would have many
        // encodings, and a doubled signature could count twice.
        let ascending = self
            .endorsements
            .is_sorted_by(|a, b| a.credential < b.credential);
        let sized = (1..=ENDORSEMENTS_MAX).contains(&self.endorsements.len());
        if !ascending || !sized {
            return Err(SignedError::Order);
        }

        Ok((D::parse(&self.text)?, D::digest_of(&self.text)))
    }

    /// Adds a signature, keeping the order; replaces one by the same credential.
    pub fn endorse<D: Document>(&mut self, by: &SigningCredential) {
        let endorsement = by.endorse(&D::digest_of(&self.text));

        // The list stays as `open` requires it: ascending, with one signature per credential.
        self.endorsements
            .retain(|e| e.credential != endorsement.credential);
        self.endorsements.push(endorsement);
        self.endorsements.sort_by_key(|e| e.credential);
    }

    /// This text with the signatures of both; of two by one credential, this one's.
    #[must_use]
    pub fn joined(&self, other: &Self) -> Self {
        let mut joined = self.clone();
        let has = |e: &&Endorsement| {
            self.endorsements
                .iter()
                .all(|o| o.credential != e.credential)
        };
        joined
            .endorsements
            .extend(other.endorsements.iter().filter(has).cloned());
        joined.endorsements.sort_by_key(|e| e.credential);
        joined
    }

    /// The container with one signature.
    pub fn by<D: Document>(document: &D, credential: &SigningCredential) -> Self {
        let mut signed = Self::draft(document);
        signed.endorse::<D>(credential);
        signed
    }

    /// The container as JSON, for the API and files:
    /// `{"endorsements":[{"credential","proof"}],"text"}`.
    #[must_use]
    pub fn to_json(&self) -> Json<'_> {
        let endorsements = self.endorsements.iter().map(|e| {
            Json::object([
                ("credential", Json::text(e.credential)),
                ("proof", e.proof.to_json()),
            ])
        });

        Json::object([
            ("endorsements", Json::List(endorsements.collect())),
            ("text", Json::str(&self.text)),
        ])
    }

    /// Reads the text of [`Self::to_json`], of at most [`SIGNED_JSON_BYTES_MAX`] bytes.
    pub fn from_json(text: &str) -> Result<Self, FormError> {
        let json = Json::parse_within(text, SIGNED_JSON_BYTES_MAX)?;
        let mut fields = Fields::of(json, "signed")?;
        let endorsements = fields.objects("endorsements", ENDORSEMENTS_MAX, |f| {
            Ok(Endorsement {
                credential: f.parse("credential")?,
                proof: f.object("proof", Proof::read)?,
            })
        })?;

        let signed = Self {
            text: fields.text("text")?,
            endorsements,
        };

        fields.end()?;
        Ok(signed)
    }
}

/// The one rule of Ed25519 over the 32-byte digest. Every signature of a service or signer is
/// verified by it; signatures of people are verified by [`crate::proof::verify`].
#[must_use]
pub fn verify_digest(public_key: &[u8; 32], digest: &Digest, signature: &[u8; 64]) -> bool {
    strongroom_ed25519::verify_bytes(public_key, &digest.0, signature)
}

/// [`verify_digest`] with a key that was decoded before.
#[must_use]
pub fn verify_with(public_key: &VerifyingKey, digest: &Digest, signature: &[u8; 64]) -> bool {
    strongroom_ed25519::verify(public_key, &digest.0, signature)
}

/// A person's or program's private signing key, with the credential to which it belongs. It is
/// zeroised on drop.
pub struct SigningCredential {
    /// The credential id under which the public key is registered.
    pub id: CredentialId,
    key: SigningKey,
}

impl SigningCredential {
    /// The signing key of a 32-byte Ed25519 seed.
    #[must_use]
    pub fn new(id: CredentialId, seed: &[u8; 32]) -> Self {
        Self {
            id,
            key: SigningKey::from_bytes(seed),
        }
    }

    /// The Ed25519 public key.
    #[must_use]
    pub fn public_key(&self) -> [u8; 32] {
        self.key.verifying_key().to_bytes()
    }

    /// Signs a digest.
    #[must_use]
    pub fn endorse(&self, digest: &Digest) -> Endorsement {
        Endorsement {
            credential: self.id,
            proof: Proof::Ed25519(self.key.sign(&digest.0).to_bytes()),
        }
    }
}

impl fmt::Debug for SigningCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Only the id is printed, because a private key must not reach a log.
        write!(f, "SigningCredential({}, ..)", self.id)
    }
}
