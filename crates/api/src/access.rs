//! Bearer keys: only their SHA-256 is kept.

use sha2::{Digest as _, Sha256};
use strongroom_types::TenantId;

/// A bearer key and the tenant that it may reach.
#[derive(Clone, Debug)]
pub struct AccessKey {
    /// SHA-256 of the key's text.
    pub hash: [u8; 32],
    /// Tenant whose data it reaches; none: the platform's operators (tenant creation, all tenants).
    pub tenant: Option<TenantId>,
}

/// SHA-256 of a bearer key's text.
#[must_use]
pub fn hash_key(text: &str) -> [u8; 32] {
    Sha256::digest(text.as_bytes()).into()
}

/// All bearer keys. A key authenticates transport only: what it reaches is still only what policy
/// allows.
#[derive(Clone, Debug, Default)]
pub struct Keyring(pub Vec<AccessKey>);

impl Keyring {
    /// Access of a presented `Authorization` header. Hashes are compared, so timing shows nothing
    /// of a key.
    pub(crate) fn who(&self, authorization: Option<&str>) -> Option<Access> {
        let presented = hash_key(authorization?.strip_prefix("Bearer ")?);
        self.0
            .iter()
            .find(|key| key.hash == presented)
            .map(|key| Access { tenant: key.tenant })
    }
}

/// Reach of one request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Access {
    pub(crate) tenant: Option<TenantId>,
}

impl Access {
    /// Whether this tenant's data is in reach.
    pub(crate) fn reaches(self, tenant: TenantId) -> bool {
        self.tenant.is_none_or(|own| own == tenant)
    }
}
