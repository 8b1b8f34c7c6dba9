//! The key protector port in software, for development: AES-256-GCM under a key in a file of mode
//! 0600.
//!
//! Blob: `01 ‖ nonce (12 bytes) ‖ ciphertext ‖ tag (16 bytes)` (NIST SP 800-38D, random nonces: 2³²
//! wraps per key at most, far above what a development node does).

mod file;
mod protector;

pub use protector::{SoftwareKeyError, SoftwareKeyProtector};
