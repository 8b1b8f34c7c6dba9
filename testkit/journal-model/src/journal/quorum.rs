//! Witnessed and fresh heads, with every hostile cosignature counted in.

use super::SEATS;
use super::entry::Entry;
use super::setup::{JournalModel, WitnessSet};
use super::state::JournalState;
use crate::log::Log;
use crate::seats::SeatSet;

impl JournalModel {
    /// Could this head be shown with a quorum?
    pub(super) fn is_witnessed(&self, state: &JournalState, head: Log) -> bool {
        let set = self.witnesses_at(head);
        self.count(state, head, set.members, |_, _| true) >= set.quorum
            && self.is_joint(state, head)
    }

    /// Could this head be shown to `signer` with one quorum that is fresh by its clock?
    pub(super) fn is_fresh(&self, state: &JournalState, head: Log, signer: usize) -> bool {
        let set = self.witnesses_at(head);
        // Age on the signer's clock = real age + what that clock is ahead of the witness's.
        let is_young = |seat: usize, age: u8| {
            let seen = age as i8 + self.clock_ahead[signer] - self.clock_ahead[seat];
            seen <= self.freshness
        };
        self.count(state, head, set.members, is_young) >= set.quorum && self.is_joint(state, head)
    }

    /// Heads that a signer may act under: prefixes of its own log.
    pub(super) fn heads(&self, state: &JournalState, signer: usize, fresh: bool) -> Vec<Log> {
        let tip = state.memory[signer];
        let has_quorum = |head: Log| {
            if !self.guards.head_first {
                true
            } else if fresh {
                self.is_fresh(state, head, signer)
            } else {
                self.is_witnessed(state, head)
            }
        };
        let is_not_back = |head: Log| {
            !self.guards.head_never_back || state.acted_under[signer].is_prefix_of(head)
        };
        (1..=tip.size())
            .map(|size| tip.prefix(size))
            .filter(|head| has_quorum(*head) && is_not_back(*head))
            .collect()
    }

    /// Honest cosignatures over exactly this head that pass `counts` (seat, age), and all hostile
    /// seats.
    fn count(
        &self,
        state: &JournalState,
        head: Log,
        members: SeatSet,
        counts: impl Fn(usize, u8) -> bool,
    ) -> u32 {
        let row = state.cosigned.iter().find(|row| row.head == head);
        let age = row.map_or([0; SEATS], |row| row.age);
        let honest = members
            .without(self.hostile)
            .seats()
            .filter(|seat| age[*seat] > 0 && counts(*seat, age[*seat] - 1))
            .count();
        honest as u32 + members.and(self.hostile).count()
    }

    fn witnesses_at(&self, head: Log) -> WitnessSet {
        if head.has(Entry::WitnessSet) {
            self.witnesses_after
        } else {
            self.witnesses
        }
    }

    /// A head after a change of the witness set carries the proof that some head with the change
    /// had a quorum of the old set.
    fn is_joint(&self, state: &JournalState, head: Log) -> bool {
        if !head.has(Entry::WitnessSet) || !self.guards.joint_change {
            return true;
        }
        let old = self.witnesses;
        (1..=head.size())
            .map(|size| head.prefix(size))
            .filter(|prefix| prefix.has(Entry::WitnessSet))
            .any(|prefix| self.count(state, prefix, old.members, |_, _| true) >= old.quorum)
    }
}
