//! The entries that take part, and sets of them.

use std::fmt;

use crate::log::Log;

/// One kind of entry is one value: no entry is appended twice. Inputs are X, Y, Z and V.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Entry {
    /// Intent 1 authorized with attempt 1, which spends X and Y; its anchor is X.
    Authorize1 = 1,
    /// Later attempt of intent 1: spends X and Z.
    AttemptXZ = 2,
    /// Later attempt of intent 1: spends Y and V.
    AttemptYV = 3,
    /// Later attempt of intent 1: spends Z only, so it has nothing in common with attempt 1.
    AttemptZ = 4,
    /// Intent 2 authorized with attempt 1; the limit fits one of intents 1 and 2.
    Authorize2 = 5,
    /// The client cancels intent 1.
    Cancel1 = 6,
    /// An approver of intent 1 is revoked.
    Revoke = 7,
    /// Nothing is paid any more.
    Stop = 8,
    /// The witness set changes.
    WitnessSet = 9,
    /// A looser policy is proposed.
    Propose = 10,
    /// The proposal is vetoed.
    Veto = 11,
    /// Positive release of the proposal by the committee.
    Release = 12,
    /// Intent 3 authorized, which only the looser policy allows.
    Authorize3 = 13,
    /// A refresh of the key is approved by the committee.
    CeremonyApproved = 14,
    /// The refresh is finished, with every signer's certificate; the old epoch ends.
    CeremonyFinished = 15,
    /// "Intent 1 was replaced by its own cancel transaction": evidence that the chain service forged.
    SettledForged = 16,
    /// Another attempt 1 of intent 1, which spends Z: an equivocating writer shows it to others.
    Authorize1Z = 17,
    /// The old entry that once enrolled the revoked approver, its admin's signatures still valid.
    EnrolReplayed = 18,
}

impl Entry {
    /// Every entry, in the order of the codes.
    pub const ALL: [Entry; 18] = [
        Self::Authorize1,
        Self::AttemptXZ,
        Self::AttemptYV,
        Self::AttemptZ,
        Self::Authorize2,
        Self::Cancel1,
        Self::Revoke,
        Self::Stop,
        Self::WitnessSet,
        Self::Propose,
        Self::Veto,
        Self::Release,
        Self::Authorize3,
        Self::CeremonyApproved,
        Self::CeremonyFinished,
        Self::SettledForged,
        Self::Authorize1Z,
        Self::EnrolReplayed,
    ];

    /// Attempts of intent 1.
    pub const INTENT_1: [Entry; 5] = [
        Self::Authorize1,
        Self::Authorize1Z,
        Self::AttemptXZ,
        Self::AttemptYV,
        Self::AttemptZ,
    ];

    /// Entries that forbid shares. The end of a refresh is one: it forbids those of the old epoch.
    pub const TIGHTENINGS: [Entry; 4] = [
        Self::Cancel1,
        Self::Revoke,
        Self::Stop,
        Self::CeremonyFinished,
    ];

    /// Tightenings that people can hand to a witness directly.
    pub const HANDED: [Entry; 3] = [Self::Cancel1, Self::Revoke, Self::Stop];

    /// Place among [`Self::TIGHTENINGS`].
    pub fn tightening_index(self) -> Option<usize> {
        Self::TIGHTENINGS.iter().position(|entry| *entry == self)
    }

    /// Inputs that this attempt spends, as bits from X; none for what is not an attempt.
    pub fn inputs(self) -> u8 {
        match self {
            Self::Authorize1 => 0b0011,
            Self::AttemptXZ => 0b0101,
            Self::AttemptYV => 0b1010,
            Self::AttemptZ | Self::Authorize1Z => 0b0100,
            _ => 0,
        }
    }

    /// The lowest input, which attempt 1 names as the intent's anchor.
    pub fn anchor(self) -> u8 {
        1 << self.inputs().trailing_zeros()
    }

    /// Intent that this attempt pays, from 1; `None` for what is not an attempt.
    pub fn intent(self) -> Option<u8> {
        match self {
            Self::Authorize2 => Some(2),
            Self::Authorize3 => Some(3),
            _ => Self::INTENT_1.contains(&self).then_some(1),
        }
    }

    fn label(self) -> &'static str {
        match self {
            Self::Authorize1 => "authorized 1 with attempt {X,Y}",
            Self::AttemptXZ => "attempt {X,Z}",
            Self::AttemptYV => "attempt {Y,V}",
            Self::AttemptZ => "attempt {Z}",
            Self::Authorize2 => "authorized 2",
            Self::Cancel1 => "cancelled 1",
            Self::Revoke => "revoked",
            Self::Stop => "stopped",
            Self::WitnessSet => "witness set",
            Self::Propose => "looser proposed",
            Self::Veto => "vetoed",
            Self::Release => "released",
            Self::Authorize3 => "authorized 3 (looser)",
            Self::CeremonyApproved => "ceremony approved",
            Self::CeremonyFinished => "ceremony finished",
            Self::SettledForged => "settled (forged)",
            Self::Authorize1Z => "authorized 1 with attempt {Z}",
            Self::EnrolReplayed => "enrolled (replayed)",
        }
    }
}

impl From<Entry> for u8 {
    fn from(entry: Entry) -> u8 {
        entry as u8
    }
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.label())
    }
}

/// A log in a trace.
pub struct Shown(pub Log);

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let entry = |code: u8| Entry::ALL.iter().find(|entry| u8::from(**entry) == code);
        let labels: Vec<&str> = self
            .0
            .codes()
            .filter_map(entry)
            .map(|entry| entry.label())
            .collect();
        write!(f, "[{}]", labels.join(", "))
    }
}

/// Entries, one bit each.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct EntrySet(u32);

impl EntrySet {
    /// The set without an entry.
    pub const NONE: EntrySet = EntrySet(0);

    /// Is this entry in the set?
    pub fn has(self, entry: Entry) -> bool {
        self.0 >> u8::from(entry) & 1 == 1
    }

    /// Puts an entry into the set.
    pub fn insert(&mut self, entry: Entry) {
        self.0 |= 1 << u8::from(entry);
    }

    /// Has the set no entry?
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The entries of either set.
    pub fn or(self, other: EntrySet) -> EntrySet {
        EntrySet(self.0 | other.0)
    }

    /// The entries of both sets.
    pub fn and(self, other: EntrySet) -> EntrySet {
        EntrySet(self.0 & other.0)
    }

    /// The entries, in the order of their codes.
    pub fn entries(self) -> impl Iterator<Item = Entry> {
        Entry::ALL.into_iter().filter(move |entry| self.has(*entry))
    }
}
