//! Delays and releases of loosenings.

use super::Expected::{Breaks, Holds};
use super::Scenario;
use crate::property::Goal::{InForce, Void};
use crate::property::Property::{
    DelaySinceSeen, DelayUnhidden, GoesOn, ReleaseInTime, TighteningKept,
};
use crate::time::Act::{Loosen, Stop};
use crate::time::{PROPOSED, Statistic, TimeModel};

/// A proposal, whose delay must be waited for.
pub(super) fn delay() -> TimeModel {
    TimeModel {
        entries_max: 5,
        ticks_max: 0,
        horizon: 4,
        delay: 2,
        ..TimeModel::new(&[Loosen])
    }
}

/// A proposal whose delay is nearly over, and a release that expires.
pub(super) fn release() -> TimeModel {
    TimeModel {
        start: PROPOSED,
        horizon: 5,
        delay: 1,
        release_expiry: 3,
        ..TimeModel::new(&[Loosen])
    }
}

/// The delay of a loosening.
pub(super) fn delays() -> Vec<Scenario> {
    let scenario = Scenario::time;
    let too_early = Breaks(&[DelaySinceSeen, DelayUnhidden]);
    let unseen = Breaks(&[DelayUnhidden]);
    let wedged = Breaks(&[GoesOn]);
    vec![
        scenario("time, delay", delay(), Holds(&[InForce])),
        scenario(
            "time, delay from the writer's stamp",
            delay().but(|rules| rules.delay_from_witnessed = false),
            too_early,
        ),
        scenario(
            "time, delay, f cosignatures",
            delay().but(|rules| rules.cosignatures = 1),
            too_early,
        ),
        scenario(
            "time, delay, smallest time",
            delay().but(|rules| rules.statistic = Statistic::Smallest),
            too_early,
        ),
        scenario(
            "time, delay, f + 1 cosignatures",
            delay().but(|rules| rules.cosignatures = 2),
            unseen,
        ),
        scenario(
            "time, delay, (f + 1)-th smallest of k",
            delay().but(|rules| rules.statistic = Statistic::Honest),
            unseen,
        ),
        scenario(
            "time, delay, times without upper bound",
            delay().but(|rules| rules.times_bounded = false),
            wedged,
        ),
        scenario(
            "time, delay, witnesses refuse old stamps",
            delay().but(|rules| rules.old_stamps_taken = false),
            wedged,
        ),
    ]
}

/// The effect of a release, and a tightening that comes between.
pub(super) fn releases() -> Vec<Scenario> {
    let stopped = || TimeModel {
        start: PROPOSED,
        delay: 1,
        horizon: 3,
        ticks_max: 0,
        ..TimeModel::new(&[Loosen, Stop])
    };

    let scenario = Scenario::time;
    vec![
        scenario("time, release", release(), Holds(&[InForce, Void])),
        scenario(
            "time, release at its position",
            release().but(|rules| rules.release_waits = false),
            Breaks(&[ReleaseInTime]),
        ),
        scenario(
            "time, release, expiry by the stamp",
            release().but(|rules| rules.expiry_by_witnessed = false),
            Breaks(&[ReleaseInTime]),
        ),
        scenario(
            "time, release, refused instead of void",
            release().but(|rules| rules.failed_is_void = false),
            Breaks(&[GoesOn]),
        ),
        scenario("time, tightening between", stopped(), Holds(&[InForce])),
        scenario(
            "time, tightening between, version not looked at",
            stopped().but(|rules| rules.version_kept = false),
            Breaks(&[TighteningKept]),
        ),
    ]
}
