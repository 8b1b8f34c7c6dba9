//! The writer's failover, and the lateness of entries.

use super::Expected::{Breaks, Holds};
use super::Scenario;
use crate::property::Goal::{Ambiguous, Recovers, Wedged};
use crate::property::Property::OneHistory;
use crate::recovery::{BaseRule, RecoveryModel};

/// One hostile seat, and a writer that equivocated; two positions where the search allows it.
fn equivocated(seats: usize, quorum: u32, rule: BaseRule, reports_min: u32) -> RecoveryModel {
    RecoveryModel {
        seats,
        quorum,
        hostile: 1,
        equivocates: true,
        rule,
        reports_min,
        two_positions: seats < 6,
        lateness: None,
    }
}

pub(super) fn scenarios() -> Vec<Scenario> {
    let four = |rule, reports_min| equivocated(4, 3, rule, reports_min);
    let possible =
        |seats, quorum, reports_min| equivocated(seats, quorum, BaseRule::Possible, reports_min);
    let crashed = RecoveryModel {
        equivocates: false,
        ..four(BaseRule::Longest, 3)
    };
    let late = RecoveryModel {
        hostile: 0,
        equivocates: false,
        lateness: Some(1),
        ..four(BaseRule::Never, 0)
    };

    let scenario = Scenario::recovery;
    let recovers = Holds(&[Recovers, Wedged]);
    let stays_stopped = Holds(&[Recovers, Wedged, Ambiguous]);
    let forks = Breaks(&[OneHistory]);
    vec![
        scenario(
            "failover 3-of-4, crash only, longest of k",
            crashed,
            Holds(&[Recovers]),
        ),
        scenario(
            "failover 3-of-4, equivocated, any tip",
            four(BaseRule::AnyTip, 1),
            forks,
        ),
        scenario(
            "failover 3-of-4, equivocated, longest of k",
            four(BaseRule::Longest, 3),
            forks,
        ),
        scenario(
            "failover 3-of-4, equivocated, possible, k reports",
            possible(4, 3, 3),
            stays_stopped,
        ),
        scenario(
            "failover 3-of-4, equivocated, possible, all reports",
            possible(4, 3, 4),
            stays_stopped,
        ),
        scenario(
            "failover 4-of-5, equivocated, possible, all reports",
            possible(5, 4, 5),
            recovers,
        ),
        scenario(
            "failover 4-of-6, equivocated, possible, all reports",
            possible(6, 4, 6),
            stays_stopped,
        ),
        scenario(
            "failover 5-of-7, equivocated, possible, all reports",
            possible(7, 5, 7),
            recovers,
        ),
        scenario(
            "failover 5-of-6, equivocated, possible, k reports",
            possible(6, 5, 5),
            recovers,
        ),
        // Nothing forks, but an outage stops the journal for good: each witness must look at the
        // last offered entry's age alone.
        scenario(
            "lateness of every entry, 3-of-4, no one hostile",
            late,
            Holds(&[Wedged]),
        ),
    ]
}
