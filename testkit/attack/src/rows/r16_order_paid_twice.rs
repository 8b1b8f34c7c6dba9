//! 16: an order is paid twice after a lying "failed".

use super::steps::order_signed;
use super::{force_and_sign, usual};
use crate::ground::{Ground, now};
use crate::row::{Attack, Outcome, Row};
use strongroom_guard::G;
use strongroom_types::Code;

const AMOUNT: u64 = 300_000;

pub const ROW: Row = Row {
    id: "16",
    story: "A client's payment of an order is signed. The transactions service tells the client \
            that it failed, and the client's program signs a new payment of the same order.",
    attacks: &[Attack {
        guard: G::ExternalIdOnce,
        code: Code::DuplicateExternalId,
        red_when: "two payments of one order are signed",
        world: usual,
        run: again,
    }],
};

fn again(ground: &mut Ground) -> anyhow::Result<Outcome> {
    let order = order_signed(ground, AMOUNT)?;

    // Another second, another text: only the order is the same.
    let second = ground.world.order(now().plus(1), AMOUNT, &order);
    let second = ground.payment_of(second)?;
    let body = ground.authorization(&second, &[]);
    force_and_sign(ground, &second, &body)
}
