//! The records that the state holds, in borsh.

mod coins;

pub use coins::{HeldRecord, HolderRecord};

use borsh::{BorshDeserialize, BorshSerialize};
use strongroom_policy::{Payment, Terms};
use strongroom_types::charter::Board;
use strongroom_types::{
    AllowListEntry, AllowListId, AttemptKind, CeremonyPlan, ChainId, Code, ConflictKey, Credential,
    CredentialId, Digest, Group, GroupId, MinorUnits, Name, RegistryRecord, Scope, TenantId,
    UnixMs, UserId, Vault, VaultId,
};

/// Next position and last time of the journal.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, BorshSerialize, BorshDeserialize)]
pub struct JournalEnd {
    /// Position of the next entry.
    pub next_seq: u64,
    /// Time of the last entry.
    pub last_at: UnixMs,
}

/// A time that has not come and never comes by itself.
pub const NEVER: UnixMs = UnixMs(u64::MAX);
/// Most items that wait at a time: what one `witnessed` entry has to settle.
pub const WAITING_MAX: usize = 256;

/// Items that wait until witnesses have vouched for their entries.
#[derive(Clone, PartialEq, Eq, Debug, Default, BorshSerialize, BorshDeserialize)]
pub struct WaitingRecord {
    /// Size of the newest checkpoint that a `witnessed` entry carried.
    pub witnessed: u64,
    /// Waiting items in the order of their positions, at most [`WAITING_MAX`].
    pub items: Vec<WaitingItem>,
}

/// One waiting item, with the place of its entry.
#[derive(Clone, Copy, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub struct WaitingItem {
    /// Position of its entry.
    pub seq: u64,
    /// Journal time of its entry.
    pub at: UnixMs,
    /// Record that gets its witnessed time.
    pub of: WaitingOf,
}

/// Kinds of waiting items.
#[derive(Clone, Copy, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
#[borsh(use_discriminant = true)]
#[repr(u8)]
pub enum WaitingOf {
    /// A proposal: its delay has not begun.
    Proposal(TenantId, Digest) = 0,
    /// The act that waits in a scope's own record ([`WaitingAct`]).
    Act(Scope) = 1,
    /// An authorization with a time lock.
    Lock(TenantId, Digest) = 2,
    /// An admin's pause: it acts, but the time of "once" has not begun.
    Pause(TenantId, UserId) = 3,
    /// The creation of a tenant: its first allow-list entries have no age yet.
    Tenant(TenantId) = 4,
    /// A proposal of the platform: its delay has not begun.
    PlatformProposal(Digest) = 5,
}

/// An act that takes effect when its entry is witnessed, unless it is void by then.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub struct WaitingAct {
    /// Digest of the act's text.
    pub digest: Digest,
    /// Scope version that the act left behind. Any other makes it void.
    pub version: u64,
    /// End of the act's life.
    pub expires: UnixMs,
    /// Change that is made when the entry is witnessed.
    pub effect: WaitingChange,
}

/// Change of a waiting act.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
#[borsh(use_discriminant = true)]
#[repr(u8)]
pub enum WaitingChange {
    /// Puts the proposal of this act in force.
    Release(Digest) = 0,
    /// Undoes a stop.
    Resume = 1,
    /// Creates a vault.
    Vault(Vault) = 2,
}

/// Standing of a used act.
#[derive(Clone, Copy, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
#[borsh(use_discriminant = true)]
#[repr(u8)]
pub enum ActStanding {
    /// Its change was made.
    InForce = 0,
    // The act stays used in each of these: else a release could be replayed until it fits.
    /// A proposal that no release in force or waiting names.
    Proposed = 1,
    /// Waits until its entry is witnessed; also of a proposal whose release does.
    Released = 2,
    /// Could no longer take effect when its entry was witnessed.
    Void = 3,
    /// A proposal that was vetoed, or whose time has passed.
    Ended = 4,
}

