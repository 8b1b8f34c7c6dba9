//! Heads that a reader can be shown, and the acts of signers and people upon them.

use super::setup::TimeModel;
use super::state::TimeState;
use super::view::{InForce, Item, View};
use super::{FAR, HONEST, HOSTILE, QUORUM};

impl TimeModel {
    /// Is the prefix with this view fresh for a reader with this clock who is shown everything?
    pub(super) fn is_fresh(&self, state: &TimeState, view: &View, clock: u8) -> bool {
        let is_young = |seat: &usize| {
            let tip = state.tip(*seat);
            tip >= usize::from(view.size) && state.last[*seat][tip] + self.freshness >= clock
        };
        let honest = (0..HONEST).filter(is_young).count();
        honest + HOSTILE >= QUORUM && !self.is_stale(view, clock)
    }

    fn is_stale(&self, view: &View, clock: u8) -> bool {
        let is_past = |at: u8| clock > at + self.tick_max;
        let waits_long = view.oldest_waiting().is_some_and(is_past);
        (self.rules.ticks && is_past(view.at)) || (self.rules.waiting_is_stale && waits_long)
    }

    /// Last moment, on a witness's clock, at which a reader could be shown k cosignatures without
    /// the entry at `position`.
    pub(super) fn hidden_until(&self, state: &TimeState, position: u8) -> u8 {
        let without = 1..=usize::from(position);
        let left = |sizes: &[u8; super::SIZES]| {
            let clocks = without.clone().map(|size| sizes[size]);
            clocks.max().unwrap_or(0)
        };
        let mut left: Vec<u8> = state.last.iter().map(left).collect();
        // The hostile seat signs any prefix at any time.
        left.push(u8::MAX);
        left.sort_unstable_by(|one, other| other.cmp(one));
        left[QUORUM - 1]
    }

    /// True time at which an honest witness first cosigned the entry at `position`; [`FAR`] is
    /// never.
    pub(super) fn seen_at(&self, state: &TimeState, position: u8) -> u8 {
        let first = |seat: usize| {
            let with = state.first[seat].iter().skip(usize::from(position) + 1);
            let clocks = with.filter(|clock| **clock > 0);
            clocks.map(|clock| clock - self.clock_ahead[seat]).min()
        };
        (0..HONEST).filter_map(first).min().unwrap_or(FAR)
    }

    /// The loosening in force at some witnessed head.
    pub(super) fn in_force(&self, state: &TimeState) -> Option<InForce> {
        self.views(&state.log)
            .take_while(|(size, _)| self.is_witnessed(state, *size))
            .find_map(|(_, view)| view.in_force)
    }

    /// The payment under a lock, if a share of its last attempt may leave now.
    pub(super) fn locked_share(&self, state: &TimeState) -> Option<Item> {
        // A signer's clock runs ahead of the true time by any part of the skew.
        let clocks = state.now..=state.now + self.skew;
        clocks.into_iter().find_map(|clock| {
            self.views(&state.log).find_map(|(_, view)| {
                let payment = view.payment?;
                let start = self.lock_start(&payment)?;
                let is_young = view.attempt_at <= clock + self.skew
                    && clock <= view.attempt_at + self.attempt_life;
                let is_over = clock >= start + self.lock;
                (is_young && is_over && self.is_fresh(state, &view, clock)).then_some(payment)
            })
        })
    }
}
