//! 22: the coordinator, or the transactions service, has another transaction signed.

use super::{try_to_sign, usual};
use crate::ground::{Building, Ground, Payment};
use crate::row::{Attack, Outcome, Row};
use strongroom_guard::G;
use strongroom_types::Code;
use strongroom_world::{FRIEND, STRANGER};

const AMOUNT: u64 = 300_000;

pub const ROW: Row = Row {
    id: "22",
    story: "The people approved a payment. What the signers are asked to sign is another \
            transaction: first one that the journal does not know, then one that the journal names \
            but that pays a thief.",
    attacks: &[
        Attack {
            guard: G::AttemptDigest,
            code: Code::AttemptDigestMismatch,
            red_when: "a transaction is signed whose digest is that of no attempt",
            world: usual,
            run: of_no_attempt,
        },
        Attack {
            guard: G::Effects,
            code: Code::EffectsMismatch,
            red_when: "a transaction is signed that pays another than the intent",
            world: usual,
            run: pays_a_thief,
        },
    ],
};

/// The coordinator alone: the same payment, its change on an address that no one watches for it.
fn of_no_attempt(ground: &mut Ground) -> anyhow::Result<Outcome> {
    let intent = ground.world.intent(crate::ground::now(), AMOUNT, FRIEND);
    let coins = [ground.new_coin(AMOUNT)?];
    let building = Building::new(FRIEND, AMOUNT, &coins);
    let payment = Payment::new(intent, ground.build(&building)?);
    let body = ground.authorization(&payment, &[]);
    ground.submit(body)?;
    ground.wait_nodes()?;

    let elsewhere = Building {
        change: 40,
        ..building
    };
    let mut changed = payment;
    changed.built = ground.build(&elsewhere)?;
    try_to_sign(ground, &changed)
}

/// The transactions service too: the attempt names what pays the thief, so its digest is right.
fn pays_a_thief(ground: &mut Ground) -> anyhow::Result<Outcome> {
    let intent = ground.world.intent(crate::ground::now(), AMOUNT, FRIEND);
    let coins = [ground.new_coin(AMOUNT)?];
    let built = ground.build(&Building::new(STRANGER, AMOUNT, &coins))?;
    let payment = Payment::new(intent, built);
    let body = ground.authorization(&payment, &[]);
    ground.submit(body)?;
    ground.wait_nodes()?;
    try_to_sign(ground, &payment)
}
