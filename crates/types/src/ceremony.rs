//! Names and digests of a ceremony, on which signers, journal, coordinator and clients must agree
//! to the bit.

use crate::digest::{Digest, digest};
use crate::id::{KeyId, TenantId};

/// Key identifier in the records of the signing protocol: tenant ‖ key, 32 bytes.
#[must_use]
pub fn key_name(tenant: TenantId, key: KeyId) -> Vec<u8> {
    [tenant.0, key.0].concat()
}

/// Digest that each signer of a ceremony signs with its envelope key once its share is durable:
/// over transcript and public result.
#[must_use]
pub fn certificate_digest(transcript: &Digest, public: &[u8]) -> Digest {
    digest("strongroom/ceremony-result/v1", &[&transcript.0, public])
}
