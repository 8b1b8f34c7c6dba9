//! A prefix of the journal as one number, so that a state is small and its hash is quick.

/// Bits of one entry.
const BITS: u32 = 5;
/// The bits of the first entry.
const MASK: u64 = (1 << BITS) - 1;

/// Entries in order, five bits each with the first lowest, at most 12. An entry's code is from 1 to
/// 31, so the number alone says how many there are; the empty log is 0.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Log(u64);

impl Log {
    /// The log without an entry.
    pub const EMPTY: Log = Log(0);

    /// Number of entries.
    pub fn size(self) -> u32 {
        (u64::BITS - self.0.leading_zeros()).div_ceil(BITS)
    }

    /// Has this log no entry?
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// This log and one entry more.
    pub fn with(self, entry: impl Into<u8>) -> Log {
        Log(self.0 | u64::from(entry.into()) << (BITS * self.size()))
    }

    /// The first `size` entries; the whole log when it has fewer.
    pub fn prefix(self, size: u32) -> Log {
        Log(self.0 & ((1 << (BITS * size)) - 1))
    }

    /// Does `other` begin with this log? A log is a prefix of itself.
    pub fn is_prefix_of(self, other: Log) -> bool {
        self.size() <= other.size() && other.prefix(self.size()) == self
    }

    /// Does one of the two begin with the other?
    pub fn is_in_line_with(self, other: Log) -> bool {
        self.is_prefix_of(other) || other.is_prefix_of(self)
    }

    /// Codes of the entries, in order.
    pub fn codes(self) -> impl Iterator<Item = u8> {
        (0..self.size()).map(move |position| self.code_at(position))
    }

    /// Is this entry in the log?
    pub fn has(self, entry: impl Into<u8>) -> bool {
        let code = entry.into();
        self.codes().any(|other| other == code)
    }

    /// Position of this entry's last occurrence, counted from 0.
    pub fn last_position(self, entry: impl Into<u8>) -> Option<u32> {
        let code = entry.into();
        (0..self.size()).rfind(|position| self.code_at(*position) == code)
    }

    fn code_at(self, position: u32) -> u8 {
        ((self.0 >> (BITS * position)) & MASK) as u8
    }
}
