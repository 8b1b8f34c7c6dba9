//! The words in which a plan is written down: intents, acts of people, single faults.

use crate::kinds::{Hostile, NodeName, WritePoint};

/// How people answer an intent that asks for approval.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Answers {
    /// One approver says yes.
    Yes,
    /// One approver says no.
    No,
    /// No approver answers: it expires.
    Silence,
    /// The initiator's own human approves, which does not count.
    Own,
    /// An approver says yes and is revoked at about the same time.
    YesAndRevoked,
    /// As [`Self::Yes`], valid for so many milliseconds.
    YesFor(u64),
}

/// Where an intent pays to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Payee {
    /// An address on the allow-list.
    Friend,
    /// An address on no list.
    Stranger,
    /// The vault that people created last beside the first one; a stranger before there is one.
    Vault,
    /// The vault that people asked for last, whether the journal has it or not.
    NewVault,
}

/// One intent of the workload.
#[derive(Clone, Copy, Debug)]
pub struct PlannedIntent {
    /// Creation, milliseconds after the vault is ready.
    pub at_ms: u64,
    /// Amount, satoshi.
    pub amount: u64,
    /// Life, milliseconds.
    pub life_ms: u64,
    /// Where it pays to.
    pub to: Payee,
    /// Whether the vault that people asked for last pays, and not the first one.
    pub from_new: bool,
    /// The approver who asks for it in the initiator's place, if one does.
    pub by_approver: Option<usize>,
    /// How people answer.
    pub answers: Answers,
    /// The initiator cancels it this long after its creation, milliseconds.
    pub cancel_after_ms: Option<u64>,
}

/// An act of people who decide.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PlannedAct {
    /// Revokes an approver's credential.
    RevokeApprover(usize),
    /// Revokes an approver as a person, with every credential.
    RevokePerson(usize),
    /// Takes an approver out of the approving group.
    LeaveGroup(usize),
    /// Revokes the initiator's credential: no intent is paid after it.
    RevokeInitiator,
    /// Stops the tenant.
    Stop,
    /// Ends the stop.
    Resume,
    /// Pauses the vault for so many milliseconds.
    Pause(u64),
    /// Pauses the whole tenant for so many milliseconds.
    PauseAll(u64),
    /// Takes the friend's address off the allow-list.
    Unlist,
    /// Proposes the friend's address for the allow-list again.
    List,
    /// The platform's admins stop every tenant.
    PlatformStop,
    /// They end that stop.
    PlatformResume,
    /// Proposes a looser policy.
    LooserPolicy,
    /// Proposes a policy by which what asks one approver asks no one, if an approver asks for it.
    ApproversPolicy,
    /// Puts a policy in force, at once, that allows no payment above [`crate::plan::TIGHTER_MOST`].
    TighterPolicy,
    /// Releases the newest proposal, by an act that lives so many milliseconds; asked for too early
    /// it is asked for again.
    Release(u64),
    /// A committee member vetoes the newest proposal.
    Veto,
    /// Creates one more vault, of the tenant's newest key.
    NewVault,
    /// Proposes the ceremony of one more key.
    NewKey,
    /// The committee revokes the newest of these further keys.
    RevokeKey,
    /// The platform puts the signer with this roster index in quarantine.
    Quarantine(u16),
    /// The platform proposes a second credential of its admin.
    NewAdminKey,
    /// The platform releases that proposal, by an act that lives so many milliseconds.
    ReleaseAdminKey(u64),
    /// The platform's admin vetoes it.
    VetoAdminKey,
    /// The platform proposes a record by the second credential of its admin alone.
    UseAdminKey,
    /// The admins cancel the n-th intent.
    Cancel(usize),
    /// An approver says no to the intent of this number.
    Reject(usize),
}

impl PlannedAct {
    /// Whether it makes something stricter, and so waits for nothing.
    #[must_use]
    pub const fn is_tightening(self) -> bool {
        match self {
            Self::RevokeApprover(_)
            | Self::RevokePerson(_)
            | Self::Unlist
            | Self::LeaveGroup(_)
            | Self::RevokeInitiator
            | Self::Stop
            | Self::PlatformStop
            | Self::Pause(_)
            | Self::PauseAll(_)
            | Self::Veto
            | Self::Cancel(_)
            | Self::Reject(_)
            | Self::RevokeKey
            | Self::Quarantine(_)
            | Self::VetoAdminKey => true,
            Self::Resume
            | Self::PlatformResume
            | Self::LooserPolicy
            | Self::ApproversPolicy
            | Self::TighterPolicy
            | Self::Release(_)
            | Self::List
            | Self::NewVault
            | Self::NewKey
            | Self::NewAdminKey
            | Self::ReleaseAdminKey(_)
            | Self::UseAdminKey => false,
        }
    }

    /// Whether it is an act of the platform's scope.
    #[must_use]
    pub const fn is_of_platform(self) -> bool {
        matches!(
            self,
            Self::PlatformStop
                | Self::PlatformResume
                | Self::Quarantine(_)
                | Self::NewAdminKey
                | Self::ReleaseAdminKey(_)
                | Self::VetoAdminKey
                | Self::UseAdminKey
        )
    }

