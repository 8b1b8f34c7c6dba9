//! How many refusals are signed and logged: a bounded number per requester and second.
//!
//! A refusal costs the requester a record and this node a signature and a line of its log. Beyond
//! the bound the node stays silent, which a coordinator takes for a signer that is slow.

use crate::held::HELD_MAX;
use std::collections::BTreeMap;
use strongroom_guard::{G, guard};
use strongroom_types::{NodeId, UnixMs};

/// Most signed refusals per requester and second: twice what can wait here, since all of it may
/// become late at once.
pub const ANSWERED_PER_SECOND: u64 = 2 * HELD_MAX as u64;
/// Most log lines about refusals per requester and second.
pub const LOGGED_PER_SECOND: u64 = 16;
/// Time between two reports of what was left out, milliseconds.
const REPORT_EVERY_MS: u64 = 10_000;

/// Refusals of one requester in one second.
#[derive(Clone, Copy, Default)]
struct OfSecond {
    /// Second that is counted, Unix time.
    second: u64,
    refusals: u64,
}

/// Kind of record that is answered. Each has a bound of its own.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Cause {
    /// A record in its time, which only its coordinator can have made now.
    Record,
    /// One out of its time, which anyone on the bus may have kept and sent again.
    OldRecord,
}

/// Whether one refusal is answered and logged.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Allowance {
    /// It is signed and sent.
    pub(crate) is_answered: bool,
    /// It is logged.
    pub(crate) is_logged: bool,
}

/// Refusals that were left out since the last report.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct LeftOut {
    pub(crate) unanswered: u64,
    pub(crate) unlogged: u64,
}

/// Counts refusals by requester. Requesters are coordinators that genesis names, so they are few.
#[derive(Default)]
pub(crate) struct RefusalBounds {
    by: BTreeMap<(NodeId, Cause), OfSecond>,
    left_out: LeftOut,
    reported_at: UnixMs,
}

impl RefusalBounds {
    /// Counts a refusal; one requester's never take away from another's.
    pub(crate) fn count(&mut self, requester: (NodeId, Cause), now: UnixMs) -> Allowance {
        let second = now.seconds();
        let of_second = self.by.entry(requester).or_default();
        if of_second.second != second {
            *of_second = OfSecond {
                second,
                refusals: 0,
            };
        }
        of_second.refusals += 1;

        let too_many = of_second.refusals > ANSWERED_PER_SECOND;
        let allowance = Allowance {
            is_answered: !guard(G::RefusalRate, too_many),
            is_logged: of_second.refusals <= LOGGED_PER_SECOND,
        };
        self.left_out.unanswered += u64::from(!allowance.is_answered);
        self.left_out.unlogged += u64::from(!allowance.is_logged);
        allowance
    }

    /// Counts of what was left out, once per period and only if something was.
    pub(crate) fn report(&mut self, now: UnixMs) -> Option<LeftOut> {
        // The distance counts in both directions: a clock that went back must not silence the
        // reports.
        let is_due = now.0.abs_diff(self.reported_at.0) >= REPORT_EVERY_MS;
        if !is_due || self.left_out == LeftOut::default() {
            return None;
        }
        self.reported_at = now;
        Some(std::mem::take(&mut self.left_out))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: (NodeId, Cause) = (NodeId([1; 16]), Cause::Record);
    const TWO: (NodeId, Cause) = (NodeId([2; 16]), Cause::Record);
    const OLD_OF_ONE: (NodeId, Cause) = (NodeId([1; 16]), Cause::OldRecord);
    const NOW: UnixMs = UnixMs(1_000_000);

    fn counted(
        bounds: &mut RefusalBounds,
        requester: (NodeId, Cause),
        n: u64,
        now: UnixMs,
    ) -> (u64, u64) {
        let allowances: Vec<_> = (0..n).map(|_| bounds.count(requester, now)).collect();
        let answered = allowances.iter().filter(|a| a.is_answered).count();
        let logged = allowances.iter().filter(|a| a.is_logged).count();
        (answered as u64, logged as u64)
    }

    #[test]
    fn hole_refusals_are_bounded_per_requester_and_second() {
        let mut bounds = RefusalBounds::default();
        let most = (ANSWERED_PER_SECOND, LOGGED_PER_SECOND);
        assert_eq!(counted(&mut bounds, ONE, 10_000, NOW), most);
        assert_eq!(counted(&mut bounds, ONE, 1, NOW.plus(999)), (0, 0));
        assert_eq!(counted(&mut bounds, TWO, 1, NOW), (1, 1), "has its own");
        assert_eq!(counted(&mut bounds, OLD_OF_ONE, 1, NOW), (1, 1), "as well");
        assert_eq!(counted(&mut bounds, ONE, 10_000, NOW.plus(1_000)), most);
    }

    /// No request would otherwise get an answer until the old time is reached again.
    #[test]
    fn a_clock_that_was_set_back_begins_another_second() {
        let mut bounds = RefusalBounds::default();
        let most = (ANSWERED_PER_SECOND, LOGGED_PER_SECOND);
        assert_eq!(counted(&mut bounds, ONE, 10_000, NOW), most);
        let before = UnixMs(NOW.0 - 60_000);
        assert_eq!(counted(&mut bounds, ONE, 10_000, before), most);
    }

    #[test]
    fn what_was_left_out_is_reported_once_in_a_period() {
        let mut bounds = RefusalBounds::default();
        counted(&mut bounds, ONE, ANSWERED_PER_SECOND + 1, NOW);
        let left_out = LeftOut {
            unanswered: 1,
            unlogged: ANSWERED_PER_SECOND + 1 - LOGGED_PER_SECOND,
        };
        assert_eq!(bounds.report(NOW), Some(left_out));
        counted(&mut bounds, ONE, 2, NOW);
        assert_eq!(bounds.report(NOW.plus(9_999)), None);
        let report = bounds
            .report(NOW.plus(10_000))
            .map(|report| report.unlogged);
        assert_eq!(report, Some(2));
        assert_eq!(bounds.report(NOW.plus(20_000)), None, "nothing since");
    }
}
