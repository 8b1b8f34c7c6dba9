//! State that the policy reads while it evaluates.

use strongroom_types::{
    AllowListId, AssetId, ChainId, CredentialId, GroupId, MinorUnits, Name, UnixMs, UserId, Vault,
    VaultId,
};

/// An allow-list entry in force for an address.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Listed {
    /// Id of the signed entry.
    pub id: AllowListId,
    /// Label that conditions can name.
    pub label: Name,
    /// Journal time of its release, from which it is in force.
    pub since: UnixMs,
}

/// Sum of one window.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Spent {
    /// Worst-case spend (amount + fee cap) of the authorized intents inside the window.
    pub amount: MinorUnits,
    /// Number of those intents.
    pub count: u64,
}

/// Payer whose spending a window sums; always of one asset, within the tenant of the intent.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum WindowScope {
    /// Intents that one vault pays.
    Vault(VaultId),
    /// All intents of the tenant.
    Tenant,
    /// Intents of one human by all their credentials, revoked ones included.
    Initiator(UserId),
}

/// Read-only view of one tenant's state at one journal position. Every answer must be a pure
/// function of that state, so that all replicas decide alike.
pub trait PolicyView {
    /// The vault, if it exists in this tenant.
    fn vault(&self, id: VaultId) -> Option<Vault>;

    /// Whether money sent to a vault of this tenant could be moved again: its key is generated and
    /// not revoked. False for a vault that does not exist.
    fn can_receive(&self, id: VaultId) -> bool;

    /// The human behind a credential that is in force.
    fn user_of(&self, credential: CredentialId) -> Option<UserId>;

    /// Whether the user is a member of the group now; false for a group that does not exist.
    fn in_group(&self, group: GroupId, user: UserId) -> bool;

    /// The allow-list entry in force for exactly this address text on this chain.
    fn allow_list(&self, chain: &ChainId, address: &str) -> Option<Listed>;

    /// Sum of the intents that were authorized within the `window_ms` before `at`, each with its
    /// worst-case spend and with its age counted from its last attempt that pays. The intent that
    /// is judged is not counted. `None` when the sum overflows or cannot be known; the payment is
    /// then blocked.
    fn spent(
        &self,
        scope: WindowScope,
        asset: &AssetId,
        window_ms: u64,
        at: UnixMs,
    ) -> Option<Spent>;
}
