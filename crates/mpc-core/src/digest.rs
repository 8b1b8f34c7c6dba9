//! The project's digest rule: SHA-256 over a length-prefixed domain tag and length-prefixed fields.

use sha2::{Digest as _, Sha256};

/// `SHA-256(u32be(len(domain)) ‖ domain ‖ Σ u32be(len(field)) ‖ field)`; injective in (domain,
/// fields).
pub(crate) fn digest(domain: &str, fields: &[&[u8]]) -> [u8; 32] {
    let mut hash = Sha256::new();
    // Each field is preceded by its length; otherwise a byte that moves from one field to the next
    // would keep the digest.
    for bytes in std::iter::once(&domain.as_bytes()).chain(fields) {
        hash.update(u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_be_bytes());
        hash.update(bytes);
    }

    hash.finalize().into()
}
