//! 15: a payment's fee drains the vault.

use super::steps::{Goal, bumped, named, way_home};
use super::{QUORUM, force_and_sign, try_to_sign, usual};
use crate::ground::{Building, Forced, Ground, Payment, now};
use crate::row::{Attack, Outcome, Row};
use strongroom_guard::G;
use strongroom_journal::Body;
use strongroom_types::{Code, Document as _, Intent, Tighten};
use strongroom_world::FRIEND;

const AMOUNT: u64 = 300_000;
/// The usual cap of the world's intents, satoshi.
const CAP: u64 = 20_000;

pub const ROW: Row = Row {
    id: "15",
    story: "A client allows a payment some fee and a few tries. The transactions service, which \
            works with a miner, makes the fee of a try larger than that, hides a large fee behind \
            a small one, takes all of it at the first try, tries without end, or burns a coin by \
            the transaction that returns it.",
    attacks: &[
        Attack {
            guard: G::FeeCap,
            code: Code::FeeCapExceeded,
            red_when: "a transaction is signed whose fee is above its client's cap",
            world: usual,
            run: above_the_cap,
        },
        Attack {
            guard: G::FeeDeclared,
            code: Code::FeeCapExceeded,
            red_when: "a transaction is signed whose fee is above its client's cap",
            world: usual,
            run: above_what_is_declared,
        },
        Attack {
            guard: G::FeeHalf,
            code: Code::FeeCapTooLow,
            red_when: "the first transaction takes the whole cap, and none can replace it",
            world: usual,
            run: all_at_the_first_try,
        },
        Attack {
            guard: G::AttemptsMax,
            code: Code::AttemptsExhausted,
            red_when: "more transactions of a payment are signed than its client allowed",
            world: usual,
            run: one_try_too_many,
        },
        Attack {
            guard: G::CancelFee,
            code: Code::FeeCapExceeded,
            red_when: "a return is signed that costs many times what its payment offered",
            world: usual,
            run: dear_return,
        },
    ],
};

/// A payment whose coin stays at hand, at this fee rate.
struct Try {
    coins: [strongroom_ports::chain::OwnCoin; 1],
    payment: Payment,
}

impl Try {
    fn new(ground: &Ground, rate: u64, change: impl FnOnce(&mut Intent)) -> anyhow::Result<Self> {
        let intent = ground.world.intent_with(now(), AMOUNT, FRIEND, change);
        let coins = [ground.new_coin(AMOUNT)?];
        let built = ground.build(&building(&coins, rate))?;
        let payment = Payment::new(intent, built);
        Ok(Self { coins, payment })
    }

    /// The next attempt at another rate.
    fn next(&self, ground: &Ground, rate: u64) -> anyhow::Result<Payment> {
        bumped(ground, &self.payment, &building(&self.coins, rate))
    }

    fn authorize(&self, ground: &mut Ground) -> anyhow::Result<()> {
        let body = ground.authorization(&self.payment, &[]);
        ground.submit(body)?;
        ground.wait_nodes()
    }
}

fn building(coins: &[strongroom_ports::chain::OwnCoin], rate: u64) -> Building<'_> {
    Building {
        rate,
        ..Building::new(FRIEND, AMOUNT, coins)
    }
}

fn fee(payment: &Payment) -> u64 {
    payment.built.fee.to_u64().unwrap_or_default()
}

/// Names the fee of what was signed.
fn costs(outcome: Outcome, fee: u64) -> Outcome {
    named(outcome, || {
        format!("signed at a fee of {fee}, the cap is {CAP}")
    })
}

fn above_the_cap(ground: &mut Ground) -> anyhow::Result<Outcome> {
    let first = Try::new(ground, 2_000, |_| {})?;
    first.authorize(ground)?;
    let second = first.next(ground, 400_000)?;
    anyhow::ensure!(fee(&second) > CAP, "a fee within the cap");
    let body = Body::from(second.attempt.clone());
    let outcome = force_and_sign(ground, &second, &body)?;
    Ok(costs(outcome, fee(&second)))
}

fn above_what_is_declared(ground: &mut Ground) -> anyhow::Result<Outcome> {
    let mut hidden = Try::new(ground, 400_000, |_| {})?;
    hidden.payment.attempt.fee_max = (CAP / 2).into();
    hidden.authorize(ground)?;
    let outcome = try_to_sign(ground, &hidden.payment)?;
    Ok(costs(outcome, fee(&hidden.payment)))
}

fn all_at_the_first_try(ground: &mut Ground) -> anyhow::Result<Outcome> {
    let first = Try::new(ground, 129_000, |_| {})?;
    let paid = fee(&first.payment);
    anyhow::ensure!(paid > CAP * 9 / 10 && paid <= CAP, "a fee of {paid}");
    let body = ground.authorization(&first.payment, &[]);
    let outcome = force_and_sign(ground, &first.payment, &body)?;
    if outcome.harm.is_none() {
        return Ok(outcome);
    }

    // The honest replacement must offer more, as every relay asks.
    let honest = first.next(ground, 150_000)?;
    match ground.force(&Body::from(honest.attempt), now())? {
        Forced::Taken(_) => Ok(Outcome::default()),
        Forced::Stopped(refusal, _) => Ok(named(outcome, || {
            format!(
                "signed at a fee of {paid}, and its replacement: {}",
                refusal.code
            )
        })),
    }
}

fn one_try_too_many(ground: &mut Ground) -> anyhow::Result<Outcome> {
    let first = Try::new(ground, 2_000, |intent| intent.attempts_max = 1)?;
    first.authorize(ground)?;
    let request = ground.request(&first.payment, &QUORUM)?;
    let answers = ground.answers(&QUORUM, &request)?;
    ground.add_up(&request, &answers)?;

    let second = first.next(ground, 4_000)?;
    let body = Body::from(second.attempt.clone());
    force_and_sign(ground, &second, &body)
}

fn dear_return(ground: &mut Ground) -> anyhow::Result<Outcome> {
    let first = Try::new(ground, 2_000, |_| {})?;
    first.authorize(ground)?;
    let intent = first.payment.intent.digest();
    ground.tighten(Tighten::Cancel(intent))?;

    let home = way_home(&first.payment, CAP)?;
    let goal = Goal::new(ground, &home)?;
    let body = Body::from(home.attempt.clone());
    if let Some(outcome) = goal.force(ground, &body)? {
        return Ok(outcome);
    }
    let outcome = goal.ask(ground)?;
    Ok(named(outcome, || {
        format!(
            "a return is signed at {CAP}, its payment offered {}",
            fee(&first.payment)
        )
    }))
}
