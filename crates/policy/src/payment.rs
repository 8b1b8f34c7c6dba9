//! Content of an intent that the policy reads, small enough for the journal to keep while the intent
//! is open.

use crate::condition::Kind;
use borsh::{BorshDeserialize, BorshSerialize};
use std::collections::BTreeSet;
use strongroom_types::{
    AssetId, ChainId, CredentialId, Destination, Intent, IntentKind, MinorUnits, VaultId,
};

/// A payment as the policy sees it. The policy may judge it again hours after its authorization, so
/// it holds everything that a guard or a condition reads of the intent.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub struct Payment {
    /// Kind of the intent, in the words of the table.
    pub kind: Kind,
    /// Vault that pays.
    pub vault: VaultId,
    /// Credential that signed the intent.
    pub initiator: CredentialId,
    /// Chain of every transfer, CAIP-2.
    pub chain: ChainId,
    /// Assets that it moves, ascending, distinct.
    pub assets: Vec<AssetId>,
    /// Number of transfers.
    pub transfers: u32,
    /// Sum of all transfers, base units; `None` when it exceeds 256 bits.
    pub amount: Option<MinorUnits>,
    /// Fee cap of the intent over all of its attempts, base units of the chain's native asset.
    pub fee_max: MinorUnits,
    /// Addresses and vaults that it pays, ascending, distinct.
    pub destinations: Vec<Destination>,
}

impl From<&Intent> for Payment {
    fn from(intent: &Intent) -> Self {
        let transfers = intent.transfers();
        let assets: BTreeSet<&AssetId> = transfers.iter().map(|t| &t.asset).collect();
        let destinations: BTreeSet<&Destination> =
            transfers.iter().map(|t| &t.destination).collect();

        Self {
            kind: match intent.kind {
                IntentKind::Transfer(_) => Kind::Transfer,
            },
            vault: intent.vault,
            initiator: intent.initiator,
            chain: intent.chain.clone(),
            assets: assets.into_iter().cloned().collect(),
            transfers: u32::try_from(transfers.len()).unwrap_or(u32::MAX),
            amount: intent.total(),
            fee_max: intent.fee_max,
            destinations: destinations.into_iter().cloned().collect(),
        }
    }
}
