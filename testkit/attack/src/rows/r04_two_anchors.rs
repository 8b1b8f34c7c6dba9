//! 4: one intent is paid twice, by two transactions that share no coin.

use super::steps::{Goal, bumped};
use super::{force_and_sign, sign, usual};
use crate::ground::{Building, Ground, Payment, now};
use crate::row::{Attack, Outcome, Row};
use strongroom_guard::G;
use strongroom_journal::Body;
use strongroom_types::{AttemptKind, Code};
use strongroom_world::FRIEND;

const AMOUNT: u64 = 300_000;

pub const ROW: Row = Row {
    id: "4",
    story: "A payment is signed. The transactions service says that it failed, and has a second \
            transaction for it, from other coins. Both would reach the chain: the receiver is paid \
            twice. Or the client agreed to a replacement at a higher fee, and the coordinator has \
            the first transaction signed all the same.",
    attacks: &[
        Attack {
            guard: G::Anchor,
            code: Code::AnchorMissing,
            red_when: "two transactions of one intent are signed that share no coin",
            world: usual,
            run: second_transaction,
        },
        Attack {
            guard: G::LastAttempt,
            code: Code::AttemptSuperseded,
            red_when: "a transaction is signed that a later attempt had replaced",
            world: usual,
            run: replaced_transaction,
        },
    ],
};

fn second_transaction(ground: &mut Ground) -> anyhow::Result<Outcome> {
    let first = ground.authorized(AMOUNT, &[])?;
    sign(ground, &first)?;

    let coins = [ground.new_coin(AMOUNT)?];
    let built = ground.build(&Building::new(FRIEND, AMOUNT, &coins))?;
    let second = first.further(AttemptKind::Bump, built);
    force_and_sign(ground, &second, &Body::from(second.attempt.clone()))
}

fn replaced_transaction(ground: &mut Ground) -> anyhow::Result<Outcome> {
    let intent = ground.world.intent(now(), AMOUNT, FRIEND);
    let coins = [ground.new_coin(AMOUNT)?];
    let building = Building::new(FRIEND, AMOUNT, &coins);
    let first = Payment::new(intent, ground.build(&building)?);
    let body = ground.authorization(&first, &[]);
    ground.submit(body)?;
    ground.wait_nodes()?;
    let goal = Goal::new(ground, &first)?;

    let dearer = Building {
        rate: 4_000,
        ..building
    };
    let second = bumped(ground, &first, &dearer)?;
    ground.submit(Body::from(second.attempt))?;
    goal.ask(ground)
}
