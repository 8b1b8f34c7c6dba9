//! One-round signing from prepared nonce commitments: RFC 9591 §5, with its first round done ahead.
//!
//! - RFC 9591 §5.1: a signer publishes commitments ahead ([`KeyShare::prepare`]).
//! - RFC 9591 §5.2: a coordinator picks a quorum and sends one [`SigningPackage`] per signature;
//!   each signer answers with one [`SignatureShare`] ([`KeyShare::sign`]).
//! - RFC 9591 §5.3: the coordinator aggregates ([`PublicKeys::aggregate`]), and on failure finds
//!   the wrong shares (§5.4).
//!
//! Nonces live in memory only and are consumed by value: a nonce that signs more than one
//! package reveals the signing share (RFC 9591 §7.3).

mod aggregate;
mod children;
mod fault;
mod key_share;
mod package;
mod stock;

pub use aggregate::{AggregateFault, PublicKeys};
pub use fault::{PrepareFault, SignFault};
pub use key_share::KeyShare;
pub use package::{Commitment, PackageFault, SignatureShare, SigningPackage};
pub use strongroom_types::Tweak;

/// Largest number of unused nonces per key share (about 300 bytes each).
pub const NONCES_MAX: usize = 16_384;
/// Number of answered packages that a key share keeps for retries; older ones are refused, never
/// computed again.
pub const ANSWERS_MAX: usize = 4_096;
/// Number of child keys that are cached per key, so that a repeated path costs no curve arithmetic.
pub const CHILD_KEYS_MAX: usize = 1_024;
/// Longest message in bytes; Taproot and transaction digests are 32.
pub const MESSAGE_LEN_MAX: usize = 64 * 1024;
