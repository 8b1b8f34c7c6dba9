//! 34: the writer appends everything but the stop.

use super::held_back::append;
use super::steps::Goal;
use super::{ask_for_within, usual};
use crate::ground::{Ground, now};
use crate::row::{Attack, Outcome, Row};
use std::time::Duration;
use strongroom_guard::G;
use strongroom_journal::Bounds;
use strongroom_types::{ActBody, Code, Tighten};
use strongroom_world::WorldOptions;

const AMOUNT: u64 = 300_000;
/// Time that the writer has for a handed act, milliseconds.
const DUTY_MS: u64 = 1_500;
/// A signer and the independent witness: as many as can keep a quorum from a head.
const HOLDERS: [u16; 2] = [2, 4];

pub const ROW: Row = Row {
    id: "34",
    story: "The tenant's admins stop everything. The journal's writer never appends the stop, but \
            goes on with payments. The stop is in the hands of two honest nodes, which are not \
            the ones that the coordinator asks.",
    attacks: &[Attack {
        guard: G::HandedDuty,
        code: Code::AttemptUnknown,
        red_when: "a payment is signed that was authorized long after the stop, under a head that \
                   lacks it and that holders of the stop cosigned",
        world: brisk,
        run: around_the_stop,
    }],
};

fn brisk() -> WorldOptions {
    WorldOptions {
        tune: |bounds: &mut Bounds| bounds.duty_ms = DUTY_MS,
        ..usual()
    }
}

fn around_the_stop(ground: &mut Ground) -> anyhow::Result<Outcome> {
    let payment = ground.payment(AMOUNT)?;
    let goal = Goal::new(ground, &payment)?;
    let ledger = ground.ledger();
    let stop = ledger.signed_act(ActBody::Tighten(Tighten::Stop), &ledger.admins());
    ground.hand(&HOLDERS, &stop)?;
    ground.wait(Duration::from_millis(DUTY_MS + 300))?;

    let body = ground.authorization(&payment, &[]);
    append(ground, &body, now())?;
    ground.is_witnessed_within(Duration::from_millis(1_000))?;
    ask_for_within(
        ground,
        &goal.payment,
        &goal.request,
        Duration::from_millis(800),
    )
}
