//! Protection of key shares at rest.

use zeroize::Zeroizing;

/// Wraps and unwraps secrets under a key that never leaves the protector (software provider in
/// development, PKCS#11 in production). Contract: a secret that was wrapped under one `aad` unwraps
/// under exactly that `aad`; any flipped bit of blob or `aad` is [`KeyProtectorError::Integrity`];
/// two wraps of one secret give different blobs.
pub trait KeyProtector: Send + Sync {
    /// Encrypts `secret` and binds it to `aad`. Each provider has its own blob layout.
    fn wrap(&self, aad: &[u8], secret: &[u8]) -> Result<Vec<u8>, KeyProtectorError>;
    /// Decrypts a blob made by [`Self::wrap`] with the same `aad`.
    fn unwrap(&self, aad: &[u8], blob: &[u8]) -> Result<Zeroizing<Vec<u8>>, KeyProtectorError>;
}

/// Errors of a protector. They never contain secret bytes.
#[derive(Debug, thiserror::Error)]
pub enum KeyProtectorError {
    /// The blob or its associated data was changed, or belongs to another key.
    #[error("the protected blob failed its integrity check")]
    Integrity,
    /// The provider is unavailable.
    #[error("key protector unavailable: {0}")]
    Unavailable(String),
}
