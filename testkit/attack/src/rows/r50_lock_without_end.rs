//! 50: a payment that can never be signed takes the room of those that can.

use super::steps::{Goal, LIMIT, edit_policy, limited, put_first, rule};
use crate::ground::{Ground, now};
use crate::row::{Attack, Outcome, Row};
use strongroom_guard::G;
use strongroom_policy::{AmountRange, Match};
use strongroom_types::{Code, GroupNeed, Tier};
use strongroom_world::{FRIEND, Who, WorldOptions};

/// What is locked is above this.
const LOCKED_ABOVE: u64 = 500_000;
/// Twice the life of the world's payments.
const LOCK_SECONDS: u64 = 7_200;

pub const ROW: Row = Row {
    id: "50",
    story: "Large payments wait for hours before they can be signed. A program asks for one that \
            ends before its wait is over: it can never be signed, and yet it would take up the \
            firm's limit, so that the honest payment behind it finds no room.",
    attacks: &[Attack {
        guard: G::LockTooLong,
        code: Code::TimeLockTooLong,
        red_when: "an honest payment finds no room beside one that can never be signed",
        world: large_ones_wait,
        run: never_to_be_signed,
    }],
};

fn large_ones_wait() -> WorldOptions {
    WorldOptions {
        charter: |charter, tenant| {
            edit_policy(charter, |policy| {
                let matches = Match {
                    amount: Some(Box::new(AmountRange {
                        gt: Some(LOCKED_ABOVE.into()),
                        lte: None,
                    })),
                    ..Match::default()
                };
                let one = vec![GroupNeed {
                    group: tenant.approvers,
                    approvals: 1,
                }];
                if let Some(mut locked) = rule("locked", matches, Tier::OneOfN, one) {
                    locked.then.time_lock_seconds = LOCK_SECONDS;
                    put_first(policy, locked);
                }
            });
        },
        ..limited()
    }
}

fn never_to_be_signed(ground: &mut Ground) -> anyhow::Result<Outcome> {
    let waiting = ground.world.intent(now(), LOCKED_ABOVE + 1, FRIEND);
    let waiting = ground.payment_of(waiting)?;
    let goal = Goal::new(ground, &waiting)?;
    let body = ground.authorization(&waiting, &[Who::Approver(0)]);
    if let Some(outcome) = goal.force(ground, &body)? {
        return Ok(outcome);
    }

    // Beside the payment before the attack, this one alone fits the limit.
    let honest = ground.payment(LIMIT / 2)?;
    let body = ground.authorization(&honest, &[]);
    let harm = match ground.order(&body, now()) {
        Ok(_) => None,
        Err(refusal) => Some(format!("an honest payment: {}", refusal.code)),
    };
    Ok(Outcome {
        harm,
        ..Outcome::default()
    })
}
