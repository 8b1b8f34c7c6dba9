//! Tenants, keys and vaults, as the server's replica of the journal has them.

use crate::text::{DigestText, KeyIdText, SuiteText, TenantIdText, VaultIdText};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A tenant.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct TenantInfo {
    /// The tenant.
    pub id: TenantIdText,
    /// Its threshold keys.
    pub keys: Vec<KeyInfo>,
    /// Its name.
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

/// A policy.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct PolicyInfo {
    /// Digest of the text.
    pub digest: DigestText,
    /// The policy, byte for byte.
    #[schema(required)]
    pub text: Option<String>,
}

/// A threshold key.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct KeyInfo {
    /// Generation of its shares.
    pub epoch: u32,
    /// The key.
    pub id: KeyIdText,
    /// Number of signers that a signature needs.
    pub min_signers: u16,
    /// Indexes of the signers that hold a share.
    pub roster: Vec<u16>,
    /// Whether it can sign.
    pub state: KeyState,
    /// Its signature scheme.
    pub suite: SuiteText,
}

/// Whether a key can sign.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum KeyState {
    /// Its ceremony has not finished.
    Generating,
    /// It signs.
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
    /// The vault.
    pub id: VaultIdText,
    /// The key it spends by.
    pub key: KeyIdText,
    /// Its name.
    pub name: String,
    /// Nothing new is signed before, Unix milliseconds; 0 = not paused.
    pub paused_until_ms: u64,
    /// Its tags, which rules of the policy may name.
    pub tags: Vec<String>,
    /// Its tenant.
    pub tenant: TenantIdText,
}
