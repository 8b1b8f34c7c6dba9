//! The rules by which an honest witness cosigns.

use super::entry::Entry;
use super::setup::{DutyEnd, TimeModel};
use super::state::TimeState;
use super::{HONEST, HOSTILE, QUORUM};

/// State of a witness when it is shown a longer prefix.
pub(super) struct Standing {
    /// Size of its tip.
    pub tip: usize,
    /// Its clock when it last cosigned its tip.
    pub last: u8,
    /// Its clock.
    pub clock: u8,
    /// True time, in which the duty counts.
    pub now: u8,
    /// True time at which it was handed the veto; 0 is never.
    pub handed: u8,
}

impl TimeModel {
    pub(super) fn clock(&self, state: &TimeState, seat: usize) -> u8 {
        state.now + self.clock_ahead[seat]
    }

    pub(super) fn standing(&self, state: &TimeState, seat: usize) -> Standing {
        let tip = state.tip(seat);
        Standing {
            tip,
            last: state.last[seat][tip],
            clock: self.clock(state, seat),
            now: state.now,
            handed: state.handed[seat],
        }
    }

    /// Could the head of this size be shown with a quorum?
    pub(super) fn is_witnessed(&self, state: &TimeState, size: usize) -> bool {
        let honest = (0..HONEST).filter(|seat| state.tip(*seat) >= size).count();
        honest + HOSTILE >= QUORUM
    }

    /// Does this witness cosign the first `size` entries?
    pub(super) fn cosigns(&self, log: &[Entry], size: usize, witness: &Standing) -> bool {
        let prefix = log.iter().take(size);
        let view = self.view(&log[..size]);
        let is_ahead = view.at > witness.clock + self.skew;
        let is_old = witness.clock > view.at + self.entry_age_max;
        if is_ahead || is_old {
            return false;
        }

        let is_before = |entry: &Entry| entry.at + self.entry_age_max < witness.last;
        if !self.rules.old_stamps_taken && prefix.skip(witness.tip).any(is_before) {
            return false;
        }

        if witness.handed == 0 || view.is_vetoed {
            return true;
        }
        let is_overdue = witness.now > witness.handed + self.duty;
        if self.veto_applies(&view) {
            let is_outrun = self.rules.refused_at_once && view.waiting.is_some();
            return !is_overdue && !is_outrun;
        }
        match self.rules.duty_end {
            DutyEnd::NoLongerApplies => true,
            DutyEnd::Inclusion => !is_overdue,
        }
    }

    /// Must this witness wait for the handed veto before it cosigns again?
    pub(super) fn owes(&self, state: &TimeState, seat: usize) -> bool {
        let view = self.view(&state.log[..state.tip(seat)]);
        let handed = state.handed[seat];
        let is_overdue = handed > 0 && state.now > handed + self.duty;
        is_overdue && !view.is_vetoed && self.veto_applies(&view)
    }
}
