//! Keys and paths of vaults, and the registry that a codec may ask.

use borsh::{BorshDeserialize, BorshSerialize};
use strongroom_types::{Suite, VaultId};

/// Source of a vault's addresses: the key's group public key and chain code, and the
/// vault's account.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub struct VaultKey {
    /// Scheme of the key.
    pub suite: Suite,
    /// Group public key: 33 bytes compressed (secp256k1) or 32 bytes (Ed25519).
    pub public_key: Vec<u8>,
    /// BIP-32 chain code, 32 bytes.
    pub chain_code: [u8; 32],
    /// Account index of the vault, not hardened, below `ACCOUNT_INDEX_MAX`.
    pub account: u32,
}

/// A branch and index below a vault's account: receive is branch 0, change is branch 1.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, BorshSerialize, BorshDeserialize)]
pub struct OwnPath {
    /// Branch: 0 for receive, 1 for change.
    pub change: u32,
    /// Address index, below `ADDRESS_INDEX_MAX`.
    pub index: u32,
}

/// The quorum-signed records of one tenant that a codec needs to read transactions, in one view of
/// the journal. Nothing in it comes from the network.
pub trait Registry {
    /// Key of a vault of this tenant, once its ceremony has finished; `None` for any other id.
    fn vault_key(&self, vault: VaultId) -> Option<VaultKey>;
}

/// A registry without records. A transaction that needs one is refused.
#[derive(Clone, Copy, Debug)]
pub struct NoRegistry;

impl Registry for NoRegistry {
    fn vault_key(&self, _: VaultId) -> Option<VaultKey> {
        None
    }
}
