//! 52: two orders that look the same on every screen.

use super::steps::{Goal, order_signed};
use super::usual;
use crate::ground::{Ground, Payment, now};
use crate::row::{Attack, Outcome, Row};
use strongroom_guard::G;
use strongroom_journal::Body;
use strongroom_types::{Code, Document as _, Intent};

const AMOUNT: u64 = 300_000;
/// A space that takes no room.
const HIDDEN: char = '\u{200b}';

pub const ROW: Row = Row {
    id: "52",
    story: "A payment of an order is signed. A thief at the client signs another one, whose order \
            number has an invisible character at its end: to every person it is the same order, \
            to a program it would be a new one.",
    attacks: &[Attack {
        guard: G::NoHiddenText,
        code: Code::Malformed,
        red_when: "two payments are signed whose orders look the same",
        world: usual,
        run: the_same_to_the_eye,
    }],
};

fn the_same_to_the_eye(ground: &mut Ground) -> anyhow::Result<Outcome> {
    let order = order_signed(ground, AMOUNT)?;

    let second = ground.world.order(now().plus(1), AMOUNT, &order);
    let (text, second) = hidden(second, &order)?;
    let mut payment = ground.payment_of(second)?;
    payment.attempt.intent = Intent::digest_of(&text);
    let mut goal = Goal::new(ground, &payment)?;
    goal.request.intent = payment.attempt.intent;

    let body = signed_as_text(ground, &payment, text);
    if let Some(outcome) = goal.force(ground, &body)? {
        return Ok(outcome);
    }
    goal.ask(ground)
}

/// The text of an order with the hidden character, and the order that it reads as, where a program
/// reads it at all.
fn hidden(mut intent: Intent, order: &str) -> anyhow::Result<(String, Intent)> {
    let shown = format!("\"{order}\"");
    let text = intent.to_text();
    anyhow::ensure!(text.matches(&shown).count() == 1, "one order in the text");
    let text = text.replace(&shown, &format!("\"{order}{HIDDEN}\""));
    if let Ok(name) = format!("{order}{HIDDEN}").parse() {
        intent.external_id = name;
    }
    Ok((text, intent))
}

/// The authorization of a payment, its intent signed by this text.
fn signed_as_text(ground: &Ground, payment: &Payment, text: String) -> Body {
    let mut body = ground.authorization(payment, &[]);
    if let Body::Authorized(authorization) = &mut body {
        let initiator = ground.world.person(strongroom_world::Who::Initiator);
        authorization.intent.text = text;
        authorization.intent.endorsements.clear();
        authorization.intent.endorse::<Intent>(&initiator.signing());
    }
    body
}