/// The platform's own sub-state.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub struct PlatformRecord {
    /// Version of the scope, raised by each act that changes it.
    pub version: u64,
    /// Set by a stop, cleared by a resume.
    pub stopped: bool,
    /// Signers in quarantine.
    pub quarantined: Vec<u16>,
    /// Act that takes effect when its entry is witnessed.
    pub waiting: Option<WaitingAct>,
    /// Board for tenants, stop, resume, quarantine and its own members.
    pub admins: Board,
}

impl Default for PlatformRecord {
    /// The record before entry 0, with a board that no signatures meet.
    fn default() -> Self {
        Self {
            version: 0,
            stopped: false,
            quarantined: Vec::new(),
            waiting: None,
            // The default fails closed: a quorum of 0 would be met without any signature.
            admins: Board {
                members: Vec::new(),
                quorum: u32::MAX,
            },
        }
    }
}

/// A change of the platform's registry that waits for its release.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub struct PlatformProposal {
    /// Digest of the act that proposes it.
    pub act: Digest,
    /// Record, delay and end of the proposal.
    pub proposal: ProposalRecord,
}

/// Boards, delays and counters of a tenant.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub struct TenantRecord {
    /// Name that people are shown.
    pub name: Name,
    /// Version of the scope, raised by each act that changes it.
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
    pub pauses: Vec<AdminPause>,
    /// Witnessed time of its creation; none until then.
    pub witnessed_at: Option<UnixMs>,
    /// Act that takes effect when its entry is witnessed.
    pub waiting: Option<WaitingAct>,
    /// Entries of a minute of journal time, tightenings excepted.
    pub minute: MinuteCount,
    /// Bytes of these entries.
    pub minute_bytes: u64,
    /// Intents that have neither ended nor expired.
    pub intents_open: u32,
    /// Proposals that are open.
    pub proposals_open: u32,
}

/// Entries counted in one minute of journal time.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, BorshSerialize, BorshDeserialize)]
pub struct MinuteCount {
    /// Journal time divided by 60 000.
    pub minute: u64,
    /// Entries so far.
    pub entries: u32,
}

impl MinuteCount {
    /// The count at a time: 0 entries when the last ones were of an earlier minute.
    #[must_use]
    pub const fn at(self, time: UnixMs) -> Self {
        let minute = time.0 / 60_000;
        if self.minute == minute {
            return self;
        }
        Self { minute, entries: 0 }
    }
}

/// The pause by which an admin has used up "once in 24 h".
#[derive(Clone, Copy, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub struct AdminPause {
    /// Admin who signed it.
    pub admin: UserId,
    /// Witnessed time of its entry, from which the 4 and 24 hours count; none until then.
    pub witnessed_at: Option<UnixMs>,
}

/// A human of a scope, in force or revoked.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub struct UserRecord {
    /// Name that people are shown.
    pub name: Name,
    // A revoked user is kept: under an id that is free again, old approvals would count for another
    // user.
    /// Set by a revocation, never cleared.
    pub revoked: bool,
    // The number is kept here, so that a board's quorum is judged without a walk over all
    // credentials.
    /// Number of their credentials in force that count on a board.
    pub board_keys: u32,
    /// Number of open intents that they asked for.
    pub intents_open: u32,
}

/// A credential of a scope, in force or revoked.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub struct CredentialRecord {
    /// The registered credential.
    pub credential: Credential,
    /// Set by a revocation, never cleared.
    pub revoked: bool,
    // Tightenings are charged to the credential and not to its user: a stolen program key must not
    // use up the room in which its owner pauses and revokes.
    /// Tightenings charged to it in a minute of journal time.
    pub tightenings: MinuteCount,
    /// Number of records charged to it that its cancels and noes have left.
    pub kept: u32,
}

/// An allow-list entry in force.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub struct ListedRecord {
    /// The registered entry.
    pub entry: AllowListEntry,
    /// Witnessed time of its release; none for an entry of the charter, which is as old as its
    /// tenant.
    pub since: Option<UnixMs>,
    // A removed entry is kept: admins alone must not lead a payment past the rule for listed
    // addresses.
    /// Taken off the list by admins, until the committee lists its address again.
    pub removed: bool,
}

