//! Verifier and signer key strings of C2SP signed-note, for key types 0x01 (note) and 0x04
//! (cosignature).

use std::fmt;

use ed25519_dalek::{Signer, SigningKey, VerifyingKey};
use sha2::{Digest, Sha256};
use strongroom_guard::{G, guard};
use thiserror::Error;

use crate::text;

/// Longest key name, in bytes.
pub const NAME_LEN_MAX: usize = 255;
const SIGNER_PREFIX: &str = "PRIVATE+KEY+";

/// Reason to refuse a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum KeyError {
    /// The name is empty, too long, or has a space, a plus or a control character.
    #[error("key name is not valid")]
    Name,
    /// The text is not `<name>+<8 hex digits>+<base64>`, or not the canonical spelling of that key.
    #[error("key string is malformed")]
    Malformed,
    /// The type byte is not the one expected here.
    #[error("key has another type")]
    WrongType,
    /// The bytes are not a point, or one of small order.
    #[error("not an acceptable Ed25519 public key")]
    BadPoint,
}

/// Whether this is a name of a note key: non-empty, at most [`NAME_LEN_MAX`] bytes, no Unicode
/// space, no `+`, no control character.
pub(crate) fn name_is_valid(name: &str) -> bool {
    let bad = |c: char| c.is_whitespace() || c == '+' || c < ' ';
    !name.is_empty() && name.len() <= NAME_LEN_MAX && !name.contains(bad)
}

/// First four bytes of SHA-256(name ‖ `\n` ‖ kind ‖ public key), big-endian (C2SP signed-note).
fn key_id(name: &str, kind: u8, public: &VerifyingKey) -> u32 {
    let digest = Sha256::new()
        .chain_update(name)
        .chain_update([b'\n', kind])
        .chain_update(public)
        .finalize();
    digest.first_chunk().map_or(0, |id| u32::from_be_bytes(*id))
}

/// A named Ed25519 public key of type `KIND`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verifier<const KIND: u8> {
    name: String,
    id: u32,
    key: VerifyingKey,
}

impl<const KIND: u8> Verifier<KIND> {
    /// Checks a name and the 32 bytes of an Ed25519 public key.
    ///
    /// # Errors
    /// `Name`; `BadPoint` if the bytes are not a point or one of small order.
    pub fn new(name: &str, public: &[u8; 32]) -> Result<Self, KeyError> {
        if !name_is_valid(name) {
            return Err(KeyError::Name);
        }

        // A key of small order is refused: under it, one signature verifies for many messages.
        let key = VerifyingKey::from_bytes(public).map_err(|_| KeyError::BadPoint)?;
        if guard(G::StrictEd25519, key.is_weak()) {
            return Err(KeyError::BadPoint);
        }

        Ok(Self {
            name: name.to_owned(),
            id: key_id(name, KIND, &key),
            key,
        })
    }

    /// Reads `<name>+<key id, 8 lower-case hex digits>+<base64(KIND ‖ public key)>`.
    ///
    /// # Errors
    /// [`KeyError`]; a key id that does not belong to the name and key is `Malformed`.
    pub fn parse(vkey: &str) -> Result<Self, KeyError> {
        let (name, public) = parse_key_string::<KIND>(vkey)?;
        let verifier = Self::new(name, &public)?;

        // The key is written again and compared. This checks the key id, and accepts only one
        // string per key.
        if verifier.to_vkey() == vkey {
            Ok(verifier)
        } else {
            Err(KeyError::Malformed)
        }
    }

    /// C2SP verifier key string.
    #[must_use]
    pub fn to_vkey(&self) -> String {
        let mut bytes = vec![KIND];
        bytes.extend_from_slice(self.key.as_bytes());
        format!("{}+{:08x}+{}", self.name, self.id, text::base64(&bytes))
    }

    /// Name that signature lines carry.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// First four bytes of SHA-256(name ‖ `\n` ‖ KIND ‖ public key), big-endian.
    #[must_use]
    pub const fn key_id(&self) -> u32 {
        self.id
    }

    /// Ed25519 public key, 32 bytes.
    #[must_use]
    pub fn public_key(&self) -> &[u8; 32] {
        self.key.as_bytes()
    }

    /// Strict Ed25519 verification (RFC 8032 §5.1.7; canonical encodings, no small order).
    pub(crate) fn accepts(&self, message: &[u8], signature: &[u8; 64]) -> bool {
        strongroom_ed25519::verify(&self.key, message, signature)
    }
}

/// A named Ed25519 signing key of type `KIND`; zeroised on drop.
pub struct SecretKey<const KIND: u8> {
    key: SigningKey,
    verifier: Verifier<KIND>,
}

impl<const KIND: u8> SecretKey<KIND> {
    /// Makes a key from a name and a 32-byte Ed25519 seed (RFC 8032 private key).
    ///
    /// # Errors
    /// `Name` if the name is not valid.
    pub fn new(name: &str, seed: &[u8; 32]) -> Result<Self, KeyError> {
        let key = SigningKey::from_bytes(seed);
        let verifier = Verifier::new(name, key.verifying_key().as_bytes())?;
        Ok(Self { key, verifier })
    }

    /// Reads `PRIVATE+KEY+<name>+<key id>+<base64(KIND ‖ seed)>`, as Go's `sumdb/note` writes it.
    ///
    /// # Errors
    /// [`KeyError`]; a key id that does not belong to the name and key is `Malformed`.
    pub fn parse(skey: &str) -> Result<Self, KeyError> {
        let rest = skey
            .strip_prefix(SIGNER_PREFIX)
            .ok_or(KeyError::Malformed)?;
        let (name, seed) = parse_key_string::<KIND>(rest)?;

        let secret = Self::new(name, &seed)?;

        // A wrong key id shows that name and seed belong to different keys, for instance by a
        // copying error in a configuration.
        let head = format!("{name}+{:08x}+", secret.verifier.id);
        if rest.starts_with(&head) {
            Ok(secret)
        } else {
            Err(KeyError::Malformed)
        }
    }

    /// Public half of the key.
    #[must_use]
    pub const fn verifier(&self) -> &Verifier<KIND> {
        &self.verifier
    }

    pub(crate) fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.key.sign(message).to_bytes()
    }
}

impl<const KIND: u8> fmt::Debug for SecretKey<KIND> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretKey {}(..)", self.verifier.name)
    }
}

/// Splits `<name>+<hex>+<base64(kind ‖ 32 bytes)>`; the caller checks the hex part.
fn parse_key_string<const KIND: u8>(text: &str) -> Result<(&str, [u8; 32]), KeyError> {
    let mut parts = text.splitn(3, '+');
    let (Some(name), Some(_id), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
        return Err(KeyError::Malformed);
    };

    let bytes = text::from_base64_exact::<33>(key).ok_or(KeyError::Malformed)?;

    // The type is part of the key, so that a witness's key is never used to sign as a log.
    let [kind, key @ ..] = bytes;
    if kind == KIND {
        Ok((name, key))
    } else {
        Err(KeyError::WrongType)
    }
}
