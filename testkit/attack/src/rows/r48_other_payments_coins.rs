//! 48: another payment's coins are taken.

use super::steps::named;
use super::{force_and_sign, try_to_sign, usual};
use crate::ground::{Building, Ground, Payment, now};
use crate::row::{Attack, Outcome, Row};
use strongroom_guard::G;
use strongroom_ports::chain::OwnCoin;
use strongroom_types::Code;
use strongroom_world::FRIEND;

const AMOUNT: u64 = 100_000;
/// So much needs two coins.
const LARGE: u64 = 1_000_000;

pub const ROW: Row = Row {
    id: "48",
    story: "People signed a payment, and a coin is kept for it. The transactions service makes \
            another payment that spends this coin too. Once it confirms, what the people signed \
            can never be paid.",
    attacks: &[
        Attack {
            guard: G::AnchorTaken,
            code: Code::AnchorTaken,
            red_when: "two payments are signed of which only one can be paid",
            world: usual,
            run: same_coin,
        },
        Attack {
            guard: G::CoinHeld,
            code: Code::AnchorTaken,
            red_when: "a transaction is signed that spends a coin kept for another payment",
            world: usual,
            run: coin_beside_its_own,
        },
        Attack {
            guard: G::SpendsAsDeclared,
            code: Code::EffectsMismatch,
            red_when: "a transaction is signed that spends a coin kept for another payment",
            world: usual,
            run: coin_that_is_not_named,
        },
    ],
};

/// The payment that people signed, with the coin that is kept for it.
fn victim(ground: &mut Ground) -> anyhow::Result<OwnCoin> {
    let coin = ground.new_coin(AMOUNT)?;
    let payment = from_coins(ground, AMOUNT, std::slice::from_ref(&coin))?;
    let body = ground.authorization(&payment, &[]);
    ground.submit(body)?;
    Ok(coin)
}

fn from_coins(ground: &Ground, amount: u64, coins: &[OwnCoin]) -> anyhow::Result<Payment> {
    let intent = ground.world.intent(now(), amount, FRIEND);
    let built = ground.build(&Building::new(FRIEND, amount, coins))?;
    Ok(Payment::new(intent, built))
}

fn same_coin(ground: &mut Ground) -> anyhow::Result<Outcome> {
    let coin = victim(ground)?;
    let other = from_coins(ground, AMOUNT, std::slice::from_ref(&coin))?;
    let body = ground.authorization(&other, &[]);
    force_and_sign(ground, &other, &body)
}

/// A payment from a coin of its own and the victim's, anchored in its own.
fn from_both(ground: &mut Ground) -> anyhow::Result<(Payment, OwnCoin)> {
    let kept = victim(ground)?;
    let own = ground.new_coin(AMOUNT)?;
    let mut payment = from_coins(ground, LARGE, &[kept.clone(), own.clone()])?;
    anyhow::ensure!(payment.built.conflicts.len() == 2, "one coin is enough");
    payment.attempt.anchor = own.key;
    Ok((payment, kept))
}

fn takes(outcome: Outcome, kept: &OwnCoin) -> Outcome {
    named(outcome, || format!("signed, and it spends {}", kept.key))
}

fn coin_beside_its_own(ground: &mut Ground) -> anyhow::Result<Outcome> {
    let (payment, kept) = from_both(ground)?;
    let body = ground.authorization(&payment, &[]);
    let outcome = force_and_sign(ground, &payment, &body)?;
    Ok(takes(outcome, &kept))
}

fn coin_that_is_not_named(ground: &mut Ground) -> anyhow::Result<Outcome> {
    let (mut payment, kept) = from_both(ground)?;
    payment.attempt.conflict_keys = vec![payment.attempt.anchor.clone()];
    let body = ground.authorization(&payment, &[]);
    ground.submit(body)?;
    ground.wait_nodes()?;
    let outcome = try_to_sign(ground, &payment)?;
    Ok(takes(outcome, &kept))
}
