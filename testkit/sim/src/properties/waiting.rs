//! What waits for the witnesses: not for long, and with the time that their clocks show.

use super::{Checker, Place, Property, Verdict, must};
use crate::history::Share;

/// Longest time in which an honest writer makes a `witnessed` entry of what waits, once nothing
/// goes wrong any more, milliseconds: processes start again, submissions are sent again, and
/// witnesses that owe a handed tightening get it.
const GOES_ON_MS: u64 = 60_000;
/// Longest time after the last fault in which a writer publishes what it had made before,
/// milliseconds.
const KEPT_MS: u64 = 5_000;
/// A cosignature's second counts to its end, milliseconds.
const SECOND_MS: u64 = 1_000;

/// An entry that waits until a `witnessed` entry covers it, as far as freshness concerns it.
pub(super) struct Waiting {
    pub(super) place: Place,
    /// The `witnessed` entry.
    pub(super) until: Option<u64>,
}

impl Checker {
    pub(super) fn on_waiting(&mut self, place: Place) {
        self.waiting.push(Waiting { place, until: None });
    }

    /// Faults and attacks stop. While the newest entry is stamped ahead of every honest clock, by a
    /// writer whose clock was wrong, witnesses still sign nothing.
    pub(super) fn on_calm(&mut self, at_ms: u64) {
        let newest = self.stamps.values().next_back().copied().unwrap_or(0);
        let from = at_ms.max(newest.saturating_sub(self.terms.skew_ms));
        self.calm_ms.get_or_insert(from);
    }

    /// An entry that the writer stamped ahead before faults stopped, and that a full or absent bus
    /// kept until afterwards. Witnesses wait for its stamp, too. One that is published later was
    /// stamped by a clock that is right, so it excuses nothing.
    pub(super) fn on_kept_entry(&mut self, place: Place) {
        let latest = place.stamp_ms.saturating_sub(self.terms.skew_ms);
        if let Some(calm_ms) = self.calm_ms
            && place.at_ms <= calm_ms.saturating_add(KEPT_MS)
        {
            self.calm_ms = Some(calm_ms.max(latest));
        }
    }

    /// Once faults have stopped nothing waits for long.
    pub(super) fn check_goes_on(&self, at_ms: u64) -> Verdict {
        let Some(calm_ms) = self.calm_ms else {
            return Ok(());
        };

        let is_late = |w: &&Waiting| {
            let from = calm_ms.max(w.place.at_ms);
            w.until.is_none() && at_ms > from.saturating_add(GOES_ON_MS)
        };
        let late = self.waiting.iter().find(is_late);
        must(late.is_none(), Property::GoesOn, || {
            let seq = late.map_or(0, |w| w.place.seq);
            format!("entry {seq} waits for longer than {GOES_ON_MS} ms after the last fault")
        })
    }

    /// Witnesses vouch for no time that makes a delay or lock longer than it is, by more than
    /// clocks differ.
    pub(super) fn check_no_later(&self, place: Place, time_ms: u64) -> Verdict {
        let now = place.at_ms.max(place.stamp_ms);
        let latest = now.saturating_add(self.terms.skew_ms + SECOND_MS);
        must(time_ms <= latest, Property::GoesOn, || {
            let seq = place.seq;
            format!("entry {seq} gives the time {time_ms} to what waits, at {now}")
        })
    }

    /// Neither the newest entry of the head nor the oldest that waits there is too old.
    pub(super) fn check_fresh(&self, at_ms: u64, share: &Share) -> Verdict {
        let (signer, head) = (share.signer, share.head);
        let most = self.terms.tick_max_ms + self.terms.skew_ms;
        let is_young = |stamp: u64| at_ms <= stamp.saturating_add(most);

        // An old newest entry may hide what came after it (q), an old item that waits what its
        // witnesses saw (r).
        let newest = head.checked_sub(1).and_then(|seq| self.stamps.get(&seq));
        must(
            newest.is_none_or(|at| is_young(*at)),
            Property::NoEntryLags,
            || format!("signer {signer} acted under {head}, whose newest entry is of {newest:?}"),
        )?;

        let waits = |w: &&Waiting| w.place.seq < head && w.until.is_none_or(|until| until >= head);
        let oldest = self.waiting.iter().find(waits);
        must(
            oldest.is_none_or(|w| is_young(w.place.stamp_ms)),
            Property::NoItemLags,
            || format!("signer {signer} acted under {head}, where an old entry waits"),
        )
    }
}
