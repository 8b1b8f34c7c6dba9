//! 8: what rests on time is tried with another time than the true one.

use super::held_back::{HeldBack, SLOW_MS, append, slow};
use super::steps::{Goal, edit_policy, named};
use super::{QUORUM, ask_for, usual};
use crate::ground::{Building, Forced, Ground, Payment, now};
use crate::row::{Attack, Outcome, Row};
use std::time::Duration;
use strongroom_guard::G;
use strongroom_journal::{Body, Bounds};
use strongroom_policy::{VelocityScope, Window};
use strongroom_types::{Code, UnixMs};
use strongroom_world::{FRIEND, WorldOptions, offer};

/// What most of these pay.
const AMOUNT: u64 = 300_000;
/// Life of an intent that ends soon, milliseconds.
const SOON_MS: u64 = 2_000;
/// Life of an attempt in [`short_attempts`], milliseconds.
const ATTEMPT_MS: u64 = 4_000;
/// How far the writer turns its time back, milliseconds: more than the window of [`windowed`].
const BACK_MS: u64 = 180_000;

pub const ROW: Row = Row {
    id: "8",
    story: "Payments end, wait and are limited by time. The attacker keeps a payment until it has \
            ended, dates entries of the journal ahead or back, and wants what the true time \
            forbids.",
    attacks: &[
        Attack {
            guard: G::IntentExpiry,
            code: Code::IntentExpired,
            red_when: "a payment is signed after the end that its initiator gave it",
            world: usual,
            run: after_its_end,
        },
        Attack {
            guard: G::AttemptLife,
            code: Code::AttemptTooOld,
            red_when: "a transaction is signed that is older than a transaction may become",
            world: short_attempts,
            run: old_attempt,
        },
        Attack {
            guard: G::EntryNotAhead,
            code: Code::PolicyBlocked,
            red_when: "a payment is signed by a looser policy before its delay is over",
            world: slow,
            run: dated_ahead,
        },
        Attack {
            guard: G::TimeNeverBack,
            code: Code::TimeWentBack,
            red_when: "payments of one minute are signed beyond the limit of a minute",
            world: windowed,
            run: dated_back,
        },
    ],
};

fn short_attempts() -> WorldOptions {
    WorldOptions {
        tune: |bounds: &mut Bounds| bounds.attempt_life_ms = ATTEMPT_MS,
        ..usual()
    }
}

/// A million satoshi a minute need no approval.
fn windowed() -> WorldOptions {
    WorldOptions {
        charter: |charter, _| {
            edit_policy(charter, |policy| {
                let mut rules = policy.rules.to_vec();
                if let Some(first) = rules.first_mut() {
                    first.matches.velocity.push(Window {
                        scope: VelocityScope::Tenant,
                        window_seconds: 60,
                        amount_lte: Some(1_000_000.into()),
                        count_lte: None,
                    });
                }
                policy.rules = rules.into();
            });
        },
        ..usual()
    }
}

/// The coordinator keeps the request until the payment has ended; the writer appends nothing, so
/// that journal time stands still.
fn after_its_end(ground: &mut Ground) -> anyhow::Result<Outcome> {
    let mut intent = ground.world.intent(now(), AMOUNT, FRIEND);
    intent.expires = now().plus(SOON_MS);
    let ends = intent.expires;
    let payment = ground.payment_of(intent)?;
    let body = ground.authorization(&payment, &[]);
    ground.submit(body)?;
    ground.wait_nodes()?;

    let goal = Goal::new(ground, &payment)?;
    ground.wait(Duration::from_millis(ends.since(now()) + 50))?;
    let outcome = goal.ask(ground)?;
    Ok(named(outcome, || {
        format!("signed {} ms after its end", now().since(ends))
    }))
}

fn old_attempt(ground: &mut Ground) -> anyhow::Result<Outcome> {
    let payment = ground.authorized(AMOUNT, &[])?;
    let made = ground.log.follower.tip().at;
    ground.wait_nodes()?;
    let goal = Goal::new(ground, &payment)?;
    let over = made.plus(ATTEMPT_MS + 100);
    ground.wait(Duration::from_millis(over.since(now())))?;
    let outcome = goal.ask(ground)?;
    Ok(named(outcome, || {
        let age = now().since(made);
        format!("signed {age} ms after it was made, {ATTEMPT_MS} are allowed")
    }))
}

/// The writer dates the committee's release by the end of the delay, a minute ahead.
fn dated_ahead(ground: &mut Ground) -> anyhow::Result<Outcome> {
    let held = HeldBack::new(ground)?;
    let proposal = HeldBack::proposal(ground);
    ground.submit(Body::Act(proposal.clone()))?;
    let over = now().plus(SLOW_MS);

    let release = HeldBack::release(ground, &proposal);
    append(ground, &Body::Act(release), over.plus(2_000))?;
    if ground.is_witnessed_within(Duration::from_millis(1_500))? {
        return held.ask_after(ground, Forced::Taken(ground.size()), over);
    }
    ask_for(ground, &held.goal.payment, &held.goal.request, None)
}

/// The minute's limit is used up. The next payment is dated minutes back, where there was room; a
/// tick behind it has the true time.
fn dated_back(ground: &mut Ground) -> anyhow::Result<Outcome> {
    let first = ground.authorized(500_000, &[])?;
    ground.wait_nodes()?;
    let request = ground.request(&first, &QUORUM)?;
    let answers = ground.answers(&QUORUM, &request)?;
    ground.add_up(&request, &answers)?;

    let stamp = UnixMs(now().0 - BACK_MS);
    let intent = ground.world.intent(stamp, 500_000, FRIEND);
    let coins = [ground.new_coin(500_000)?];
    let payment = Payment::new(
        intent,
        ground.build(&Building::new(FRIEND, 500_000, &coins))?,
    );
    let goal = Goal::new(ground, &payment)?;

    let mut ledger = ground.ledger();
    ledger.now = stamp;
    let authorization = ledger.authorization_with(&payment.intent, &[], payment.attempt.clone());
    let body = Body::Authorized(Box::new(authorization));
    let offer = offer(&body, ground.world.scope());
    if let Forced::Stopped(_, batch) = ground.force_at(&offer, stamp)? {
        return ask_for(ground, &payment, &goal.request, Some(batch));
    }

    append(ground, &Body::Tick, now())?;
    ground.wait_witnessed()?;
    let outcome = goal.ask(ground)?;
    Ok(named(outcome, || {
        "signed: 400 000, 500 000 and 500 000 satoshi in a minute, 1 000 000 are allowed".to_owned()
    }))
}