/// A group of a tenant, with those who left it.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub struct GroupRecord {
    /// The registered group, without those who left.
    pub group: Group,
    // Those who left are kept, as removed addresses are: a removal must not lead a payment past the
    // rule for members.
    /// Taken out by admins since the committee released the group, ascending.
    pub left: Vec<UserId>,
}

/// A proposal that waits for its release.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub struct ProposalRecord {
    /// Record that its release puts in force.
    pub record: RegistryRecord,
    /// Time between witnessed proposal and release, milliseconds.
    pub delay_ms: u64,
    /// Witnessed time of its entry, from which the delay counts; none until then.
    pub witnessed_at: Option<UnixMs>,
}

/// A vault of a tenant, with its pause.
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
    /// Journal time from which its ceremony cannot finish any more: the witnessed time of its
    /// release, and the life that genesis gives a ceremony.
    pub until: UnixMs,
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
    /// Transcript hash of the ceremony, which every signer certified.
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
    /// End of the approval's own life, journal and clock time.
    pub expires: UnixMs,
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
    /// Rejected by a member of a group that the policy names.
    Rejected = 2,
}

impl IntentStanding {
    /// Code with which the intent ended; `None` while it may still be paid.
    #[must_use]
    pub const fn ended(self) -> Option<Code> {
        match self {
            Self::Authorized => None,
            Self::Cancelled => Some(Code::IntentCancelled),
            Self::Rejected => Some(Code::IntentRejected),
        }
    }
}

/// An authorized intent, until it is forgotten.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub struct IntentRecord {
    /// Position of the entry that holds its text.
    pub seq: u64,
    /// Client's id of the payment, used up with it.
    pub external_id: Name,
    /// Authorized, cancelled or rejected.
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
    /// Time lock of the decision, milliseconds; 0 for none.
    pub lock_ms: u64,
    /// No share before this clock time; [`NEVER`] until a lock's entry is witnessed.
    pub locked_until: UnixMs,
    // Without this field, payments whose locks end in one second could each count in a window of
    // their own.
    /// No share unless the spend counts from this time on: 0 without a lock, [`NEVER`] until that is
    /// witnessed, then the witnessed time, or the end of the lock if the windows had no room.
    pub counts_from: UnixMs,
    /// The conflict key every attempt contains.
    pub anchor: ConflictKey,
    /// Fee cap of the whole life.
    pub fee_max: MinorUnits,
    /// Most attempts of the intent, replacements included.
    pub attempts_max: u32,
    /// The windows it counts in, to move it when a further attempt opens.
    pub spend: Spend,
    /// Attempts so far, ascending.
    pub attempts: Vec<AttemptRecord>,
}

impl IntentRecord {
    /// Whether it counts in its windows no longer before [`Self::counts_from`] than honest clocks
    /// differ. Only then does a limit hold of the time in which shares leave: nothing else ties the
    /// stamp of a locked payment to a clock.
    #[must_use]
    pub const fn is_counted_in_time(&self, skew_ms: u64) -> bool {
        // A cosignature's second counts to its end.
        let latest = self.spend.at.plus(skew_ms).plus(1_000);
        self.counts_from.0 <= latest.0
    }
}

/// The part of an authorized intent that is needed only while it can still pay: kept until it ends
/// or expires.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub struct OpenIntentRecord {
    /// Content that the policy reads, to be asked again.
    pub payment: Payment,
    /// Policy that authorized it.
    pub policy: Digest,
    /// Rule of that policy.
    pub rule: String,
    /// Obligations that were met.
    pub met: Terms,
}

/// Amounts of an intent in velocity windows.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub struct Spend {
    /// (asset, worst case) pairs; the fee cap is in the native asset's.
    pub amounts: Vec<(strongroom_types::AssetId, MinorUnits)>,
    /// Journal time under which it is counted: that of the last attempt that pays.
    pub at: UnixMs,
}

/// A bucket of a velocity window.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, BorshSerialize, BorshDeserialize)]
pub struct Bucket {
    /// Worst-case sum, in base units of its asset.
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
