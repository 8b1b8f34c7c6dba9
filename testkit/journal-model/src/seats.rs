//! Sets of witness seats.

/// Witness seats, one bit each with seat 0 lowest.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct SeatSet(pub u8);

impl SeatSet {
    /// The set without a seat.
    pub const NONE: SeatSet = SeatSet(0);

    /// Is this seat in the set?
    pub fn has(self, seat: usize) -> bool {
        self.0 >> seat & 1 == 1
    }

    /// Puts a seat into the set.
    pub fn insert(&mut self, seat: usize) {
        self.0 |= 1 << seat;
    }

    /// Takes a seat out of the set.
    pub fn remove(&mut self, seat: usize) {
        self.0 &= !(1 << seat);
    }

    /// Number of seats.
    pub fn count(self) -> u32 {
        self.0.count_ones()
    }

    /// The seats of either set.
    pub fn or(self, other: SeatSet) -> SeatSet {
        SeatSet(self.0 | other.0)
    }

    /// The seats of both sets.
    pub fn and(self, other: SeatSet) -> SeatSet {
        SeatSet(self.0 & other.0)
    }

    /// The seats of this set that are not in the other.
    pub fn without(self, other: SeatSet) -> SeatSet {
        SeatSet(self.0 & !other.0)
    }

    /// The set after seats 0 and 1 have changed places.
    pub fn with_first_two_swapped(self) -> SeatSet {
        SeatSet(self.0 & !0b11 | (self.0 & 1) << 1 | (self.0 >> 1) & 1)
    }

    /// The seats, in ascending order.
    pub fn seats(self) -> impl Iterator<Item = usize> {
        (0..8).filter(move |seat| self.has(*seat))
    }
}
