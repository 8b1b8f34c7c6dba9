//! 30: an act that people once signed is appended at another time than theirs.

use super::steps::Goal;
use super::{force_and_sign, usual};
use crate::ground::{Ground, Payment, now};
use crate::row::{Attack, Elsewhere, Outcome, Row};
use anyhow::ensure;
use std::time::Duration;
use strongroom_guard::G;
use strongroom_journal::Body;
use strongroom_types::{ActBody, Code, Signed, Tighten};

const AMOUNT: u64 = 300_000;
/// Life of an act that ends soon, milliseconds.
const SOON_MS: u64 = 500;

pub const ROW: Row = Row {
    id: "30",
    story: "The tenant was stopped and resumed before. The writer has kept an old resume that was \
            never used, or one whose time is over, and appends it after a new stop; or it appends \
            the old stop once more.",
    attacks: &[
        Attack {
            guard: G::ScopeVersion,
            code: Code::WrongScopeVersion,
            red_when: "a payment is signed although the tenant is stopped, because a resume of an \
                       earlier stop was appended",
            world: usual,
            run: resume_of_before,
        },
        Attack {
            guard: G::ActExpiry,
            code: Code::AuthorityExpired,
            red_when: "a payment is signed although the tenant is stopped, by a resume whose time \
                       is over",
            world: usual,
            run: resume_too_late,
        },
        Attack {
            guard: G::ActOnce,
            code: Code::UsedAuthority,
            red_when: "an honest payment is starved by a stop that was lifted already",
            world: usual,
            run: stop_once_more,
        },
    ],
};

fn authorized(ground: &mut Ground) -> anyhow::Result<Payment> {
    let payment = ground.authorized(AMOUNT, &[])?;
    ground.wait_nodes()?;
    Ok(payment)
}

fn resume(ground: &Ground) -> Signed {
    let ledger = ground.ledger();
    ledger.signed_act(ActBody::Resume, &ledger.admins())
}

/// The first resume was withheld, so its people signed another.
fn resume_of_before(ground: &mut Ground) -> anyhow::Result<Outcome> {
    let payment = authorized(ground)?;
    ground.tighten(Tighten::Stop)?;
    let withheld = resume(ground);
    let other = resume(ground);
    ground.submit(Body::Act(other))?;
    ground.tighten(Tighten::Stop)?;
    force_and_sign(ground, &payment, &Body::Act(withheld))
}

fn resume_too_late(ground: &mut Ground) -> anyhow::Result<Outcome> {
    let payment = authorized(ground)?;
    ground.tighten(Tighten::Stop)?;

    let (ledger, scope) = (ground.ledger(), ground.world.scope());
    let mut act = ground
        .world
        .act(now(), scope, ActBody::Resume, ledger.version());
    act.expires = now().plus(SOON_MS);
    let late = ground.world.sign(&act, &ledger.admins());
    ground.wait(Duration::from_millis(SOON_MS + 50))?;
    force_and_sign(ground, &payment, &Body::Act(late))
}

/// Any service that kept the act can offer it to the journal again.
fn stop_once_more(ground: &mut Ground) -> anyhow::Result<Outcome> {
    let payment = authorized(ground)?;
    let goal = Goal::new(ground, &payment)?;
    let ledger = ground.ledger();
    let stop = ledger.signed_act(ActBody::Tighten(Tighten::Stop), &ledger.admins());
    ground.submit(Body::Act(stop.clone()))?;
    let lifted = resume(ground);
    ground.submit(Body::Act(lifted))?;

    let again = ground.order(&Body::Act(stop), now());
    ground.wait_witnessed()?;
    let outcome = goal.ask(ground)?;
    match again {
        Err(refusal) => {
            ensure!(outcome.harm.is_some(), "the honest payment is not signed");
            Ok(Outcome {
                codes: vec![refusal.code],
                by: Some(Elsewhere::Journal),
                ..Outcome::default()
            })
        }
        Ok(_) => Ok(Outcome {
            harm: outcome.refused.first().map(|refused| {
                let code = refused.refusal.code;
                format!("the honest payment is refused: {code}")
            }),
            ..outcome
        }),
    }
}
