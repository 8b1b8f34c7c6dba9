//! Names and digests of a ceremony, which signers, journal, coordinator and clients must compute
//! bit for bit alike.

use crate::digest::{Digest, digest};
use crate::id::{KeyId, TenantId};

/// Key identifier in the records of the signing protocol: tenant ‖ key, 32 bytes.
#[must_use]
pub fn key_name(tenant: TenantId, key: KeyId) -> Vec<u8> {
    [tenant.0, key.0].concat()
}

/// Digest of transcript and public result. Each signer of a ceremony signs it with its envelope key
/// when its share is durable.
#[must_use]
pub fn certificate_digest(transcript: &Digest, public: &[u8]) -> Digest {
    digest("strongroom/ceremony-result/v1", &[&transcript.0, public])
}
