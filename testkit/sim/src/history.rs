//! What happened, in the terms in which the properties speak. Plain data: a test can write one down
//! by hand.

use strongroom_types::{
    AllowListId, CredentialId, Digest, KeyId, Scope, TenantId, UserId, VaultId,
};

/// An intent as its authorization states it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Authorized {
    /// Digest of the intent's signed text.
    pub intent: Digest,
    /// Tenant whose limits and tightenings count for it.
    pub tenant: TenantId,
    /// Vaults that it uses, the one that pays first.
    pub vaults: Vec<VaultId>,
    /// Stamp of the entry, Unix milliseconds.
    pub at_ms: u64,
    /// Worst-case spend: amounts and fee cap, base units.
    pub spend: u64,
    /// Anchor of attempt 1.
    pub anchor: String,
    /// What it pays: (address, amount), sorted.
    pub pays: Vec<(String, u64)>,
    /// Keys of the tenant's own vaults that it pays into.
    pub into: Vec<KeyId>,
    /// Attempts so far, ascending.
    pub attempts: Vec<Attempted>,
    /// Time lock of the decision, milliseconds; 0 for none.
    pub lock_ms: u64,
    /// Credentials it relies on: the initiator's, the approvers'.
    pub credentials: Vec<CredentialId>,
    /// Humans it relies on.
    pub users: Vec<UserId>,
    /// Humans on whose membership in a group it relies: of those who approved, and of the initiator
    /// where the rule asks for one.
    pub members: Vec<UserId>,
    /// Entries of the allow-list on which it relies.
    pub listed: Vec<AllowListId>,
    /// Digest of the policy it was decided by.
    pub policy: Digest,
    /// Threshold key of the paying vault.
    pub key: KeyId,
    /// End of the approval that ends first, Unix milliseconds; the largest number without one.
    pub approved_until_ms: u64,
    /// Time at and after which no share leaves, Unix milliseconds.
    pub expires_ms: u64,
}

/// An attempt as its entry states it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Attempted {
    /// Number, from 1.
    pub number: u32,
    /// Digest of the unsigned transaction.
    pub unsigned: Digest,
    /// Whether it cancels: it pays no one, and is asked for when its intent has ended.
    pub is_cancel: bool,
    /// Stamp of the entry, Unix milliseconds.
    pub at_ms: u64,
}

/// What a tightening takes away.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Tightening {
    /// Everything that this credential signed.
    Credential(CredentialId),
    /// Everything that credentials of this human signed.
    User(UserId),
    /// What relies on a human's membership in a group; what they sign otherwise stays.
    Member(UserId),
    /// Every payment that relied on this entry of the allow-list.
    Listed(AllowListId),
    /// This intent: cancelled, or rejected by an approver.
    Cancel(Digest),
    /// Everything of the tenant, until a resume.
    Stop,
    /// Payments, until this time by each signer's own clock, Unix milliseconds.
    Pause(u64),
    /// A threshold key: it neither signs nor receives.
    Key(KeyId),
    /// The signer with this roster index, beside others too.
    Quarantine(u16),
    /// A proposal, by the digest of the act that made it.
    Veto(Digest),
    /// Payments above an amount, by a policy that is put in force at once.
    Policy {
        /// Digest of the policy, which decides payments from then on.
        policy: Digest,
        /// Most that one payment moves under it, base units.
        most: u64,
    },
}

impl Tightening {
    /// Whether it takes away what the authorization of this intent rests on.
    #[must_use]
    pub fn takes_from(&self, intent: &Authorized) -> bool {
        match self {
            Self::Credential(id) => intent.credentials.contains(id),
            Self::User(id) => intent.users.contains(id),
            Self::Member(id) => intent.members.contains(id),
            Self::Listed(id) => intent.listed.contains(id),
            Self::Cancel(_)
            | Self::Stop
            | Self::Pause(_)
            | Self::Key(_)
            | Self::Quarantine(_)
            | Self::Veto(_)
            | Self::Policy { .. } => false,
        }
    }

    /// Whether it forbids a share for this intent.
    #[must_use]
    pub fn forbids(&self, intent: &Authorized, share: &Share) -> bool {
        match self {
            Self::Credential(_) | Self::User(_) | Self::Member(_) | Self::Listed(_) => {
                self.takes_from(intent)
            }
            Self::Cancel(digest) => intent.intent == *digest,
            Self::Stop => true,
            // It ends by itself: a caller that knows the time asks.
            Self::Pause(_) => false,
            // Others may hold the key: it neither signs nor receives.
            Self::Key(key) => intent.key == *key || intent.into.contains(key),
            // With one hostile party in the package each share beside it is one too many.
            Self::Quarantine(index) => share.signer == *index || share.quorum.contains(index),
            // Forbids a loosening; judged at what relies on that.
            Self::Veto(_) => false,
            Self::Policy { most, .. } => {
                let amounts = intent.pays.iter().map(|(_, amount)| amount);
                amounts.sum::<u64>() > *most
            }
        }
    }

    /// Whether an act of its scope that waits to take effect is void by it: it was signed without
    /// knowing of it.
    #[must_use]
    pub const fn voids(&self) -> bool {
        match self {
            Self::Credential(_)
            | Self::User(_)
            | Self::Member(_)
            | Self::Listed(_)
            | Self::Stop
            | Self::Key(_)
            | Self::Quarantine(_)
            | Self::Policy { .. } => true,
            Self::Cancel(_) | Self::Pause(_) | Self::Veto(_) => false,
        }
    }
}