    /// Whether acts that were signed before it are void by it.
    #[must_use]
    pub const fn changes_version(self) -> bool {
        match self {
            Self::Pause(_)
            | Self::PauseAll(_)
            | Self::Veto
            | Self::Cancel(_)
            | Self::Reject(_)
            | Self::VetoAdminKey => false,
            Self::RevokeApprover(_)
            | Self::RevokePerson(_)
            | Self::Unlist
            | Self::List
            | Self::LeaveGroup(_)
            | Self::RevokeInitiator
            | Self::Stop
            | Self::Resume
            | Self::PlatformStop
            | Self::PlatformResume
            | Self::LooserPolicy
            | Self::ApproversPolicy
            | Self::TighterPolicy
            | Self::Release(_)
            | Self::NewVault
            | Self::NewKey
            | Self::RevokeKey
            | Self::Quarantine(_)
            | Self::NewAdminKey
            | Self::ReleaseAdminKey(_)
            | Self::UseAdminKey => true,
        }
    }
}

/// A second tenant with a key, a vault and people of its own.
#[derive(Clone, Default, Debug)]
pub struct OtherTenant {
    /// Its intents.
    pub intents: Vec<PlannedIntent>,
    /// Acts of its admins, by time after both vaults are ready.
    pub acts: Vec<(u64, PlannedAct)>,
}

/// What a hostile writer does from now on, each for so many milliseconds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Move {
    /// It stamps entries with the oldest time that it can.
    BackDate(u64),
    /// It stamps each entry so many milliseconds (the first number) after the one before, while that
    /// is in the past.
    Spread(u64, u64),
    /// It stamps entries as far ahead as witnesses take.
    RunAhead(u64),
    /// It appends nothing.
    Quiet(u64),
    /// It makes no `witnessed` entry.
    HoldWitnessed(u64),
    /// It uses the latest cosignature of each witness.
    LateCosignatures(u64),
    /// A hostile witness vouches for the time so many seconds from then (the first number).
    Lie(i64, u64),
    /// It leaves tightenings out.
    Withhold(u64),
}

impl Move {
    /// Kind, duration in milliseconds, and a number: the lie of a witness in seconds, the time
    /// between two stamps in milliseconds.
    pub(crate) const fn parts(self) -> (Hostile, u64, i64) {
        match self {
            Self::BackDate(ms) => (Hostile::BackDate, ms, 0),
            Self::Spread(step_ms, ms) => (Hostile::BackDate, ms, step_ms.cast_signed()),
            Self::RunAhead(ms) => (Hostile::RunAhead, ms, 0),
            Self::Quiet(ms) => (Hostile::GoQuiet, ms, 0),
            Self::HoldWitnessed(ms) => (Hostile::HoldWitnessed, ms, 0),
            Self::LateCosignatures(ms) => (Hostile::LateCosignatures, ms, 0),
            Self::Lie(seconds, ms) => (Hostile::LyingWitness, ms, seconds),
            Self::Withhold(ms) => (Hostile::WithholdTightening, ms, 0),
        }
    }
}

/// A guard of the installation that is missing, to see that its property is watched.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Sabotage {
    /// The boot marker is kept beside the database, so a backup puts it back too.
    MarkerWithDisk,
    /// A writer whose database was put back orders on.
    WriterOrdersOn,
    /// The API forgets what it accepted.
    ForgetfulApi,
}

/// Topics of the journal.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stream {
    /// The entries.
    Entries,
    /// The cosignatures of all witnesses.
    Cosignatures,
}

/// A fault of one node, or one act of a hostile part.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Chaos {
    /// It reaches no other node for so many milliseconds.
    Partition(NodeName, u64),
    /// It sees nothing of the journal for so many milliseconds (signers and the witness).
    HideJournal(NodeName, u64),
    /// The bus gives it nothing of these topics for so many milliseconds.
    Hide(NodeName, Stream, u64),
    /// Records of the entries topic that are sent within so many milliseconds arrive only after
    /// them.
    HoldEntries(u64),
    /// Its process dies and starts again after so many milliseconds.
    Kill(NodeName, u64),
    /// Its disk is full for so many milliseconds.
    DiskFull(NodeName, u64),
    /// A copy of its disk is kept.
    Snapshot(NodeName),
    /// The copy is put in place of the disk.
    Restore(NodeName),
    /// Its database and its marker are lost together (signers and the witness).
    Lose(NodeName),
    /// Its clock jumps to this honest offset, milliseconds.
    ClockJump(NodeName, i64),
    /// Its clock is wrong by the first number for the second, both milliseconds.
    ClockOff(NodeName, i64, u64),
    /// Its operator stops a signer for so many milliseconds.
    LocalStop(NodeName, u64),
    /// A signer or the witness is shown another line in place of its own without its last so many
    /// entries.
    Fork(NodeName, u64),
    /// Its operator lifts its freeze, naming the evidence, and starts it again.
    Unfreeze(NodeName),
    /// A hostile part acts once.
    Act(Hostile),
    /// The writer is hostile for a while.
    Writer(Move),
}

/// A process's death at one write point of one of its starts, whatever the rates are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Death {
    /// The process.
    pub node: NodeName,
    /// Number of the start, from 1; a start that ends before the process runs counts too.
    pub start: u64,
    /// Where it dies.
    pub point: WritePoint,
    /// How often the start passes this point up to the death, from 1.
    pub pass: u64,
}

/// The end of a fault that lasts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Repair {
    /// The clock is right again.
    Clock(NodeName),
    /// The operator resumes a signer.
    LocalStop(NodeName),
}
