//! Tenants, keys and vaults, as the server's replica of the journal has them.

use crate::text::{DigestText, KeyIdText, SuiteText, TenantIdText, VaultIdText};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A tenant with its keys and its policy in force.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct TenantInfo {
    /// Id, named by the act that created the tenant.
    pub id: TenantIdText,
    /// Its threshold keys.
    pub keys: Vec<KeyInfo>,
    /// Name of the institution, from its charter.
    pub name: String,
    /// Nothing new is signed before, Unix milliseconds; 0 = not paused.
    pub paused_until_ms: u64,
    /// Its policy in force.
    pub policy: PolicyInfo,
    /// Whether its admins have stopped it.
    pub stopped: bool,
    /// Version of its scope, which the next act must name.
    pub version: u64,
}

/// A policy in force.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct PolicyInfo {
    /// Digest of the text.
    pub digest: DigestText,
    /// Canonical text of `strongroom/policy/v1`, byte for byte.
    #[schema(required)]
    pub text: Option<String>,
}

/// A threshold key.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct KeyInfo {
    /// Generation of its shares, from 1.
    pub epoch: u32,
    /// Id, named by the act that proposed the ceremony.
    pub id: KeyIdText,
    /// Number of signers that a signature needs.
    pub min_signers: u16,
    /// Indexes of the signers that hold a share.
    pub roster: Vec<u16>,
    /// Whether it can sign.
    pub state: KeyState,
    /// Signature scheme: `frost-secp256k1-tr`, `frost-secp256k1` or `frost-ed25519`.
    pub suite: SuiteText,
}

/// Whether a key can sign.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum KeyState {
    /// Its ceremony has not finished.
    Generating,
    /// Its ceremony can finish no more: its life is over, or a signer of its roster is in
    /// quarantine. The committee asks for another key.
    Ended,
    /// All its signers have certified it, and it signs.
    Active,
    /// It signs nothing any more.
    Revoked,
}

impl KeyState {
    /// Name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Generating => "generating",
            Self::Ended => "ended",
            Self::Active => "active",
            Self::Revoked => "revoked",
        }
    }
}

/// A vault.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct VaultInfo {
    /// Account number below its key.
    pub account: u32,
    /// Id, unique in the tenant.
    pub id: VaultIdText,
    /// The key it spends by.
    pub key: KeyIdText,
    /// Name shown to people.
    pub name: String,
    /// Nothing new is signed before, Unix milliseconds; 0 = not paused.
    pub paused_until_ms: u64,
    /// Its tags, which rules of the policy may name.
    pub tags: Vec<String>,
    /// Tenant that the vault belongs to.
    pub tenant: TenantIdText,
}
