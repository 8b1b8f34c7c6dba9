//! Threshold signing, sans-IO: distributed key generation, one-round signing and child keys.
//!
//! Nothing here reads a clock, a disk or a socket; randomness is an argument. A caller holds bytes
//! and a [`SuiteId`] and never sees a curve type.
//!
//! - [`dkg`]: [`dkg::DkgSession`] turns inputs into effects until all n signers certified one
//!   transcript.
//! - [`signing`]: [`signing::KeyShare`] prepares nonce commitments and answers signing packages;
//!   [`signing::PublicKeys`] aggregates the shares and names the signers of wrong ones.
//! - [`hd`]: child keys from plain bytes (BIP-32 non-hardened, BIP-341 output keys, a scheme of
//!   our own for Ed25519).
//! - [`record`]: the stored and the published form of a key.
//! - [`seal`]: HPKE (base mode, X-Wing) to one recipient.

mod bounded;
mod digest;
mod encoding;
mod step_error;

pub mod dkg;
pub mod hd;
pub mod record;
pub mod seal;
pub mod signing;
pub mod suite;
pub mod verify;

pub use encoding::NotCanonical;
pub use hd::ChildPath;
pub use record::{KeyShareRecord, PublicKeyRecord, RecordError};
pub use step_error::StepError;
pub use suite::SuiteId;
