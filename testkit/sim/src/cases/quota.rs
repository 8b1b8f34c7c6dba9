//! A tenant that has used up its entries of a minute, and what must go on all the same.

use super::{Case, NOTHING, Shows, base, large, payment};
use crate::kinds::{Hostile, Situation};
use crate::plan::{Answers, Chaos, Move, OtherTenant, Plan, PlannedAct, PlannedIntent, tune};
use strongroom_journal::Bounds;

/// Cases of this file.
pub(super) const CASES: &[Case] = &[Case {
    name: "quota_is_used_up",
    meaning: "A tenant uses up its entries of a minute while a release of it waits. Its cancels \
              and its pause are taken all the same and void nothing, and the payments of another \
              tenant go on.",
    shows: Shows {
        situations: &[Situation::ReleaseInForce, Situation::LooserPolicyUsed],
        hostile: &[Hostile::HoldWitnessed],
        refuses: &["intent_cancelled", "paused"],
        // Without those of the other tenant fewer.
        signs: 18,
        ..NOTHING
    },
    plan: quota_is_used_up,
}];

/// Entries of a tenant in a minute: some for its founding, and for few payments.
fn few_entries(bounds: &mut Bounds) {
    tune(bounds);
    bounds.entries_per_minute = 20;
}

fn quota_is_used_up() -> Plan {
    let mut plan = base(501);
    plan.tune = few_entries;
    plan.lock_seconds = 8;
    plan.acts = vec![
        (200, PlannedAct::LooserPolicy),
        (3_500, PlannedAct::Release(120_000)),
        (6_000, PlannedAct::Pause(20_000)),
        (7_000, PlannedAct::Cancel(1)),
    ];
    plan.chaos = vec![(3_000, Chaos::Writer(Move::HoldWitnessed(9_000)))];

    // Two are authorized while there is room. Of the flood after them many are not.
    plan.intents = vec![large(500), large(600)];
    plan.intents
        .extend((0..24).map(|n| payment(4_000 + 20 * n)));
    for intent in &mut plan.intents {
        intent.life_ms = 150_000;
    }
    plan.intents.push(payment(70_000));

    // One that has no approval yet when its client cancels it.
    plan.intents.push(PlannedIntent {
        amount: 2_000_000,
        answers: Answers::Silence,
        cancel_after_ms: Some(5_000),
        ..payment(3_800)
    });

    // They live for less than the minute.
    let mut others: Vec<_> = (5..9).map(|n| payment(n * 1_000)).collect();
    for intent in &mut others {
        intent.life_ms = 20_000;
    }
    plan.other = Some(OtherTenant {
        intents: others,
        acts: Vec::new(),
    });
    plan.calm_ms = 75_000;
    plan
}
