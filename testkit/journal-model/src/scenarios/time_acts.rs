//! Time locks, handed vetoes, and heads that become stale.

use super::Expected::{Breaks, Holds};
use super::Scenario;
use super::time_delays::{delay, release};
use crate::property::Goal::{InForce, SharesAfterLock, Vetoed, Void};
use crate::property::Property::{
    GoesOn, LockSinceSeen, LockUnhidden, NoEntryLags, NoReleaseLags, VetoWins,
};
use crate::time::Act::{Loosen, Pay, Veto};
use crate::time::{DutyEnd, FAR, PROPOSED, TimeModel};

/// A payment under a time lock.
fn lock() -> TimeModel {
    TimeModel {
        entries_max: 4,
        ticks_max: 0,
        horizon: 4,
        lock: 2,
        attempt_life: 1,
        ..TimeModel::new(&[Pay])
    }
}

/// One witness's clock runs ahead of the others by the whole skew.
fn skewed(model: TimeModel) -> TimeModel {
    TimeModel {
        clock_ahead: [0, 0, 1],
        skew: 1,
        ..model
    }
}

/// The lock of a payment.
pub(super) fn locks() -> Vec<Scenario> {
    let scenario = Scenario::time;
    vec![
        scenario("time, lock", lock(), Holds(&[SharesAfterLock])),
        scenario(
            "time, lock from the writer's stamp",
            lock().but(|rules| rules.lock_from_witnessed = false),
            Breaks(&[LockSinceSeen, LockUnhidden]),
        ),
        scenario(
            "time, lock, f + 1 cosignatures",
            lock().but(|rules| rules.cosignatures = 2),
            Breaks(&[LockUnhidden]),
        ),
    ]
}

/// Vetoes that people hand to witnesses because the writer withholds them.
pub(super) fn vetoes() -> Vec<Scenario> {
    let veto = || TimeModel {
        start: PROPOSED,
        ticks_max: 0,
        horizon: 4,
        delay: 1,
        vetoes_handed: true,
        ..TimeModel::new(&[Loosen, Veto])
    };
    let with_grace = || veto().but(|rules| rules.refused_at_once = false);
    let held_for_longer = TimeModel {
        held_from_handing: false,
        ..with_grace()
    };

    let scenario = Scenario::time;
    let outrun = Breaks(&[VetoWins]);
    let in_time = Holds(&[InForce, Vetoed]);
    vec![
        scenario("time, handed veto", veto(), in_time),
        scenario(
            "time, handed veto, release at its position",
            veto().but(|rules| rules.release_waits = false),
            outrun,
        ),
        scenario(
            "time, handed veto, none while the release waits",
            veto().but(|rules| rules.veto_while_waiting = false),
            outrun,
        ),
        scenario(
            "time, handed veto, f + 1 cosignatures",
            veto().but(|rules| rules.cosignatures = 2),
            outrun,
        ),
        scenario(
            "time, handed veto, grace for a waiting release",
            with_grace(),
            outrun,
        ),
        // What the rule before adds: without it, a veto wins once it was held for the grace.
        scenario(
            "time, handed veto, held for longer than the grace",
            held_for_longer,
            in_time,
        ),
        scenario(
            "time, handed veto, nothing but inclusion ends it",
            veto().but(|rules| rules.duty_end = DutyEnd::Inclusion),
            Breaks(&[GoesOn]),
        ),
    ]
}

/// A writer that is quiet or keeps `witnessed` entries back, and clocks that differ.
pub(super) fn staleness() -> Vec<Scenario> {
    let ticks = || TimeModel {
        tick_max: 2,
        attempt_life: 2,
        lock: 1,
        horizon: 5,
        entries_max: 3,
        ..lock()
    };
    let waiting = || TimeModel {
        tick_max: 1,
        release_expiry: FAR,
        ..release()
    };
    let skewed_delay = TimeModel {
        delay: 3,
        horizon: 3,
        ..skewed(delay())
    };
    let skewed_lock = TimeModel {
        lock: 3,
        entries_max: 3,
        attempt_life: 4,
        ..skewed(lock())
    };
    let skewed_release = TimeModel {
        horizon: 4,
        entries_max: 5,
        ..skewed(release())
    };

    let scenario = Scenario::time;
    vec![
        scenario("time, ticks", ticks(), Holds(&[SharesAfterLock])),
        scenario(
            "time, no ticks",
            ticks().but(|rules| rules.ticks = false),
            Breaks(&[NoEntryLags]),
        ),
        scenario("time, waiting is stale", waiting(), Holds(&[InForce])),
        scenario(
            "time, waiting is not stale",
            waiting().but(|rules| rules.waiting_is_stale = false),
            Breaks(&[NoReleaseLags]),
        ),
        scenario(
            "time, skewed clocks, delay",
            skewed_delay,
            Holds(&[InForce]),
        ),
        scenario(
            "time, skewed clocks, lock",
            skewed_lock,
            Holds(&[SharesAfterLock]),
        ),
        scenario(
            "time, skewed clocks, release",
            skewed_release,
            Holds(&[InForce, Void]),
        ),
    ]
}
