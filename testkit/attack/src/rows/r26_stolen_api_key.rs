//! 26: the API's key is stolen.

use super::steps::Goal;
use super::{force_and_sign, usual};
use crate::ground::Ground;
use crate::row::{Attack, Outcome, Row};
use strongroom_guard::G;
use strongroom_journal::Body;
use strongroom_types::{ActBody, Code, Tighten};
use strongroom_world::forge;

pub const ROW: Row = Row {
    id: "26",
    story: "A thief has the key of the API and sends whatever it takes: a payment in a client's \
            name, and an act that ends the firm's stop in its admins' names. The signatures of \
            these people are made up.",
    attacks: &[
        Attack {
            guard: G::InitiatorSigns,
            code: Code::BadSignature,
            red_when: "a payment is signed that its initiator never signed",
            world: usual,
            run: forged_payment,
        },
        Attack {
            guard: G::ActSignatures,
            code: Code::BadSignature,
            red_when: "a payment is signed during a stop that its admins never ended",
            world: usual,
            run: forged_resume,
        },
    ],
};

fn forged_payment(ground: &mut Ground) -> anyhow::Result<Outcome> {
    let payment = ground.payment(300_000)?;
    let mut body = ground.authorization(&payment, &[]);
    if let Body::Authorized(authorization) = &mut body {
        let signed = &mut authorization.intent;
        signed.endorsements.iter_mut().for_each(forge);
    }
    force_and_sign(ground, &payment, &body)
}

fn forged_resume(ground: &mut Ground) -> anyhow::Result<Outcome> {
    let payment = ground.authorized(300_000, &[])?;
    ground.tighten(Tighten::Stop)?;
    let goal = Goal::new(ground, &payment)?;

    let admins = ground.ledger().admins();
    let mut resume = ground.ledger().signed_act(ActBody::Resume, &admins);
    resume.endorsements.iter_mut().for_each(forge);
    if let Some(outcome) = goal.force_act(ground, &resume)? {
        return Ok(outcome);
    }
    goal.ask(ground)
}
