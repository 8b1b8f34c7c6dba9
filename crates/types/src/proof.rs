//! Proofs: a credential's signature over a digest in each of its forms, and the function that
//! verifies it.

mod webauthn;

#[cfg(test)]
mod tests;

use crate::credential::{Credential, PublicKey};
use crate::digest::Digest;
use crate::fields::{Fields, FormError};
use crate::json::Json;
use crate::signed;
use crate::text::lower_hex;
use borsh::{BorshDeserialize, BorshSerialize};
use p256::ecdsa::signature::Verifier as _;
use p256::ecdsa::{Signature, VerifyingKey};
use std::fmt;
use std::io;
use std::ops::RangeInclusive;

/// Permitted lengths of an assertion's authenticator data, bytes: the fixed part (W3C WebAuthn
/// Level 3 §6.1) and extensions.
const AUTHENTICATOR_DATA_BYTES: RangeInclusive<usize> = 37..=256;
/// Permitted lengths of an assertion's client data, bytes.
const CLIENT_DATA_BYTES: RangeInclusive<usize> = 1..=1024;
/// Permitted lengths of an assertion's signature, bytes: a DER sequence of two integers below
/// 2^256.
const DER_BYTES: RangeInclusive<usize> = 8..=72;

/// One credential's signature over the 32 bytes of a digest.
///
/// Anyone can compute a second valid form of an ECDSA signature, so equal statements may have
/// unequal proofs. Duplicates must be found by credential and digest, never by a proof's bytes.
#[derive(Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
#[borsh(use_discriminant = true)]
#[repr(u8)]
pub enum Proof {
    /// Ed25519 signature over the 32 bytes of the digest, 64 bytes.
    Ed25519([u8; 64]) = 0,
    /// ECDSA signature over P-256 with SHA-256, 64 bytes: r ‖ s, with s or n − s. The digest is the
    /// message.
    P256([u8; 64]) = 1,
    /// An authenticator's assertion with the digest as challenge.
    WebAuthn(Assertion) = 2,
}

impl fmt::Debug for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Proof({})", self.algorithm())
    }
}

/// An authenticator's answer to one challenge (W3C WebAuthn Level 3 §5.2.2).
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize)]
pub struct Assertion {
    authenticator_data: Vec<u8>,
    client_data: Vec<u8>,
    signature: Vec<u8>,
}

/// Parts with lengths that no assertion has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "an assertion has 37 to 256 bytes of authenticator data, 1 to 1024 of client data and a DER \
     signature of 8 to 72"
)]
pub struct NotAnAssertion;

impl Assertion {
    /// An assertion as the authenticator and the browser delivered it: authenticator data, client
    /// data (the exact JSON bytes) and the DER signature.
    ///
    /// # Errors
    /// [`NotAnAssertion`] when a part is shorter or longer than it can be.
    pub fn new(
        authenticator_data: Vec<u8>,
        client_data: Vec<u8>,
        signature: Vec<u8>,
    ) -> Result<Self, NotAnAssertion> {
        // The lengths are bounded, because every replica stores these bytes permanently and
        // strangers must not choose how many.
        let sized = AUTHENTICATOR_DATA_BYTES.contains(&authenticator_data.len())
            && CLIENT_DATA_BYTES.contains(&client_data.len())
            && DER_BYTES.contains(&signature.len());
        if !sized {
            return Err(NotAnAssertion);
        }
        Ok(Self {
            authenticator_data,
            client_data,
            signature,
        })
    }

    /// Authenticator data, 37–256 bytes.
    #[must_use]
    pub fn authenticator_data(&self) -> &[u8] {
        &self.authenticator_data
    }

    /// Client data, the exact JSON bytes that the browser hashed, at most 1024.
    #[must_use]
    pub fn client_data(&self) -> &[u8] {
        &self.client_data
    }

    /// ECDSA signature in DER, at most 72 bytes.
    #[must_use]
    pub fn signature(&self) -> &[u8] {
        &self.signature
    }
}

impl BorshDeserialize for Assertion {
    fn deserialize_reader<R: io::Read>(reader: &mut R) -> io::Result<Self> {
        let mut part = || Vec::<u8>::deserialize_reader(reader);
        Self::new(part()?, part()?, part()?)
            .map_err(|e| io::Error::new(io::ErrorKind::InvalidData, e))
    }
}

