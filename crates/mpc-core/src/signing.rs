//! One-round signing from prepared nonce commitments.
//!
//! A signer publishes commitments ahead ([`KeyShare::prepare`]); a coordinator picks a quorum and
//! sends one [`SigningPackage`] per signature; each signer answers with one [`SignatureShare`]
//! ([`KeyShare::sign`]); the coordinator aggregates ([`PublicKeys::aggregate`]). Nonces live in
//! memory only and are consumed by value.

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

/// Unused nonces a key share keeps at most (about 300 bytes each).
pub const NONCES_MAX: usize = 16_384;
/// Answered packages a key share remembers for retries; older ones are refused, never recomputed.
pub const ANSWERS_MAX: usize = 4_096;
/// Child keys kept ready per key, so that a repeated path costs no curve arithmetic.
pub const CHILD_KEYS_MAX: usize = 1_024;
/// Longest message in bytes; Taproot and transaction digests are 32.
pub const MESSAGE_LEN_MAX: usize = 64 * 1024;
