//! 33: a payment is ended on paper, to free what it took of the limit, or to take it back.

use super::steps::{Goal, LIMIT, limited, named, way_home};
use super::{QUORUM, force_and_sign, usual};
use crate::ground::{Ground, now};
use crate::row::{Attack, Outcome, Row};
use strongroom_guard::G;
use strongroom_journal::Body;
use strongroom_types::{ActBody, Code, Document as _, Tighten};
use strongroom_world::Who;

pub const ROW: Row = Row {
    id: "33",
    story: "A client's thief has a payment signed, keeps the transaction and cancels the payment, \
            so that its amount is free again for a second one. And the transactions service asks \
            for the transaction that returns the coin of a payment that no one ended.",
    attacks: &[
        Attack {
            guard: G::WindowsByAge,
            code: Code::LimitExceeded,
            red_when: "the payments signed within the hour add up to more than its limit",
            world: limited,
            run: pay_cancel_pay,
        },
        Attack {
            guard: G::CancelOnlyEnded,
            code: Code::AttemptNumberWrong,
            red_when: "a transaction is signed that takes back a payment that no one ended",
            world: usual,
            run: take_back,
        },
    ],
};

/// Two of these do not fit beside the honest payment.
const AMOUNT: u64 = 300_000;

fn pay_cancel_pay(ground: &mut Ground) -> anyhow::Result<Outcome> {
    let first = ground.authorized(AMOUNT, &[])?;
    ground.wait_nodes()?;
    let request = ground.request(&first, &QUORUM)?;
    let answers = ground.answers(&QUORUM, &request)?;
    ground.add_up(&request, &answers)?;

    let cancel = ActBody::Tighten(Tighten::Cancel(first.intent.digest()));
    ground.act(cancel, &[Who::InitiatorKey])?;
    let intent = ground
        .world
        .intent(now(), AMOUNT + 10_000, strongroom_world::FRIEND);
    let second = ground.payment_of(intent)?;
    let body = ground.authorization(&second, &[]);
    let outcome = force_and_sign(ground, &second, &body)?;
    let left = 400_000 + 2 * AMOUNT + 10_000;
    Ok(named(outcome, || {
        format!("{left} left within an hour, the limit is {LIMIT}")
    }))
}

fn take_back(ground: &mut Ground) -> anyhow::Result<Outcome> {
    let payment = ground.authorized(AMOUNT, &[])?;
    let fee = payment.built.fee.to_u64().unwrap_or_default();
    let home = way_home(&payment, fee)?;
    let goal = Goal::new(ground, &home)?;
    let body = Body::from(home.attempt.clone());
    if let Some(outcome) = goal.force(ground, &body)? {
        return Ok(outcome);
    }
    goal.ask(ground)
}
