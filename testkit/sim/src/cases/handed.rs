//! Tightenings that a writer leaves out and that people hand to witnesses.

use super::{Case, NOTHING, Shows, base, large, payment};
use crate::kinds::{Hostile, Situation};
use crate::plan::{Answers, Chaos, Move, Plan, PlannedAct};

/// Cases of this file.
pub(super) const CASES: &[Case] = &[
    Case {
        name: "release_around_a_handed_veto",
        meaning: "A veto is left out and handed to the witnesses; the release that it \
                  forbids is appended at once. The veto wins.",
        shows: Shows {
            situations: &[Situation::ReleaseVetoed],
            hostile: &[Hostile::WithholdTightening],
            ..NOTHING
        },
        plan: release_around_a_handed_veto,
    },
    Case {
        name: "veto_is_handed_too_late",
        meaning: "A veto is left out and handed to the witnesses after they cosigned the release \
                  that it forbids. The release takes effect by those cosignatures, and the \
                  witnesses go on without the veto.",
        shows: Shows {
            situations: &[Situation::ReleaseInForce, Situation::LooserPolicyUsed],
            hostile: &[Hostile::HoldWitnessed, Hostile::WithholdTightening],
            signs: 3,
            ..NOTHING
        },
        plan: veto_is_handed_too_late,
    },
    Case {
        name: "veto_while_a_release_waits",
        meaning: "A veto comes between a release and its witnessed entry. It wins.",
        shows: Shows {
            situations: &[Situation::ReleaseVetoed],
            hostile: &[Hostile::HoldWitnessed],
            ..NOTHING
        },
        plan: veto_while_a_release_waits,
    },
    Case {
        name: "pause_meets_an_older_one",
        meaning: "A pause is left out and handed; the writer then appends an older one \
                  of the same admin first. The longer one holds.",
        shows: Shows {
            hostile: &[Hostile::WithholdTightening],
            refuses: &["tightening_pending", "paused"],
            ..NOTHING
        },
        plan: pause_meets_an_older_one,
    },
    Case {
        name: "no_is_left_out",
        meaning: "A \"no\" to a locked payment is left out and handed to the witnesses. \
                  No share leaves.",
        shows: Shows {
            hostile: &[Hostile::WithholdTightening],
            refuses: &["tightening_pending"],
            ..NOTHING
        },
        plan: no_is_left_out,
    },
    Case {
        name: "approval_lapses_during_a_lock",
        meaning: "An approver's key is revoked while the payment that relies on it is \
                  locked. No share leaves.",
        shows: Shows {
            refuses: &["time_locked", "approval_no_longer_in_force"],
            ..NOTHING
        },
        plan: approval_lapses_during_a_lock,
    },
];

const LONG: u64 = 1_000_000;

fn withheld(seed: u64, from_ms: u64, ms: u64) -> Plan {
    let mut plan = base(seed);
    plan.chaos = vec![(from_ms, Chaos::Writer(Move::Withhold(ms)))];
    plan
}

/// A veto is left out and handed to every witness; the release that it forbids is appended at once.
fn release_around_a_handed_veto() -> Plan {
    let mut plan = withheld(301, 20_000, 25_000);
    plan.loosen_delay_ms = 20_000;
    plan.acts = vec![
        (1_000, PlannedAct::LooserPolicy),
        (23_000, PlannedAct::Veto),
        (26_000, PlannedAct::Release(LONG)),
    ];
    plan.intents = [29_000, 31_000, 50_000].map(payment).into();
    plan.calm_ms = 55_000;
    plan
}

/// A veto that is left out and handed while its proposal's release waits, by cosignatures from before.
fn veto_is_handed_too_late() -> Plan {
    let mut plan = withheld(306, 20_000, 60_000);
    plan.loosen_delay_ms = 20_000;
    plan.acts = vec![
        (1_000, PlannedAct::LooserPolicy),
        (23_000, PlannedAct::Release(LONG)),
        (26_000, PlannedAct::Veto),
    ];
    plan.chaos
        .push((22_500, Chaos::Writer(Move::HoldWitnessed(6_000))));
    plan.intents = [45_000, 50_000].map(payment).into();
    plan.calm_ms = 55_000;
    plan
}

/// A veto that comes while its proposal's release waits.
fn veto_while_a_release_waits() -> Plan {
    let mut plan = base(302);
    plan.loosen_delay_ms = 20_000;
    plan.acts = vec![
        (1_000, PlannedAct::LooserPolicy),
        (23_000, PlannedAct::Release(LONG)),
        (26_000, PlannedAct::Veto),
    ];
    plan.chaos = vec![(22_500, Chaos::Writer(Move::HoldWitnessed(10_000)))];
    plan.intents = [38_000, 40_000].map(payment).into();
    plan.calm_ms = 45_000;
    plan
}

/// A later, longer pause is handed while an earlier one by the same admin is left out; then the
/// writer appends the earlier one first.
fn pause_meets_an_older_one() -> Plan {
    let mut plan = withheld(303, 1_000, 12_000);
    plan.acts = vec![
        (2_000, PlannedAct::Pause(30_000)),
        (4_000, PlannedAct::Pause(90_000)),
    ];
    plan.intents = [3_000, 16_000, 45_000, 100_000].map(payment).into();
    plan.calm_ms = 105_000;
    plan
}

/// A "no" during a payment's lock is left out and handed.
fn no_is_left_out() -> Plan {
    let mut plan = withheld(304, 5_000, 30_000);
    plan.lock_seconds = 12;
    plan.acts = vec![(7_000, PlannedAct::Reject(0))];
    plan.intents = vec![large(1_000), payment(2_000)];
    plan.calm_ms = 40_000;
    plan
}

/// An approval lapses during a payment's lock: its signer's key is revoked.
fn approval_lapses_during_a_lock() -> Plan {
    let mut plan = base(305);
    plan.lock_seconds = 12;
    plan.acts = vec![(8_000, PlannedAct::RevokeApprover(1))];
    plan.intents = vec![large(1_000), payment(2_000)];
    plan.intents[0].answers = Answers::Yes;
    plan.calm_ms = 30_000;
    plan
}
