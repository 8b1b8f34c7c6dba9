//! 37: payments of many hours, and all their second attempts at once.

use super::steps::{Goal, bumped, edit_policy, under};
use super::usual;
use crate::ground::{Building, Ground, Payment, now};
use crate::row::{Attack, Outcome, Row};
use strongroom_guard::G;
use strongroom_journal::Body;
use strongroom_policy::{VelocityScope, Window};
use strongroom_types::{Code, UnixMs};
use strongroom_world::{FRIEND, WorldOptions};

/// Most that goes out within one window.
const LIMIT: u64 = 1_000_000;
const AMOUNT: u64 = 600_000;
const MINUTE_MS: u64 = 60_000;

pub const ROW: Row = Row {
    id: "37",
    story: "Each payment fits the limit of its own hour, and is held back. Then the transactions \
            service opens a second attempt of each, all in one moment. They would leave together, \
            a multiple of what one hour may see.",
    attacks: &[Attack {
        guard: G::AttemptAsksAgain,
        code: Code::LimitExceeded,
        red_when: "the attempts signed within one window add up to more than its limit",
        world: minutes_for_hours,
        run: together,
    }],
};

/// The shortest window, which counts whole minutes. Clocks may differ by more than two of them, so
/// that a writer's stamps can stand for hours that no one has to wait for.
fn minutes_for_hours() -> WorldOptions {
    WorldOptions {
        tune: |bounds| {
            bounds.skew_ms = 130_000;
            bounds.freshness_ms = 140_000;
            bounds.tick_max_ms = bounds.tick_max_least_ms();
        },
        charter: |charter, _| {
            edit_policy(charter, |policy| {
                let mut rules = policy.rules.to_vec();
                if let Some(small) = rules.first_mut() {
                    small.matches.velocity = vec![Window {
                        scope: VelocityScope::Tenant,
                        window_seconds: 1,
                        amount_lte: Some(LIMIT.into()),
                        count_lte: None,
                    }];
                }
                policy.rules = rules.into();
            });
        },
        ..usual()
    }
}

fn together(ground: &mut Ground) -> anyhow::Result<Outcome> {
    // Two seconds into a minute, the window of one second counts that minute alone.
    let next_minute = (now().0 / MINUTE_MS + 1) * MINUTE_MS;
    let first_hour = UnixMs(next_minute + 2_000);
    let second_hour = first_hour.plus(MINUTE_MS);

    let coins = [ground.new_coin(AMOUNT)?];
    let intent = ground.world.intent(now(), AMOUNT, FRIEND);
    let first = Payment::new(
        intent,
        ground.build(&Building::new(FRIEND, AMOUNT, &coins))?,
    );
    order(ground, &first, first_hour)?;
    let other = ground.payment(AMOUNT)?;
    order(ground, &other, second_hour)?;
    ground.wait_witnessed()?;
    let other = Goal::new(ground, &other)?;

    let building = Building {
        rate: 4_000,
        ..Building::new(FRIEND, AMOUNT, &coins)
    };
    let again = bumped(ground, &first, &building)?;
    let again_goal = Goal::new(ground, &again)?;
    let offer = under(ground.world.scope(), Body::from(again.attempt));
    if let Some(outcome) = again_goal.force_offer(ground, &offer, second_hour)? {
        return Ok(outcome);
    }
    let one = other.ask(ground)?;
    anyhow::ensure!(one.harm.is_some(), "the payment of this hour is refused");
    again_goal.ask(ground)
}

/// The writer orders a payment in an hour of its choice; the policy is asked in that hour.
fn order(ground: &mut Ground, payment: &Payment, stamp: UnixMs) -> anyhow::Result<()> {
    let mut ledger = ground.ledger();
    ledger.now = stamp;
    let attempt = payment.attempt.clone();
    let authorization = ledger.authorization_with(&payment.intent, &[], attempt);
    let body = Body::Authorized(Box::new(authorization));
    let ordered = ground.order(&body, stamp);
    ordered.map_err(|refusal| anyhow::anyhow!("a payment within its limit: {refusal}"))?;
    Ok(())
}
