//! The two ports of a chain: the pure codec that signers link, and the gateway to its network.

use borsh::{BorshDeserialize, BorshSerialize};
use strongroom_types::{
    AssetId, AttemptKind, ChainId, Code, ConflictKey, Intent, MinorUnits, Refusal, Suite, VaultId,
};

/// What addresses of a vault derive from: the key's group public key and chain code, and the
/// vault's account.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub struct VaultKey {
    /// Scheme of the key.
    pub suite: Suite,
    /// Group public key: 33 bytes compressed (secp256k1) or 32 bytes (Ed25519).
    pub public_key: Vec<u8>,
    /// BIP-32 chain code.
    pub chain_code: [u8; 32],
    /// The vault's account index.
    pub account: u32,
}

/// Finds the key of another vault of the same tenant (internal destinations).
pub trait VaultKeys {
    /// The key of that vault, or `None` when it is not a vault of this tenant.
    fn vault_key(&self, vault: VaultId) -> Option<VaultKey>;
}

/// A branch and index below a vault's account: receive is branch 0, change is branch 1.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, BorshSerialize, BorshDeserialize)]
pub struct OwnPath {
    /// 0 receive, 1 change.
    pub change: u32,
    /// Address index, below `ADDRESS_INDEX_MAX`.
    pub index: u32,
}

/// Facts about a codec.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Manifest {
    /// The one network this codec instance reads.
    pub chain: ChainId,
    /// The asset fees are paid in.
    pub native: AssetId,
    /// Name and version of the decoder, part of every decision core, e.g. `bitcoin/1`.
    pub decoder: &'static str,
}

/// Value that leaves the vault's own addresses.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, BorshSerialize, BorshDeserialize)]
pub struct Move {
    /// What.
    pub asset: AssetId,
    /// To which address (canonical text).
    pub to: String,
    /// How much.
    pub amount: MinorUnits,
}

/// What an intent will do, as shown to approvers before a transaction exists: moves in ascending
/// order.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Effects {
    /// Every payment.
    pub moves: Vec<Move>,
}

/// One signature a transaction needs.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub struct Slot {
    /// Scheme.
    pub suite: Suite,
    /// Full non-hardened derivation path from the group key.
    pub path: Vec<u32>,
    /// Whether the child key gets the BIP-341 tweak without script tree.
    pub taproot_tweak: bool,
    /// What is signed: a 32-byte digest, or a raw message for Ed25519.
    pub message: Vec<u8>,
}

/// What an unsigned transaction will really do, from a strict canonical decode.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Inspection {
    /// Value to addresses that are not the paying vault's own change, ascending.
    pub moves: Vec<Move>,
    /// Value that returns to the paying vault, each output derived and compared.
    pub returned: MinorUnits,
    /// The fee, or the most it can be.
    pub fee: MinorUnits,
    /// Everything it spends, ascending.
    pub conflicts: Vec<ConflictKey>,
    /// The signatures it needs.
    pub slots: Vec<Slot>,
}

/// A spendable output of the vault.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub struct OwnCoin {
    /// The chain's name for it (`txid:vout`).
    pub key: ConflictKey,
    /// Base units.
    pub amount: MinorUnits,
    /// Which own address holds it.
    pub path: OwnPath,
}

/// What a codec needs to build a transaction.
pub struct BuildRequest<'a> {
    /// What must be paid.
    pub effects: &'a Effects,
    /// Who pays.
    pub vault: &'a VaultKey,
    /// Confirmed, unreserved coins.
    pub coins: &'a [OwnCoin],
    /// Coin that must be spent (the anchor of an intent with earlier attempts).
    pub anchor: Option<&'a ConflictKey>,
    /// Fee rate, base units per 1 000 units of size (Bitcoin: satoshi per 1 000 virtual bytes).
    pub fee_rate: u64,
    /// Most fee this transaction may pay.
    pub fee_max: MinorUnits,
    /// Where change goes.
    pub change: OwnPath,
    /// The chain's current height (anti-fee-sniping lock time).
    pub height: u32,
}

/// A built transaction.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Built {
    /// The unsigned transaction in the codec's own encoding; its digest is what the attempt names.
    pub unsigned: Vec<u8>,
    /// The conflict key proposed as anchor.
    pub anchor: ConflictKey,
    /// Everything it spends, ascending.
    pub conflicts: Vec<ConflictKey>,
    /// Its fee.
    pub fee: MinorUnits,
}