/// What an act makes laxer once witnesses have vouched for it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Loosening {
    /// The policy of this digest is in force.
    Policy(Digest),
    /// A ceremony may be run, by this roster.
    Ceremony(KeyId, Vec<u16>),
    /// A vault pays and receives.
    Vault(VaultId),
    /// A stop ends.
    Resume,
    /// A credential signs for the platform.
    AdminKey(CredentialId),
}

/// An act that waits until witnesses have vouched for it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Released {
    /// Effect that it has from its `witnessed` entry on.
    pub what: Loosening,
    /// The act that proposed it; none for a vault and a resume.
    pub proposal: Option<Digest>,
    /// Members of the deciding board who signed.
    pub signed: usize,
    /// End of the act's life, Unix milliseconds.
    pub expires_ms: u64,
}

/// What an entry of the journal means.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Fact {
    /// A payment with its first attempt.
    Authorized(Box<Authorized>),
    /// A further attempt.
    Attempt {
        /// Digest of the intent that it is for.
        intent: Digest,
        /// Number and transaction; its anchor is that of attempt 1.
        attempted: Attempted,
    },
    /// A tightening, with the digest of its act, by which a handed copy is known again.
    Tighten(Tightening, Digest),
    /// A loosening is proposed by this act: its delay begins when witnesses have seen it.
    Proposed(Digest),
    /// A loosening that waits for the witnesses.
    Released(Box<Released>),
    /// Witnesses vouch for everything below a size.
    Witnessed {
        /// Number of entries that they had seen.
        size: u64,
        /// Largest of the times that they give to it, Unix milliseconds.
        time_ms: u64,
    },
    /// A proposal of the platform that this further credential of its admin signed.
    ProposedBy(CredentialId),
    /// A key that a ceremony made, and how many of its roster certified it.
    Finished(KeyId, usize),
    /// An entry that no property is about, or a copy of one that was read before.
    Other,
}

/// A use of one nonce commitment.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NonceUse {
    /// Boot generation of the signer, which makes nonces of two processes distinct.
    pub boot: [u8; 16],
    /// Number of the nonce within the boot.
    pub number: u64,
    /// Everything that was signed with it.
    pub package: Digest,
    /// Signature share that it gave; the same again is a retry.
    pub share: Vec<u8>,
}

/// Signature shares that left a signer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Share {
    /// Roster index.
    pub signer: u16,
    /// Roster indexes of all whose commitments are in the package.
    pub quorum: Vec<u16>,
    /// Size of the head that it says it acted under, entries.
    pub head: u64,
    /// Digest of the request that it answers.
    pub request: Digest,
    /// Digest of the intent that the request names.
    pub intent: Digest,
    /// Digest of the unsigned transaction in the request.
    pub unsigned: Digest,
    /// The inputs it spends.
    pub conflicts: Vec<String>,
    /// What it pays to others: (address, amount), sorted.
    pub pays: Vec<(String, u64)>,
    /// Nonces that it used, one per slot.
    pub nonces: Vec<NonceUse>,
}

/// A cosignature as its witness made it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Cosigned {
    /// Seat, from 1.
    pub witness: u16,
    /// Number of entries that the checkpoint covers.
    pub size: u64,
    /// Digest of the checkpoint body.
    pub body: Digest,
    /// Date of the cosignature by the witness's own clock, Unix milliseconds. Freshness counts from
    /// it, so an old cosignature that is sent again states nothing new.
    pub dated_ms: u64,
}

/// One thing that the observer saw.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Observation {
    /// The writer published an entry.
    Entry {
        /// Position in the journal, from 0.
        seq: u64,
        /// Digest of its bytes: two of one position are a fork.
        bytes: Digest,
        /// Stamp of the writer, Unix milliseconds.
        at_ms: u64,
        /// Platform or tenant that it is about.
        scope: Scope,
        /// Meaning to the properties.
        fact: Fact,
    },
    /// The writer published a checkpoint.
    Head {
        /// Number of entries below it.
        size: u64,
        /// Digest of the checkpoint body.
        body: Digest,
    },
    /// A cosignature left its witness.
    Cosigned(Cosigned),
    /// A signer or witness started.
    Started {
        /// Number of its seat, from 1.
        seat: u16,
    },
    /// What a starting witness finds on its disk as cosigned last. It may never have left: the
    /// process can die between its commit and the first frame.
    Remembered {
        /// Number of its seat, from 1.
        seat: u16,
        /// Number of entries that the checkpoint covers.
        size: u64,
        /// Its date by the witness's clock then, Unix milliseconds.
        dated_ms: u64,
    },
    /// A disk was put back, while its process was down.
    Restored {
        /// Number of its seat, from 1.
        seat: u16,
    },
    /// A signer or witness was shown two trees of one size under the log's signature, and froze.
    Frozen {
        /// Number of its seat, from 1.
        seat: u16,
    },
    /// Its operator lifted the freeze by naming the evidence.
    Unfrozen {
        /// Number of its seat, from 1.
        seat: u16,
    },
    /// A witness accepted a tightening that was handed to it.
    Handed {
        /// Number of the witness's seat, from 1.
        seat: u16,
        /// Platform or tenant whose shares it forbids.
        scope: Scope,
        /// Digest of the act, by which it is found in the journal.
        act: Digest,
        /// Effect that is owed.
        what: Tightening,
        /// Who signed it: an act counts only the signatures that are still in force.
        by: Vec<(CredentialId, Option<UserId>)>,
        /// The witness's own clock when it took it, Unix milliseconds: the duty counts from here.
        own_ms: u64,
    },
    /// Shares left a signer.
    Shared(Box<Share>),
    /// Faults and attacks stopped for the rest of the history.
    Calm,
}
