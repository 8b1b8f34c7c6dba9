//! 6: more is paid within a window than its limit allows.

use super::force_and_sign;
use super::steps::{LIMIT, limited, named};
use crate::ground::{Building, Ground, Payment, now};
use crate::row::{Attack, Outcome, Row};
use strongroom_guard::G;
use strongroom_types::Code;
use strongroom_world::FRIEND;

/// What the honest payment before paid.
const BEFORE: u64 = 400_000;

pub const ROW: Row = Row {
    id: "6",
    story: "The firm pays no more than a limit within an hour. A part of it is used. The thief, who \
            runs the services, asks another quorum for a payment that passes the limit; and for \
            one whose amount still fits, while its fee does not.",
    attacks: &[
        Attack {
            guard: G::Window,
            code: Code::LimitExceeded,
            red_when: "the payments signed within the hour add up to more than its limit",
            world: limited,
            run: past_the_limit,
        },
        Attack {
            guard: G::WorstCase,
            code: Code::LimitExceeded,
            red_when: "payments and fees signed within the hour add up to more than its limit",
            world: limited,
            run: past_the_limit_by_fees,
        },
    ],
};

fn past_the_limit(ground: &mut Ground) -> anyhow::Result<Outcome> {
    let amount = LIMIT - BEFORE + 1;
    let payment = ground.payment(amount)?;
    let body = ground.authorization(&payment, &[]);
    let outcome = force_and_sign(ground, &payment, &body)?;
    Ok(named(outcome, || sum(amount)))
}

fn past_the_limit_by_fees(ground: &mut Ground) -> anyhow::Result<Outcome> {
    // The amounts fit by themselves. About 90 000 of fees do not fit beside them.
    let amount = LIMIT - BEFORE - 50_000;
    let intent = ground.world.intent_with(now(), amount, FRIEND, |intent| {
        intent.fee_max = 200_000.into();
    });
    let coins = [ground.new_coin(amount)?];
    let building = Building {
        rate: 600_000,
        ..Building::new(FRIEND, amount, &coins)
    };
    let payment = Payment::new(intent, ground.build(&building)?);
    let fee = payment.built.fee.to_u64().unwrap_or_default();
    let leaves = amount + fee;
    anyhow::ensure!(BEFORE + leaves > LIMIT, "it fits: {leaves}");

    let body = ground.authorization(&payment, &[]);
    let outcome = force_and_sign(ground, &payment, &body)?;
    Ok(named(outcome, || sum(leaves)))
}

fn sum(leaves: u64) -> String {
    format!(
        "{} left within an hour, the limit is {LIMIT}",
        BEFORE + leaves
    )
}