/// A chain's pure side: deterministic, object-safe, no I/O. Everything it is given is hostile.
pub trait ChainCodec: Send + Sync {
    /// Which network, asset and decoder this is.
    fn manifest(&self) -> &Manifest;

    /// Refuses text that is not an address of this network in its one canonical form.
    fn parse_address(&self, text: &str) -> Result<(), Refusal>;

    /// The vault's own address at a path.
    fn derive_address(&self, vault: &VaultKey, path: OwnPath) -> Result<String, Refusal>;

    /// What the intent will do.
    fn expected(&self, intent: &Intent, vaults: &dyn VaultKeys) -> Result<Effects, Refusal>;

    /// Builds the unsigned transaction that pays the effects.
    fn build(&self, request: &BuildRequest<'_>) -> Result<Built, Refusal>;

    /// Builds a replacement of `previous` that spends its anchor: the same payments with a higher
    /// fee, or everything back to the vault. Adds no recipient.
    fn replace(
        &self,
        kind: AttemptKind,
        previous: &[u8],
        request: &BuildRequest<'_>,
    ) -> Result<Built, Refusal>;

    /// Decodes strictly and says what the transaction does; every claimed own input and output is
    /// derived.
    fn inspect(&self, unsigned: &[u8], vault: &VaultKey) -> Result<Inspection, Refusal>;

    /// Puts the signatures (one a slot, in order) into the transaction and verifies each by an
    /// independent path. Gives the network bytes.
    fn assemble(
        &self,
        unsigned: &[u8],
        signatures: &[Vec<u8>],
        vault: &VaultKey,
    ) -> Result<Vec<u8>, Refusal>;

    /// The network's name of a signed transaction.
    fn transaction_id(&self, signed: &[u8]) -> Result<String, Refusal>;
}

/// The chain-independent rule every signer enforces: the transaction does what the intent says, no
/// more and no less, within the attempt's declared fee.
pub fn within(
    expected: &Effects,
    kind: AttemptKind,
    inspection: &Inspection,
    fee_max: MinorUnits,
) -> Result<(), Refusal> {
    let nothing = Effects { moves: Vec::new() };
    let wanted = match kind {
        AttemptKind::Pay | AttemptKind::Bump => expected,
        AttemptKind::Cancel => &nothing,
    };
    if inspection.moves != wanted.moves {
        let detail = format!(
            "expected {} payments, found {}",
            wanted.moves.len(),
            inspection.moves.len()
        );
        return Err(Refusal::new(Code::EffectsMismatch, detail));
    }
    if inspection.fee > fee_max {
        let detail = format!("fee {} above the attempt's {fee_max}", inspection.fee);
        return Err(Refusal::new(Code::FeeCapExceeded, detail));
    }
    Ok(())
}

/// A coin as the network reports it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ChainCoin {
    /// The chain's name for it.
    pub key: ConflictKey,
    /// Base units.
    pub amount: MinorUnits,
    /// The address that holds it.
    pub address: String,
    /// Confirmations; 0 is never final.
    pub confirmations: u32,
}

/// What the network said to a broadcast.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Broadcast {
    /// Taken.
    Accepted,
    /// Taken before.
    AlreadyKnown,
    /// Refused, with the network's reason.
    Rejected(String),
}

/// Where a transaction stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Standing {
    /// Not known to the network.
    Unknown,
    /// Waiting for a block.
    Pending,
    /// In a block, with so many confirmations.
    Confirmed(u32),
}

/// Why the network could not answer. Never carries credentials.
#[derive(Debug, thiserror::Error)]
pub enum GatewayError {
    /// Try again.
    #[error("chain node unavailable: {0}")]
    Unavailable(String),
    /// The answer makes no sense.
    #[error("chain node answered nonsense: {0}")]
    Malformed(String),
}

/// A chain's network side: untrusted I/O, only in the transactions service. Every answer is
/// hostile.
pub trait ChainGateway: Send + Sync {
    /// Unspent coins of these addresses.
    fn coins(&self, addresses: &[String]) -> Result<Vec<ChainCoin>, GatewayError>;

    /// Fee rate for the next blocks, base units per 1 000 units of size.
    fn fee_rate(&self) -> Result<u64, GatewayError>;

    /// Current height.
    fn height(&self) -> Result<u32, GatewayError>;

    /// Offers network bytes.
    fn broadcast(&self, signed: &[u8]) -> Result<Broadcast, GatewayError>;

    /// Where a transaction stands.
    fn standing(&self, transaction_id: &str) -> Result<Standing, GatewayError>;
}
