//! Tightenings that a writer leaves out and that people hand to witnesses.

use super::{base, large, payment};
use crate::plan::{Answers, Chaos, Move, Plan, PlannedAct};

const LONG: u64 = 1_000_000;

fn withheld(seed: u64, from_ms: u64, ms: u64) -> Plan {
    let mut plan = base(seed);
    plan.chaos = vec![(from_ms, Chaos::Writer(Move::Withhold(ms)))];
    plan
}

/// A veto is left out and handed to every witness; the release that it forbids is appended at once.
pub(super) fn release_around_a_handed_veto() -> Plan {
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

/// A veto that comes while its proposal's release waits.
pub(super) fn veto_while_a_release_waits() -> Plan {
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
pub(super) fn pause_meets_an_older_one() -> Plan {
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
pub(super) fn no_is_left_out() -> Plan {
    let mut plan = withheld(304, 5_000, 30_000);
    plan.lock_seconds = 12;
    plan.acts = vec![(7_000, PlannedAct::Reject(0))];
    plan.intents = vec![large(1_000), payment(2_000)];
    plan.calm_ms = 40_000;
    plan
}

/// An approval lapses during a payment's lock: its signer's key is revoked.
pub(super) fn approval_lapses_during_a_lock() -> Plan {
    let mut plan = base(305);
    plan.lock_seconds = 12;
    plan.acts = vec![(8_000, PlannedAct::RevokeApprover(1))];
    plan.intents = vec![large(1_000), payment(2_000)];
    plan.intents[0].answers = Answers::Yes;
    plan.calm_ms = 30_000;
    plan
}
