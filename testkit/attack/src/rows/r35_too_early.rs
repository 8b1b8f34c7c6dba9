//! 35: a share is wanted before the journal's witnesses have seen the payment.

use super::held_back::append;
use super::steps::Goal;
use super::{ask_for_within, usual};
use crate::ground::{Ground, now};
use crate::row::{Attack, Outcome, Row};
use std::time::Duration;
use strongroom_guard::G;
use strongroom_types::Code;

const AMOUNT: u64 = 300_000;

pub const ROW: Row = Row {
    id: "35",
    story: "The journal's writer shows a payment to two signers and to no one else, so that it can \
            still take it back. The coordinator asks these two for it at once.",
    attacks: &[Attack {
        guard: G::AttemptWitnessed,
        code: Code::AttemptUnknown,
        red_when: "a payment is signed that is in no head with a quorum's cosignatures",
        world: usual,
        run: before_the_witnesses,
    }],
};

fn before_the_witnesses(ground: &mut Ground) -> anyhow::Result<Outcome> {
    let payment = ground.payment(AMOUNT)?;
    let goal = Goal::new(ground, &payment)?;
    let body = ground.authorization(&payment, &[]);
    ground.cut_off.extend([2, 4]);
    append(ground, &body, now())?;
    ask_for_within(
        ground,
        &goal.payment,
        &goal.request,
        Duration::from_millis(800),
    )
}
