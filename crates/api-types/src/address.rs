//! Addresses and their proofs.

use crate::text::{ChainIdText, DigestText, Hex, VaultIdText};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// One address of a vault, with everything a client needs to derive it itself.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct AddressInfo {
    /// Account number of the vault below its key.
    pub account: u32,
    /// The address in the chain's one canonical form.
    pub address: String,
    /// 0 receive, 1 change.
    pub branch: u32,
    /// Chain of the address, CAIP-2.
    pub chain: ChainIdText,
    /// Chain code of the key (BIP-32).
    pub chain_code: Hex,
    /// Group public key: 33 bytes compressed (secp256k1) or 32 bytes (Ed25519).
    pub group_key: Hex,
    /// Index below the branch.
    pub index: u32,
    /// Proof of the vault; `null` while a part of it is not witnessed.
    #[schema(required)]
    pub proof: Option<AddressProof>,
    /// Transcript of the key's ceremony.
    pub transcript: DigestText,
    /// Vault that the address belongs to.
    pub vault: VaultIdText,
}

/// The entries that made a vault's tenant, its key and itself. It says *registered at*, never "in
/// force now".
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct AddressProof {
    /// The end of the key's ceremony.
    pub key: EntryWithProof,
    /// Journal time of the vault's entry, Unix milliseconds.
    pub registered_at_ms: u64,
    /// The act that created the tenant.
    pub tenant: EntryWithProof,
    /// The act that created the vault.
    pub vault: EntryWithProof,
}

/// An entry of the journal and its inclusion proof; nothing of it is verified yet.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct EntryWithProof {
    /// Proof text (C2SP tlog-proof) under a witnessed checkpoint.
    pub proof: String,
    /// Borsh of the sealed entry.
    pub sealed: Hex,
    /// Position of the entry.
    pub seq: u64,
}
