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
    /// Whether the address is on the allow-list.
    pub known: bool,
    /// How people answer.
    pub answers: Answers,
    /// The initiator cancels it this long after its creation, milliseconds.
    pub cancel_after_ms: Option<u64>,
}

/// An act of an admin.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PlannedAct {
    /// Revokes an approver's credential.
    RevokeApprover(usize),
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
    /// Proposes a looser policy that is never released.
    LooserPolicy,
    /// The admins cancel the n-th intent.
    Cancel(usize),
    /// An approver says no to the intent of this number.
    Reject(usize),
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
    /// Its clock jumps to this honest offset, milliseconds.
    ClockJump(NodeName, i64),
    /// Its clock is wrong by the first number for the second, both milliseconds.
    ClockOff(NodeName, i64, u64),
    /// Its operator stops a signer for so many milliseconds.
    LocalStop(NodeName, u64),
    /// A hostile part acts once.
    Act(Hostile),
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
