//! Changes of the platform against a writer that stamps and withholds as it likes.

use super::{Case, NOTHING, Shows, after_all, base, payment};
use crate::kinds::{Hostile, Situation};
use crate::plan::{Chaos, Move, Plan, PlannedAct};

/// Cases of this file.
pub(super) const CASES: &[Case] = &[
    Case {
        name: "platform_change_is_back_dated",
        meaning: "A second credential of the platform's admin is proposed under an old stamp, and \
                  its release follows at once. It is refused until the delay has passed since \
                  witnesses saw the proposal; then the credential signs.",
        shows: Shows {
            situations: &[Situation::OldStamp, Situation::ReleaseInForce],
            hostile: &[Hostile::GoQuiet, Hostile::BackDate],
            refuses: &["release_too_early"],
            ..NOTHING
        },
        plan: platform_change_is_back_dated,
    },
    Case {
        name: "platform_release_waits",
        meaning: "A release of the platform is in the journal, and its witnessed entry is kept \
                  back. The credential that it releases signs nothing until then.",
        shows: Shows {
            situations: &[Situation::ReleaseInForce],
            hostile: &[Hostile::HoldWitnessed],
            ..NOTHING
        },
        plan: platform_release_waits,
    },
    Case {
        name: "platform_release_is_back_dated",
        meaning: "A release of the platform that expired is appended with a stamp from before. It \
                  never takes effect.",
        shows: Shows {
            situations: &[Situation::OldStamp],
            hostile: &[Hostile::GoQuiet, Hostile::BackDate],
            refuses: &["unknown_credential"],
            ..NOTHING
        },
        plan: platform_release_is_back_dated,
    },
    Case {
        name: "platform_veto_while_a_release_waits",
        meaning: "The platform's veto comes between a release and its witnessed entry. It wins.",
        shows: Shows {
            situations: &[Situation::ReleaseVetoed],
            hostile: &[Hostile::HoldWitnessed],
            refuses: &["unknown_credential"],
            ..NOTHING
        },
        plan: platform_veto_while_a_release_waits,
    },
];

const LONG: u64 = 1_000_000;
/// Delay of a change: twice the skews on both sides, so that a cut one is seen.
const DELAY_MS: u64 = 20_000;

/// Acts of the platform, and a payment at 23.5 s, whose entry is the last one before the writer is
/// quiet or keeps a release back.
fn change(seed: u64, acts: &[(u64, PlannedAct)], moves: &[(u64, Move)]) -> Plan {
    let mut plan = base(seed);
    plan.platform_delay_ms = DELAY_MS;
    plan.acts = acts.to_vec();
    plan.chaos = moves
        .iter()
        .map(|(at, what)| (*at, Chaos::Writer(*what)))
        .collect();
    plan.intents = vec![payment(23_500)];
    plan.calm_ms = after_all(&plan);
    plan
}

/// As a proposal of a tenant: proposed while the journal is quiet, under its last entry's stamp.
fn platform_change_is_back_dated() -> Plan {
    let acts = [
        (20_000, PlannedAct::NewAdminKey),
        (24_500, PlannedAct::ReleaseAdminKey(LONG)),
        (26_500, PlannedAct::UseAdminKey),
        (29_000, PlannedAct::UseAdminKey),
        (50_000, PlannedAct::UseAdminKey),
    ];
    let moves = [(500, Move::Quiet(23_500)), (500, Move::BackDate(24_500))];
    change(521, &acts, &moves)
}

fn platform_release_waits() -> Plan {
    let acts = [
        (1_000, PlannedAct::NewAdminKey),
        (23_000, PlannedAct::ReleaseAdminKey(LONG)),
        (26_000, PlannedAct::UseAdminKey),
        (45_000, PlannedAct::UseAdminKey),
    ];
    change(522, &acts, &[(22_500, Move::HoldWitnessed(15_000))])
}

/// The release is signed for 4 s and appended 19 s later, stamped with the last entry's time.
fn platform_release_is_back_dated() -> Plan {
    let acts = [
        (1_000, PlannedAct::NewAdminKey),
        (25_500, PlannedAct::ReleaseAdminKey(4_000)),
        (50_000, PlannedAct::UseAdminKey),
    ];
    let moves = [
        (25_200, Move::Quiet(19_000)),
        (25_200, Move::BackDate(21_000)),
    ];
    change(523, &acts, &moves)
}

fn platform_veto_while_a_release_waits() -> Plan {
    let acts = [
        (1_000, PlannedAct::NewAdminKey),
        (23_000, PlannedAct::ReleaseAdminKey(LONG)),
        (26_000, PlannedAct::VetoAdminKey),
        (40_000, PlannedAct::UseAdminKey),
    ];
    change(524, &acts, &[(22_500, Move::HoldWitnessed(10_000))])
}