impl Proof {
    /// Name of the form: `ed25519`, `p256` or `webauthn`.
    #[must_use]
    pub const fn algorithm(&self) -> &'static str {
        match self {
            Self::Ed25519(_) => "ed25519",
            Self::P256(_) => "p256",
            Self::WebAuthn(_) => "webauthn",
        }
    }

    /// Ed25519 signature from lower-case hex.
    ///
    /// # Errors
    /// [`FormError`] unless the text is 128 lower-case hex digits.
    pub fn ed25519(signature: &str) -> Result<Self, FormError> {
        hex64(signature).map(Self::Ed25519)
    }

    /// ECDSA signature r ‖ s from lower-case hex.
    ///
    /// # Errors
    /// [`FormError`] unless the text is 128 lower-case hex digits.
    pub fn p256(signature: &str) -> Result<Self, FormError> {
        hex64(signature).map(Self::P256)
    }

    /// Assertion from authenticator data, client data and signature in lower-case hex.
    ///
    /// # Errors
    /// [`FormError`] when a part is not lower-case hex or has a length that it cannot have.
    pub fn webauthn(
        authenticator_data: &str,
        client_data: &str,
        signature: &str,
    ) -> Result<Self, FormError> {
        let assertion = Assertion::new(
            bytes("authenticator_data", authenticator_data)?,
            bytes("client_data", client_data)?,
            bytes("signature", signature)?,
        );
        assertion
            .map(Self::WebAuthn)
            .map_err(|e| FormError::invalid("proof", e))
    }

    /// As JSON: `{"algorithm","signature"}`, and for an assertion `authenticator_data` and
    /// `client_data` too, all bytes in lower-case hex.
    pub(crate) fn to_json(&self) -> Json<'_> {
        let mut members = vec![("algorithm", Json::text(self.algorithm()))];
        let mut add = |name, bytes: &[u8]| {
            members.push((name, Json::text(hex::encode(bytes))));
        };
        match self {
            Self::Ed25519(signature) | Self::P256(signature) => add("signature", signature),
            Self::WebAuthn(assertion) => {
                add("authenticator_data", &assertion.authenticator_data);
                add("client_data", &assertion.client_data);
                add("signature", &assertion.signature);
            }
        }
        Json::object(members)
    }

    /// From the JSON of [`Self::to_json`].
    pub(crate) fn read(f: &mut Fields<'_>) -> Result<Self, FormError> {
        match f.text("algorithm")?.as_str() {
            "ed25519" => Self::ed25519(&f.text("signature")?),
            "p256" => Self::p256(&f.text("signature")?),
            "webauthn" => Self::webauthn(
                &f.text("authenticator_data")?,
                &f.text("client_data")?,
                &f.text("signature")?,
            ),
            _ => Err(FormError::invalid(
                "algorithm",
                "must be ed25519, p256 or webauthn",
            )),
        }
    }
}

fn hex64(text: &str) -> Result<[u8; 64], FormError> {
    lower_hex(text)
        .ok_or_else(|| FormError::invalid("signature", "expected 128 lower-case hex digits"))
}

fn bytes(member: &str, text: &str) -> Result<Vec<u8>, FormError> {
    // Upper case is refused, because it would be a second text of the same bytes.
    let is_lower = !text.bytes().any(|b| b.is_ascii_uppercase());
    hex::decode(text)
        .ok()
        .filter(|_| is_lower)
        .ok_or_else(|| FormError::invalid(member, "expected lower-case hex"))
}

/// Whether `proof` is this credential's signature over `digest`. Everything that people and their
/// programs sign is verified by this rule. It does not check whether the credential is in force.
#[must_use]
pub fn verify(credential: &Credential, digest: &Digest, proof: &Proof) -> bool {
    let decode = |bytes: &[u8; 32]| ed25519_dalek::VerifyingKey::from_bytes(bytes).ok();
    verify_with(credential, digest, proof, decode)
}

/// [`verify`] with a decoder of Ed25519 keys that may remember what it decoded.
#[must_use]
pub fn verify_with(
    credential: &Credential,
    digest: &Digest,
    proof: &Proof,
    ed25519_key: impl FnOnce(&[u8; 32]) -> Option<ed25519_dalek::VerifyingKey>,
) -> bool {
    match (&credential.key, &credential.web, proof) {
        (PublicKey::Ed25519(key), None, Proof::Ed25519(signature)) => {
            ed25519_key(key).is_some_and(|key| signed::verify_with(&key, digest, signature))
        }
        (PublicKey::P256(key), None, Proof::P256(signature)) => Signature::from_slice(signature)
            .is_ok_and(|signature| verify_p256(key, &digest.0, &signature)),
        (PublicKey::P256(key), Some(web), Proof::WebAuthn(assertion)) => {
            webauthn::verify(key, web, digest, assertion)
        }
        // Each key has one form of proof: an authenticator does not sign a bare digest, and a key
        // outside of one cannot prove an origin or a person's presence.
        (_, _, Proof::Ed25519(_) | Proof::P256(_) | Proof::WebAuthn(_)) => false,
    }
}

/// ECDSA over P-256 with SHA-256 of `message` (FIPS 186-5 §6.4.2). Both s and n − s are accepted,
/// because authenticators and hardware modules produce either.
#[expect(
    clippy::disallowed_methods,
    reason = "the strict rule is Ed25519's; ECDSA over P-256 has one way to verify"
)]
fn verify_p256(key: &[u8; 33], message: &[u8], signature: &Signature) -> bool {
    VerifyingKey::from_sec1_bytes(key).is_ok_and(|key| key.verify(message, signature).is_ok())
}
