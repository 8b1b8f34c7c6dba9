//! Revocation, stop and cancel under a clock.

use super::Expected::{Breaks, Holds};
use super::Scenario;
use crate::journal::Entry::{
    AttemptXZ, Authorize1, Authorize2, Cancel1, EnrolReplayed, Revoke, Stop,
};
use crate::journal::{Entry, JournalModel, OwnTip, SEATS};
use crate::property::Goal::{FullLength, Signs};
use crate::property::Property::{
    AgainstOwnHead, AgainstOwnTip, HandedInForce, LateShare, OneHistory,
};

/// An intent, and the revocation of its approver.
const REVOKED: &[Entry] = &[Authorize1, Revoke];
/// An intent, and all that withdraws it.
const WITHDRAWN: &[Entry] = &[Authorize1, Cancel1, Revoke];
/// Clocks of two witnesses that differ by twice the skew.
const SKEWED: [i8; SEATS] = [-1, 0, 0, 1, 0, 0];

fn clocked(alphabet: &'static [Entry], size_max: u32) -> JournalModel {
    JournalModel {
        has_clock: true,
        ..JournalModel::new(alphabet, size_max)
    }
}

/// A signer's rules for the heads that it is shown.
pub(super) fn heads() -> Vec<Scenario> {
    let revoked = || clocked(REVOKED, 2);
    let skewed = |staleness_max| JournalModel {
        clock_ahead: SKEWED,
        staleness_max,
        ..revoked()
    };
    let followed = || JournalModel {
        signers_follow: true,
        ..revoked()
    };

    let scenario = Scenario::journal;
    let signs = Holds(&[Signs, FullLength]);
    let late = Breaks(&[LateShare]);
    vec![
        scenario("tighten 3-of-4", revoked(), signs),
        scenario(
            "tighten cancel+stop 3-of-4",
            clocked(&[Authorize1, Cancel1, Stop], 2),
            signs,
        ),
        scenario(
            "tighten, no freshness",
            revoked().but(|guards| guards.freshness = false),
            late,
        ),
        scenario(
            "tighten 2-of-4",
            revoked().with_witnesses(0b1111, 2),
            Breaks(&[LateShare, OneHistory]),
        ),
        scenario(
            "tighten, judged at the entry only",
            revoked().but(|guards| guards.judged_at_head = false),
            late,
        ),
        scenario("tighten, skewed clocks, bound F", skewed(1), late),
        scenario("tighten, skewed clocks, bound F + skew", skewed(2), late),
        scenario("tighten, skewed clocks, bound F + 2 skew", skewed(3), signs),
        scenario("tighten, heads followed", followed(), signs),
        scenario(
            "tighten, head may go back",
            followed().but(|guards| guards.head_never_back = false),
            Breaks(&[AgainstOwnHead]),
        ),
        scenario(
            "tighten, no floor after restart",
            followed().but(|guards| guards.restart_floor = false),
            Breaks(&[AgainstOwnHead]),
        ),
        scenario(
            "tighten, own tip ignored",
            revoked().but(|guards| guards.own_tip = OwnTip::Ignored),
            Breaks(&[AgainstOwnTip]),
        ),
        scenario(
            "tighten, own tip tightens",
            revoked().but(|guards| guards.own_tip = OwnTip::Tightens),
            signs,
        ),
        scenario(
            "mixed pay+tighten, three entries",
            clocked(&[Authorize1, AttemptXZ, Authorize2, Revoke], 3),
            signs,
        ),
        scenario(
            "tighten, old enrolment replayed",
            clocked(&[Authorize1, Revoke, EnrolReplayed], 3)
                .but(|guards| guards.single_use = false),
            late,
        ),
    ]
}

/// Tightenings that are handed over, and disks that are put back.
pub(super) fn handed() -> Vec<Scenario> {
    let handed = |model| JournalModel {
        tightenings_handed: true,
        ..model
    };
    let put_back = |size_max| JournalModel {
        disks_put_back: true,
        ..JournalModel::new(WITHDRAWN, size_max)
    };

    let scenario = Scenario::journal;
    let signs = Holds(&[Signs, FullLength]);
    vec![
        scenario(
            "tighten, withheld by the writer",
            handed(clocked(REVOKED, 2)).but(|guards| guards.inclusion_duty = false),
            Breaks(&[HandedInForce]),
        ),
        scenario(
            "tighten, withheld, handed to witnesses",
            handed(clocked(REVOKED, 2)),
            signs,
        ),
        scenario(
            "tighten, withheld, handed to witnesses, stop",
            handed(clocked(&[Authorize1, Stop], 2)),
            signs,
        ),
        scenario(
            "disk put back, caught up",
            put_back(2).but(|guards| guards.put_back_key_retired = false),
            Breaks(&[OneHistory]),
        ),
        scenario("disk put back, key retired", put_back(3), signs),
    ]
}
