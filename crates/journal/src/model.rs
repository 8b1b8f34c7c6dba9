//! The records that the state holds, in borsh.

use borsh::{BorshDeserialize, BorshSerialize};
use strongroom_types::charter::Board;
use strongroom_types::{
    AllowListEntry, AllowListId, AttemptKind, CeremonyPlan, ChainId, ConflictKey, Credential,
    CredentialId, Digest, GroupId, MinorUnits, Name, RegistryRecord, UnixMs, UserId, VaultId,
};

/// Next position and last time of the journal.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, BorshSerialize, BorshDeserialize)]
pub struct JournalEnd {
    /// Position of the next entry.
    pub next_seq: u64,
    /// Time of the last entry.
    pub last_at: UnixMs,
}

/// The platform's own sub-state.
#[derive(Clone, PartialEq, Eq, Debug, Default, BorshSerialize, BorshDeserialize)]
pub struct PlatformRecord {
    /// Scope version.
    pub version: u64,
    /// Set by a stop, cleared by a resume.
    pub stopped: bool,
    /// Signers in quarantine.
    pub quarantined: Vec<u16>,
}

/// A tenant.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub struct TenantRecord {
    /// Shown name.
    pub name: Name,
    /// Scope version.
    pub version: u64,
    /// Board for vaults, revocations, stop and resume.
    pub admins: Board,
    /// Board for policy, loosenings and ceremonies.
    pub committee: Board,
    /// Digest of the policy in force.
    pub policy: Digest,
    /// Delay of a loosening.
    pub loosen_delay_ms: u64,
    /// Delay of a ceremony.
    pub ceremony_delay_ms: u64,
    /// Set by a stop, cleared by a resume.
    pub stopped: bool,
    /// End of the pause, journal and clock time; 0 when never paused.
    pub paused_until: UnixMs,
    /// Last pause of each admin (once in 24 h).
    pub pauses: Vec<(UserId, UnixMs)>,
    /// Minute of the quota counter, and entries in it.
    pub minute: (u64, u32),
    /// Intents that are open.
    pub intents_open: u32,
    /// Proposals that are open.
    pub proposals_open: u32,
}

/// A user.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub struct UserRecord {
    /// Shown name.
    pub name: Name,
    /// Set by a revocation, never cleared.
    pub revoked: bool,
}

/// A credential.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub struct CredentialRecord {
    /// The registered credential.
    pub credential: Credential,
    /// Set by a revocation, never cleared.
    pub revoked: bool,
}

/// An allow-list entry in force.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub struct ListedRecord {
    /// The registered entry.
    pub entry: AllowListEntry,
    /// In force since.
    pub since: UnixMs,
}

/// A proposal that waits for its release.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub struct ProposalRecord {
    /// Record that its release puts in force.
    pub record: RegistryRecord,
    /// Releasable from this journal time.
    pub from: UnixMs,
    /// Not releasable at or after this journal time.
    pub until: UnixMs,
}

/// A vault.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub struct VaultRecord {
    /// The registered vault.
    pub vault: strongroom_types::Vault,
    /// End of the pause, journal and clock time; 0 when never paused.
    pub paused_until: UnixMs,
}

/// A key or the ceremony that makes it.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub struct KeyRecord {
    /// Plan as released by the committee.
    pub plan: CeremonyPlan,
    /// Ceremony session, derived from the releasing act.
    pub session: Digest,
    /// Generation of the shares.
    pub epoch: u32,
    /// Public result, once finished.
    pub public: Option<PublicKey>,
    /// Set by a revocation: the key signs nothing any more.
    pub revoked: bool,
}

/// The public result of a ceremony, as certified.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub struct PublicKey {
    /// Group public key in the suite's encoding.
    pub group_key: Vec<u8>,
    /// BIP-32 chain code of the group key, 32 bytes.
    pub chain_code: [u8; 32],
    /// The whole public key record of `mpc_core` (verifying shares included).
    pub record: Vec<u8>,
    /// Transcript hash.
    pub transcript: Digest,
}

/// An approval an intent relies on.
#[derive(Clone, Copy, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub struct ReliedApproval {
    /// Credential that signed.
    pub credential: CredentialId,
    /// Human behind the credential.
    pub user: UserId,
    /// Group in which it counts.
    pub group: GroupId,
}

/// One attempt as the state remembers it.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub struct AttemptRecord {
    /// Number from 1.
    pub number: u32,
    /// Pays, bumps, returns the anchor, or spends an output of its parent.
    pub kind: AttemptKind,
    /// Number of the parent; none but for a child.
    pub parent: Option<u32>,
    /// Position of its entry.
    pub seq: u64,
    /// Journal time of its entry.
    pub at: UnixMs,
    /// Digest of the unsigned transaction.
    pub unsigned_digest: Digest,
    /// Largest fee it can cost.
    pub fee_max: MinorUnits,
}

/// Standing of an intent in the journal.
#[derive(Clone, Copy, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
#[borsh(use_discriminant = true)]
#[repr(u8)]
pub enum IntentStanding {
    /// In the journal with its decision and approvals; its attempts may be signed.
    Authorized = 0,
    /// Cancelled by its client or the admins.
    Cancelled = 1,
}

/// An intent.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub struct IntentRecord {
    /// Position of the entry that holds its text.
    pub seq: u64,
    /// Authorized or cancelled.
    pub standing: IntentStanding,
    /// The vault that pays.
    pub vault: VaultId,
    /// Chain on which it pays, CAIP-2.
    pub chain: ChainId,
    /// Credential that asked.
    pub initiator: CredentialId,
    /// Human behind that credential.
    pub initiator_user: UserId,
    /// End of the intent's life, journal and clock time.
    pub expires: UnixMs,
    /// Approvals relied on.
    pub approvals: Vec<ReliedApproval>,
    /// Allow-list entries relied on.
    pub allow_list: Vec<AllowListId>,
    /// No share before this journal and clock time.
    pub locked_until: UnixMs,
    /// The conflict key every attempt contains.
    pub anchor: ConflictKey,
    /// Fee cap of the whole life.
    pub fee_max: MinorUnits,
    /// Most attempts.
    pub attempts_max: u32,
    /// The windows it counts in, to move it when a further attempt opens.
    pub spend: Spend,
    /// Attempts so far, ascending.
    pub attempts: Vec<AttemptRecord>,
}

/// Amounts of an intent in velocity windows.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub struct Spend {
    /// (asset, worst case) pairs; the fee cap is in the native asset's.
    pub amounts: Vec<(strongroom_types::AssetId, MinorUnits)>,
    /// Journal time under which it is counted: the last attempt's.
    pub at: UnixMs,
}

/// A bucket of a velocity window.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, BorshSerialize, BorshDeserialize)]
pub struct Bucket {
    /// Worst-case sum.
    pub amount: MinorUnits,
    /// Number of intents.
    pub count: u64,
}

/// An intent that ended before it was authorized.
#[derive(Clone, PartialEq, Eq, Debug, Default, BorshSerialize, BorshDeserialize)]
pub struct EndedRecord {
    /// Cancelled by these humans: final if one of them is the initiator.
    pub by: Vec<UserId>,
    /// Cancelled by the admins: final.
    pub by_all: bool,
    /// An approver said no: final.
    pub rejected: bool,
    /// Time after which it is forgotten.
    pub until: UnixMs,
}
